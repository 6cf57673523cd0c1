"""The wheel and the sdist: what is in them, and that the wheel is enough where nothing else is installed."""

from __future__ import annotations

import email
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import urllib.request
import zipfile
from pathlib import Path

import pytest
import yaml

import noisystudent

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both, built by hatchling as it is installed here."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def unpacked(built: Path) -> dict[str, int]:
    """The files of the sdist, by their paths in the checkout, and how large each is."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        return {member.name.partition("/")[2]: member.size for member in sdist if member.isfile()}


def checkout(*folders: str) -> set[str]:
    """The files of the checkout, but for what Python and the benchmarks leave there."""
    files = {path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()}
    left = {"__pycache__", "work", ".pytest_cache"}
    return {str(path) for path in files if not left & set(path.parts)}


def test_the_wheel_has_all_of_the_package_its_types_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    ours = {name for name in names if not name.startswith(f"noisystudent-{noisystudent.__version__}.dist-info/")}
    assert ours == {name.removeprefix("src/") for name in checkout("src/noisystudent")}
    assert "noisystudent/py.typed" in ours


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
    about = email.message_from_bytes(archive.read(name))
    assert about["Version"] == noisystudent.__version__
    assert about["Requires-Python"] == ">=3.11"
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13)} <= set(
        about.get_all("Classifier") or ()
    )
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(about.get_all("Provides-Extra") or ()) == extras.keys()
    points = archive.read(name.replace("METADATA", "entry_points.txt")).decode()
    assert "noisystudent = noisystudent.cli:main" in points


def test_the_sdist_has_what_tests_and_documentation_need(unpacked: dict[str, int]) -> None:
    needed = checkout("src", "tests", "docs", "benchmarks", "examples", "docker")
    assert sorted(needed - unpacked.keys()) == []
    alone = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff", "Makefile", "constraints.txt"}
    assert alone | {"mkdocs.yml", ".ci/run", ".dockerignore"} <= unpacked.keys()


def test_the_sdist_has_no_data(unpacked: dict[str, int]) -> None:
    folders = {name.partition("/")[0] for name in unpacked if "/" in name}
    assert folders == {"src", "tests", "docs", "benchmarks", "examples", "docker", ".ci"}
    pictures = (".jpg", ".jpeg", ".npy", ".npz", ".tar", ".parquet", ".safetensors", ".pt", ".onnx", ".db")
    assert [name for name in unpacked if name.endswith(pictures)] == []
    assert max(unpacked.values()) < 1_000_000


def test_the_version_is_that_of_the_changelog_and_of_the_citation() -> None:
    newest = re.search(r"^## (\S+) \((\S+)\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert newest
    assert newest.groups() == (noisystudent.__version__, citation["date-released"])
    assert citation["version"] == noisystudent.__version__
    assert citation["license"] == "Apache-2.0"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with pip and nothing else; skips where no package index answers."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    command = [str(folder / "bin" / "pip"), "download", "--no-deps", "--dest", str(folder / "tried"), "nh3"]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"no package index is reachable: {tried.stderr.strip().splitlines()[-1]}")
    return folder / "bin"


@pytest.mark.slow
def test_the_wheel_alone_is_a_board(wheel: Path, empty: Path, tmp_path: Path) -> None:
    outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def give(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(empty / words[0]), *words[1:]], cwd=tmp_path, env=outside, capture_output=True, text=True, check=False
        )

    installed = give("pip", "install", "--quiet", f"{wheel}[board]")
    assert installed.returncode == 0, installed.stderr
    packages = {package["name"] for package in json.loads(give("pip", "list", "--format", "json").stdout)}
    assert not packages & {"torch", "timm", "torchvision", "scikit-learn", "duckdb"}
    assert give("noisystudent", "--version").stdout == f"noisystudent {noisystudent.__version__}\n"
    for words in (["init"], ["check"], ["export", "--format", "evaluation-tables", "--out", "tables.json.gz"]):
        done = give("noisystudent", "board", *words)
        assert done.returncode == 0, done.stderr
    told = give("noisystudent", "run", "--labeled", ".", "--unlabeled", ".", "--out", "run")
    assert told.returncode == 2
    assert "torch>=" in told.stderr  # what to install, as there is no clone
    with subprocess.Popen(
        [str(empty / "noisystudent"), "board", "serve", "--port", "0", "--json"],
        cwd=tmp_path,
        env=outside,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as serving:
        try:
            assert serving.stdout
            address = json.loads(serving.stdout.readline())["address"]
            with urllib.request.urlopen(f"{address}/sota/image-classification-on-imagenet", timeout=60) as page:
                assert b"NoisyStudent" in page.read()
        finally:
            serving.terminate()
    assert serving.returncode == 0
