"""What the documentation says is what the program does."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from pkgutil import resolve_name

import check
import pytest
import tables
from named_tests import is_there
from typer.main import get_command

import noisystudent
from noisystudent.cli import app
from noisystudent.recipes import RECIPES

ROOT = Path(__file__).parent.parent
PAGES = check.PAGES
COMMAND = re.compile(r"^(?: {4}|\$ )noisystudent (.+)$", re.MULTILINE)


def test_the_configuration_page_is_what_its_script_writes() -> None:
    written = (ROOT / "docs" / "configuration.md").read_text()
    assert written == runpy.run_path(str(ROOT / "docs" / "make_configuration.py"))["page"](), (
        "run python docs/make_configuration.py"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_documentation_exist_with_their_options(page: Path) -> None:
    for line in COMMAND.findall(page.read_text()):
        words = line.split("#")[0].split()
        command = get_command(app)
        while hasattr(command, "commands") and not words[0].startswith("--"):  # `board init` is a command of a group
            assert words[0] in command.commands, f"{page.name}: noisystudent {line}"
            command = command.commands[words.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts}
        for word in words:
            if word.startswith("--"):
                assert word in options, f"{page.name}: noisystudent {line}: no {word}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", re.sub(r"`[^`]*`", "", page.read_text())):
        if not target.startswith("http"):
            file = page.parent / target if target else page
            assert file.exists(), f"{page.name} links to {target}"
            assert not anchor or anchor in anchors(file), f"{page.name} links to {target}#{anchor}"


def anchors(page: Path) -> set[str]:
    """What links into a page may name: its headings as GitHub writes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


CITED = re.compile(r"\b[Ss]pec(?:,? sections?)?\s+(\d(?:\.\d)?(?:(?:,| and)\s+\d(?:\.\d)?)*)")


def test_every_section_of_the_spec_that_is_cited_exists() -> None:
    spec = (ROOT / "docs" / "spec" / "noisy-student.md").read_text()
    sections = set(re.findall(r"^#+ (\d(?:\.\d)?)\.? ", spec, re.MULTILINE))
    files = [path for folder in ("src", "tests", "docs", "benchmarks") for path in (ROOT / folder).rglob("*.*")]
    cited = [
        (number, str(path.relative_to(ROOT)))
        for path in files
        if path.suffix in (".py", ".md", ".jinja")
        for numbers in CITED.findall(path.read_text())
        for number in re.findall(r"\d(?:\.\d)?", numbers)
    ]
    assert len(cited) > 40
    assert [f"{path}: spec section {number}" for number, path in cited if number not in sections] == []


def test_the_readme_names_every_recipe() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [name for name in RECIPES if f"`{name}`" not in readme] == []


def test_every_recipe_says_its_command() -> None:
    for name, recipe in RECIPES.items():
        assert f"noisystudent {'demo' if name == 'digits' else 'run'}" in (recipe.__doc__ or ""), name


def test_the_page_on_python_explains_every_public_name() -> None:
    table = re.findall(r"^\| (`.+?) \|", (ROOT / "docs" / "python.md").read_text(), re.MULTILINE)
    assert sorted(name for names in table for name in re.findall(r"`(\w+)`", names)) == noisystudent.__all__


MEASURED = [ROOT / "README.md", ROOT / "benchmarks" / "README.md", ROOT / "docs" / "small-images.md"]


@pytest.mark.parametrize("page", [*PAGES, *check.RECIPES], ids=lambda page: page.name)
def test_measured_figures_stand_in_the_results_that_are_linked_beside_them(page: Path) -> None:
    figures = check.figures_of(page)
    assert figures or page not in MEASURED, f"{page.name} says what was measured, and links no results"
    assert [figure.text for figure in figures if not figure.files] == []


def test_a_figure_is_traced_to_its_file_and_command_and_one_that_is_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "a.md").write_text("`python benchmarks/a.py --seeds 3`; torch\n\n| 85.6 | 83.3 |\n")
    page = tmp_path / "page.md"
    page.write_text("# A\n\nFrom 83.3 to 85.6, which is 2.3, and not 9.9 ([a](results/a.md)).\n")
    found = {figure.text: figure for figure in check.figures_of(page)}
    assert {text: bool(figure.files) for text, figure in found.items()} == {
        "83.3": True,
        "85.6": True,
        "2.3": True,
        "9.9": False,
    }
    assert found["85.6"].commands == ["python benchmarks/a.py --seeds 3"]


