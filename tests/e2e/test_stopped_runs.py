"""Runs that stop: nothing passes the threshold, the loss is not a number, the disk is full, Ctrl-C, SIGTERM."""

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from user_inputs import Images, Server, weights

import noisystudent as ns

Configuration = Callable[..., Path]


def test_no_image_above_the_threshold_stops_with_the_highest_confidence(
    images: Images, configuration: Configuration, noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    config = configuration("teacher.steps=2", "select.threshold=1.0", generations=1)
    result = noisystudent("run", *images.options, "--config", config, "--out", "run")
    assert result.status == 2
    parts = (tmp_path / "run/gen-1/predictions").glob("part-*.parquet")
    highest = max(value for part in parts for value in pq.read_table(part)["confidence"].to_pylist())
    assert highest < 1
    expected = f"no pseudo-label reaches the threshold 1: of 24 images the most confident has {highest:.2f}. Lower it"
    assert expected in result.message
    assert list(weights(tmp_path / "run")) == ["gen-0"]
    select = ["select", "--predictions", "run/gen-1/predictions", "--out", "selection", "--threshold", "1"]
    alone = noisystudent(*select)
    assert alone.status == 2
    assert "no prediction in run/gen-1/predictions reaches the threshold 1: lower --threshold" in alone.message
    assert not (tmp_path / "selection").exists()


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (
            "data.val_fraction=0.2",
            "the network's outputs became infinite or not a number at step 1: ",
        ),  # it is validated
        ("data.val_fraction=0.0", "the loss became nan at step 2: "),
    ],
)
def test_a_loss_that_is_not_a_number_stops_the_run_and_names_the_step(
    setting: str,
    expected: str,
    images: Images,
    configuration: Configuration,
    noisystudent: Callable[..., Any],
    tmp_path: Path,
) -> None:
    diverging = ["teacher.learning_rate=1e30", "teacher.warmup_steps=0", "teacher.steps=6"]
    config = configuration(setting, *diverging, generations=0)
    result = noisystudent("run", *images.options, "--config", config, "--out", "run")
    assert result.status == 1
    assert result.stdout == ""
    assert expected in result.message
    assert "Try a lower learning_rate" in result.message
    assert not (tmp_path / "run/gen-0/model").exists()
    assert not (tmp_path / "run/results.json").exists()
    for line in (tmp_path / "run/gen-0/metrics.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=pytest.fail)


def test_a_student_that_diverges_on_the_way_keeps_its_last_checkpoint_and_its_teacher(
    images: Images, configuration: Configuration, noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    """With so large a rate the weight decay multiplies the weights at every step, until they overflow."""
    explosive = ["student.warmup_steps=0", "student.learning_rate=10", "student.weight_decay=0.1"]
    config = configuration("teacher.steps=2", *explosive, "execution.checkpoint_seconds=0", generations=1)
    command = ["run", *images.options, "--config", config, "--out", "run", "--quiet"]
    first = noisystudent(*command)
    assert first.status == 1
    (step,) = (int(number) for number in re.findall(r"at step (\d+)", first.message))
    assert step > 1
    checkpoint = torch.load(tmp_path / "run/gen-1/checkpoints/last.pt", weights_only=True)
    assert checkpoint["step"] == step - 1
    assert all(bool(torch.isfinite(value).all()) for value in checkpoint["average"].values())
    assert list(weights(tmp_path / "run")) == ["gen-0"]
    again = noisystudent(*command)
    assert (again.status, again.stderr.splitlines()[-1]) == (1, first.stderr.splitlines()[-1])
    predicted = noisystudent("predict", "--model", "run/gen-0", "--images", images.test, "--out", "out.csv", "--json")
    assert predicted.json["images"] == 16


def test_a_model_whose_weights_are_not_numbers_labels_nothing(
    finished: Any, noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    broken = ns.load_classifier(str(finished.folder / "gen-0"))
    next(broken.network.parameters()).data.fill_(float("nan"))
    broken.save(tmp_path / "broken")
    label = noisystudent("label", "--model", "broken", "--images", finished.images.unlabeled, "--out", "labels")
    assert label.status == 1
    assert "the network's outputs are infinite or not a number" in label.message
    evaluate = noisystudent("evaluate", "--model", "broken", "--data", finished.images.test, "--json")
    assert evaluate.status == 1
    assert not list((tmp_path / "labels").glob("*.parquet"))


# A full disk, which a limit on the size of files stands for: the same error comes from the same place.


@pytest.mark.parametrize(
    ("at", "count"),
    [
        ("", 0),  # the first checkpoint is the first file that is too large
        ("*/gen-0/checkpoints/last.pt", 12),  # the teacher's model
        ("*/.stages/gen-1.train.json", 1),  # labeling is done; the next student's checkpoint
    ],
)
def test_a_full_disk_is_told_in_one_message_and_the_same_command_goes_on(
    at: str,
    count: int,
    finished: Any,
    killed: Callable[..., None],
    noisystudent: Callable[..., Any],
    tmp_path: Path,
) -> None:
    command = [*finished.command, "--out", "run"]
    if at:
        killed(*command, at=at, count=count)
    before = weights(tmp_path / "run")
    size = (finished.folder / "gen-0/model/model.safetensors").stat().st_size
    full = noisystudent(*command, largest_file=size - 1)
    assert full.status == 1
    assert full.stdout == ""
    assert full.stderr.count("noisystudent: ") == 1
    assert "noisystudent: the disk is full" in full.message
    assert "free some space and give the same command again" in full.message
    assert weights(tmp_path / "run") == before
    assert not [path for path in (tmp_path / "run").rglob("*.tmp") if path.stat().st_size]
    assert noisystudent(*command).status == 0
    assert weights(tmp_path / "run") == weights(finished.folder)


# Signals come while a step is under way: before its line is written to metrics.jsonl.

RARELY = ("--set", "execution.checkpoint_seconds=1000", "--set", "execution.log_steps=1")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_training_with_a_checkpoint_from_which_it_goes_on_to_the_same_weights(
    number: signal.Signals, finished: Any, server: Server, noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    command = [*finished.command, *RARELY, "--out", "run"]
    moment = {"path": "*/gen-1/metrics.jsonl", "when": "open", "count": 4, "number": int(number)}
    stopped = server.wait(server.start(*command, folder=tmp_path, signal_at=moment))
    assert stopped.status == 128 + number
    assert stopped.stdout == ""
    checkpoint = torch.load(tmp_path / "run/gen-1/checkpoints/last.pt", weights_only=True)
    assert 0 < checkpoint["step"] < 12
    said = f"noisystudent: stopped at step {checkpoint['step']} of 12; the same command goes on from here"
    assert stopped.stderr.splitlines()[-1] == said
    assert not (tmp_path / "run/.holder.json").exists()
    assert noisystudent(*command).status == 0
    assert weights(tmp_path / "run") == weights(finished.folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_between_trainings_ends_at_once_with_its_status(
    number: signal.Signals, finished: Any, server: Server, noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    command = [*finished.command, "--out", "run", "--json"]
    moment = {"path": "*/gen-1/predictions/part-00001.parquet", "when": "after", "count": 1, "number": int(number)}
    stopped = server.wait(server.start(*command, folder=tmp_path, signal_at=moment))
    assert stopped.status == 128 + number
    assert stopped.json == {"error": "stopped; the same command goes on from here"}
    assert not (tmp_path / "run/gen-1/predictions/part-00002.parquet").exists()
    assert noisystudent(*command).status == 0
    assert weights(tmp_path / "run") == weights(finished.folder)
