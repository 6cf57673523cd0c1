"""A run on a real Ray of two workers, of which one is killed while it labels and one while it trains."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from kills import RAY_WORKER, processes_below
from safetensors.torch import load_file
from user_inputs import Images

Configuration = Callable[..., Path]
pytest.importorskip("ray")


def kill_one_when(there: Path, command: subprocess.Popen[str]) -> None:
    """Kill (SIGKILL) the second worker as soon as a file is there."""
    while not there.exists():
        assert command.poll() is None, "the run ended before it was there"
        time.sleep(0.02)
    os.kill(max(processes_below(command.pid, RAY_WORKER)), signal.SIGKILL)


@pytest.mark.slow
def test_a_run_of_two_workers_goes_on_when_one_is_killed(
    images: Images, configuration: Configuration, noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    settings = ["execution.part_rows=2", "execution.checkpoint_seconds=0", "student.steps=60", "select.per_class=0"]
    config = configuration(*settings, "execution.ray_workers=2", generations=1)
    run = ["run", *map(str, images.options), "--config", str(config), "--json"]
    assert noisystudent(*run, "--out", "one").status == 0
    command = subprocess.Popen(
        [sys.executable, "-m", "noisystudent", *run, "--engine", "ray", "--out", "two"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    killed: list[str] = []
    for there in ("gen-1/predictions/part-00002.parquet", "gen-1/checkpoints/last.pt"):
        kill_one_when(tmp_path / "two" / there, command)
        killed.append(there)
    out, _ = command.communicate()
    assert command.returncode == 0
    assert len(killed) == 2
    assert json.loads(out)["best"] == "gen-1"
    one, two = (pq.read_table(tmp_path / run / "gen-1/predictions").to_pydict() for run in ("one", "two"))
    assert (one["id"], one["label"]) == (two["id"], two["label"])  # each image once
    assert len(list((tmp_path / "two/gen-1/predictions").glob("part-*.parquet"))) == 12
    teachers = [load_file(tmp_path / run / "gen-0/model/model.safetensors") for run in ("one", "two")]
    assert max(float((teachers[0][n].double() - teachers[1][n].double()).abs().max()) for n in teachers[0]) < 1e-4
    assert not list(tmp_path.glob(".two.ray-*"))


@pytest.mark.slow
def test_what_a_worker_refuses_is_told_as_without_ray(
    images: Images, configuration: Configuration, noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "one-class").mkdir()
    (images.labeled / "disk").rename(tmp_path / "one-class" / "disk")
    sources = ["--labeled", tmp_path / "one-class", "--unlabeled", images.unlabeled]
    told = [
        noisystudent("run", *sources, "--config", configuration(generations=1), "--engine", engine, "--out", engine)
        for engine in ("local", "ray")
    ]
    assert [result.status for result in told] == [2, 2]
    alone, by_worker = (result.stderr.rpartition("noisystudent: ")[2] for result in told)
    assert alone == by_worker


@pytest.mark.slow
def test_two_runs_at_once_have_a_cluster_each(images: Images, configuration: Configuration, tmp_path: Path) -> None:
    config = configuration("teacher.steps=20", generations=0)
    run = ["run", *map(str, images.options), "--config", str(config), "--engine", "ray"]
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "noisystudent", *run, "--json", "--out", out],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for out in ("one", "other")
    ]
    told = [command.communicate() for command in started]
    assert [command.returncode for command in started] == [0, 0], told
    assert [json.loads(out)["best"] for out, _ in told] == ["gen-0", "gen-0"]
    assert not [error for _, error in told if "multiple active Ray instances" in error], told


@pytest.mark.slow
def test_a_ray_that_does_not_start_is_one_message(images: Images, configuration: Configuration, tmp_path: Path) -> None:
    (tmp_path / "no-folder").touch()
    run = ["run", *map(str, images.options), "--config", str(configuration()), "--engine", "ray", "--out", "run"]
    told = subprocess.run(
        [sys.executable, "-m", "noisystudent", *run],
        cwd=tmp_path,
        env={**os.environ, "RAY_TMPDIR": str(tmp_path / "no-folder")},
        capture_output=True,
        text=True,
    )
    assert told.returncode == 1
    assert "noisystudent: Ray did not start on this machine ([Errno 20] Not a directory: " in told.stderr
    assert "Traceback" not in told.stderr
