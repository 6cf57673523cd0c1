"""The command that a message gives for a missing package installs it, wherever this project came from."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from noisystudent.extras import CLONE, how_to_install, pip


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
