"""The Dockerfiles without an engine: what they copy is there, what they install exists, and the commands of ours in them run."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.main import get_command
from user_inputs import Result

from noisystudent.cli import app

Command = Callable[..., Result]
ROOT = Path(__file__).parents[2]
FILES = [ROOT / "docker/cpu.Dockerfile", ROOT / "docker/cuda.Dockerfile", ROOT / "docs/board/Containerfile"]
KNOWN = {"FROM", "RUN", "COPY", "ENV", "USER", "WORKDIR", "VOLUME", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL", "ENTRYPOINT", "CMD"}  # fmt: skip
BY_FILE = pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)


def instructions(file: Path) -> list[tuple[str, str]]:
    """Each instruction and the rest of its line, continued lines joined, without comments."""
    lines = [line for line in file.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined)]


def of(file: Path, *words: str) -> list[str]:
    return [rest for word, rest in instructions(file) if word in words]


def ours(line: str) -> list[list[str]]:
    """The `noisystudent` commands of a line of shell, each as its words."""
    parts = re.split(r"&&|\|\||;", line)
    words = [shlex.split(part) for part in parts]
    return [one[one.index("noisystudent") + 1 :] for one in words if "noisystudent" in one[:2]]


@BY_FILE
def test_it_is_made_of_known_instructions_and_copies_what_there_is(file: Path) -> None:
    assert {word for word, _ in instructions(file)} <= KNOWN
    assert instructions(file)[0][0] == "FROM"
    for rest in of(file, "COPY"):
        *sources, target = shlex.split(rest)
        assert [source for source in sources if not (ROOT / source).exists()] == []
        assert len(sources) == 1 or target.endswith("/")
    for rest in of(file, "ENTRYPOINT", "CMD"):
        assert all(isinstance(word, str) for word in json.loads(rest))


@BY_FILE
def test_the_extras_that_it_installs_exist_and_so_do_pips_options(file: Path) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = [extra for found in re.findall(r"/src\[([\w,]+)\]", file.read_text()) for extra in found.split(",")]
    assert set(named) <= extras.keys()
    help_of_pip = subprocess.run([sys.executable, "-m", "pip", "install", "--help"], capture_output=True, text=True)
    for command in of(file, "RUN"):
        for option in re.findall(r"--[\w-]+", command) if "pip install" in command else []:
            assert option in help_of_pip.stdout or option == "--no-create-home"


@BY_FILE
def test_the_commands_of_ours_that_it_runs_while_it_is_built_succeed(file: Path, noisystudent: Command) -> None:
    commands = [words for line in of(file, "RUN") for words in ours(line)]
    assert bool(commands) == (file.parent.name == "docker")
    for words in commands:
        done = noisystudent(*words)
        assert done.status == 0, done.stderr


@BY_FILE
def test_what_it_starts_starts(file: Path, noisystudent: Command) -> None:
    """All of the entry point is run; a server is asked for its help in place of being started, which other tests do."""
    words = [word for rest in of(file, "ENTRYPOINT", "CMD") for word in json.loads(rest)]
    commands = ours(words[2]) if words[:2] == ["sh", "-c"] else [words[1:]]
    assert commands
    for command in commands:
        line = [*command[: command.index("serve") + 1], "--help"] if "serve" in command else command
        done = noisystudent(*line)
        assert done.status == 0, done.stderr
        for option in (word for word in command if word.startswith("--") and "serve" in command):
            assert option in done.stdout, f"{file.name}: board serve has no {option}"


@pytest.mark.parametrize("file", FILES[:2], ids=lambda file: file.name)
def test_the_commands_in_its_head_are_commands_of_ours(file: Path) -> None:
    lines = re.findall(r"^#.*?  docker run (.+)$", file.read_text(), re.MULTILINE)
    assert len(lines) == 2
    for line in lines:
        words = shlex.split(re.sub(r"\$\([^)]*\)", "1000", line))
        image = next(i for i, word in enumerate(words) if re.fullmatch(r"noisystudent(-cuda)?", word))
        group, context = get_command(app), None
        rest = words[image + 1 :]
        while hasattr(group, "commands"):
            group = group.commands[rest.pop(0)]
        context = group.make_context("command", rest)
        assert context.params


def test_the_two_differ_in_where_pytorch_comes_from_alone() -> None:
    cpu, cuda = (instructions(file) for file in FILES[:2])
    assert [pair for pair in zip(cpu, cuda, strict=True) if pair[0] != pair[1]] == [(cpu[1], cuda[1])]
    assert cpu[1][1].replace("--index-url https://download.pytorch.org/whl/cpu ", "") == cuda[1][1]
