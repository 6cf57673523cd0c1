"""What is wrong with a command is said before PyTorch is loaded, which takes seconds."""

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.main import get_command
from typer.testing import CliRunner

from noisystudent.cli import app

SLOW = ("torch", "timm", "torchvision", "duckdb", "scipy", "sklearn", "matplotlib", "pandas")
PROGRAM = f"""
import sys
from noisystudent.cli import main
try:
    main()
finally:
    print("loaded:", *sorted(set(sys.modules) & set({SLOW!r})))
"""


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--version"], 0, "noisystudent 0."),
        (["-h"], 0, "Usage:"),
        (["run", "-h"], 0, "--labeled"),
        (["board", "-h"], 0, "Usage:"),
        (["rnu"], 2, "Did you mean 'run'"),
        (["run", "--labelled", "x"], 2, "--labeled"),
        (["run"], 2, "--labeled is missing"),
        (["run", "--labeled", "x", "--unlabeled", "y"], 2, "--out is missing"),
        (
            ["run", "--recipe", "photo-fast"],
            2,
            "there is no recipe 'photo-fast' (did you mean 'photos-fast'?); there are photos-fast",
        ),
        (["run", "--recipe", "nothing"], 2, "there is no recipe 'nothing'; there are photos-fast, photos-instant"),
        (["run", "--set", "steps=5"], 2, "did you mean teacher.steps or student.steps?"),
        (["run", "--set", "teacher.steps=many"], 2, "teacher.steps"),
        (["run", "--config", "nowhere.toml"], 2, "nowhere.toml"),
        (["train", "--out", "x", "--set", "a"], 2, "write KEY=VALUE"),
        (["run", "--weights", "nowhere"], 2, "there is no model at"),
        (["recipes"], 0, "photos-instant"),
        (["run", "--labeled", "nowhere", "--unlabeled", "x*y", "--out", "out"], 2, "/x*y' does not exist"),
        (["run", "--labeled", ".", "--unlabeled", "nowhere", "--dry-run"], 2, "/nowhere' does not exist"),
        (["train", "--labeled", "nowhere", "--out", "out"], 2, "/nowhere' does not exist"),
        (["student", "--labeled", ".", "--selection", "s", "--out", "out"], 2, "--unlabeled is missing"),
        (["predict", "--model", "./m", "--images", "nowhere", "--out", "o.csv"], 2, "--model: there is no model at m"),
        (["predict", "--model", "resnet18", "nowhere"], 2, "--images: 'nowhere' does not exist"),
        (["predict", "--model", "resnet18", "a", "b"], 2, "--images: 'a', 'b' cannot be read"),
        (["predict", "--model", "resnet18", ".", "--top-k", "2", "--probabilities"], 2, "give one of them"),
        (
            ["predict", "--model", "resnet18", ".", "--format", "jsonl", "--out", "o.csv"],
            2,
            "--format jsonl is for standard",
        ),
        (["embed", "--model", "resnet18"], 2, "no images were named"),
        (["embed", "--model", "resnet18", ".", "--out", "o.txt"], 2, "end it in .csv, .jsonl or .parquet"),
        (["label", "--model", "resnet18", "--images", "{a,b}.tar", "--out", "o"], 2, "'a.tar', 'b.tar' does not exist"),
        (["evaluate", "--model", "resnet18", "--data", "nowhere"], 2, "--data: 'nowhere' does not exist"),
        (["profile", "resnet18", "--device", "tpu"], 2, "--device: device = 'tpu': should be auto, cpu"),
    ],
)
def test_an_answer_that_needs_no_network_loads_none(words: list[str], status: int, said: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert ended.returncode == status, ended.stderr
    assert said in " ".join((ended.stdout + ended.stderr).split())
    assert ended.stdout.splitlines()[-1].strip() == "loaded:"
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


def all_commands(group: Any = None, *before: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The words and the command of each, those of `board` and `board token` too."""
    for name, command in (group or get_command(app)).commands.items():
        of_group = hasattr(command, "commands")
        yield from all_commands(command, *before, name) if of_group else [((*before, name), command)]


@pytest.mark.parametrize(("name", "command"), [pytest.param(*found, id=" ".join(found[0])) for found in all_commands()])
def test_every_command_has_an_example_whose_options_exist(name: tuple[str, ...], command: Any) -> None:
    shown = CliRunner().invoke(app, [*name, "--help"], env={"COLUMNS": "60"}).output
    (example,) = re.findall(r"^ *(noisystudent .+)$", shown.partition("Example:")[2], re.MULTILINE)
    words = shlex.split(example)
    assert words[: 1 + len(name)] == ["noisystudent", *name]
    command.make_context(name[-1], words[1 + len(name) :])  # parses them, and refuses what is unknown or missing


@pytest.mark.parametrize("name", [*(found[0] for found in all_commands()), ("board", "token")])
def test_a_command_with_two_letters_exchanged_is_suggested(name: tuple[str, ...]) -> None:
    *before, word = name
    ended = CliRunner().invoke(app, [*before, word[1] + word[0] + word[2:]])
    assert ended.exit_code == 2
    assert f"'{word}'" in ended.output.partition("Did you mean")[2]


def test_selecting_and_reassigning_load_no_pytorch(tmp_path: Path) -> None:
    table = {"id": ["a", "b"], "label": pa.array([0, 1], pa.int32()), "confidence": pa.array([0.9, 0.8], pa.float32())}
    pq.write_table(pa.table(table), tmp_path / "part-00000.parquet")
    select = ["select", "--predictions", ".", "--out", "chosen", "--per-class", "3", "--memory", "0.5"]
    reassign = ["reassign", "--predictions", ".", "--selection", "chosen", "--out", "anew", "--spill-folder", "."]
    for words in (select, reassign):
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, cwd=tmp_path, check=False
        )
        assert ended.returncode == 0, ended.stderr
        assert "duckdb" in (loaded := ended.stdout.splitlines()[-1])
        assert not set(loaded.split()) & {"torch", "timm", "torchvision"}
    assert sum(pq.read_table(tmp_path / "anew" / "selection.parquet")["copies"].to_pylist()) == 6


@pytest.mark.parametrize(
    "words",
    [
        ["label", "--images", ".", "--out", "out", "--model"],
        ["predict", "--images", ".", "--out", "labels.csv", "--model"],
        ["evaluate", "--data", ".", "--model"],
        ["profile"],
    ],
)
def test_a_device_that_is_not_there_is_told(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ended = CliRunner().invoke(app, [*words, "resnet18", "--device", "cuda:77"])
    assert ended.exit_code == 2
    assert "the device cuda:77 (execution.device, --device) is not on this machine" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_module_is_the_command() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "noisystudent", "--version"], capture_output=True, text=True, check=True
    )
    assert ended.stdout.startswith("noisystudent 0.")


def test_who_reads_the_output_may_have_enough_of_it() -> None:
    """As `noisystudent predict ... | head` does."""
    program = """
import typer
from noisystudent.cli_command import commands_of
app = typer.Typer()
@commands_of(app)(example="talk")
def talk(as_json=False, quiet=False):
    for number in range(10**6):
        print(number)
    return {}, print
app()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as talking:
        assert talking.stdout
        assert talking.stderr
        assert talking.stdout.readline() == b"0\n"
        talking.stdout.close()
        assert talking.stderr.read() == b""
    assert talking.returncode == 128 + signal.SIGPIPE