def test_a_figure_of_a_recipe_that_names_no_results_is_found(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.py"
    recipe.write_text(
        'def small():\n    """Right on 83.2 % (benchmarks/results/cifar10.md)."""\n\ndef large():\n    """On 83.2 %."""\n'
    )
    assert [len(figure.files) for figure in check.figures_of(recipe)] == [1, 0]


def test_every_figure_on_the_page_of_benchmarks_has_results_beside_it() -> None:
    page = ROOT / "benchmarks" / "README.md"
    for section in re.split(r"^## ", page.read_text(), flags=re.MULTILINE)[1:]:
        assert check.RESULTS.search(section) or not check.FIGURE.search(re.sub(r"`[^`]*`", "", section)), section[:100]


@pytest.mark.parametrize("name", tables.NAMES)
def test_results_say_what_the_figures_that_are_kept_beside_them_give(name: str) -> None:
    assert (tables.RESULTS / f"{name}.md").read_text(encoding="utf-8") == tables.page(name)


def test_every_results_file_is_linked_from_the_page_of_benchmarks() -> None:
    folder = ROOT / "benchmarks"
    page = (folder / "README.md").read_text() + (ROOT / "docs" / "small-images.md").read_text()
    assert [file.name for file in (folder / "results").glob("*.md") if file.name not in page] == []


def test_the_architecture_names_every_room() -> None:
    source = ROOT / "src" / "noisystudent"
    page = (ROOT / "docs" / "architecture.md").read_text()
    rooms = {path.stem for path in source.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    rooms = {room for room in rooms if not room.startswith("_")}
    assert sorted(room for room in rooms if f"`{room}`" not in page and f"`{room}/`" not in page) == []


@pytest.mark.parametrize("name", re.findall(r"`([a-z_]+(?:\.\w+)+)`", (ROOT / "docs" / "architecture.md").read_text()))
def test_what_the_architecture_names_exists(name: str) -> None:
    assert (ROOT / name).exists() or resolve_name(f"noisystudent.{name}")


def test_the_page_of_commands_is_what_its_script_writes() -> None:
    written = (ROOT / "docs" / "commands.md").read_text()
    assert written == runpy.run_path(str(ROOT / "docs" / "make_commands.py"))["page"](), (
        "run python docs/make_commands.py"
    )


FEATURES = re.findall(r"^\| (\d+) \|(.+)\|$", (ROOT / "docs" / "features.md").read_text(), re.MULTILINE)


def test_the_page_of_features_has_every_row_of_what_tools_have_and_of_what_users_ask_for() -> None:
    numbers = [int(number) for number, _ in FEATURES]
    assert numbers == [*range(1, 37), *range(1, 33), *range(1, 27)]


@pytest.mark.parametrize("row", [row for _, row in FEATURES], ids=lambda row: row.split("|")[0].strip()[:60])
def test_each_row_names_a_test_that_is_there_or_says_why_not(row: str) -> None:
    proofs = re.findall(r"`(tests/[^`]+)`", row)
    assert proofs or re.search(r"\| no: .{20,}", row)
    assert [proof for proof in proofs if not is_there(proof)] == []


BOARD = (ROOT / "docs" / "board" / "features.md").read_text()
BOARD_ROWS = [row for row in re.findall(r"^\| (.+) \|$", BOARD, re.MULTILINE) if "| here |" not in row]


@pytest.mark.parametrize("row", BOARD_ROWS, ids=lambda row: row.split("|")[0].strip()[:60])
def test_each_row_of_the_boards_features_is_proved_or_says_why_not(row: str) -> None:
    proofs = re.findall(r"`([\w./]+\.py::\w+)`", row)
    assert proofs or re.search(r"\| no: .{10,}", row)
    named = [f"tests/board/{proof}".replace("tests/board/../", "tests/") for proof in proofs]
    assert [proof for proof in named if not is_there(proof)] == []
