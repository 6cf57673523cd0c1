"""What the documentation says is what the program does."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from typer.main import get_command

from noisystudent.cli import app
from noisystudent.recipes import RECIPES

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "benchmarks" / "README.md"]
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
        while hasattr(command, "commands"):  # `board init` is a command of a group
            assert words[0] in command.commands, f"{page.name}: noisystudent {line}"
            command = command.commands[words.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts}
        for word in words:
            if word.startswith("--"):
                assert word in options, f"{page.name}: noisystudent {line}: no {word}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


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
