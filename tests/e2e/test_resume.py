"""Given again on the same folder, a command goes on: whatever stopped it, the weights are those of an unbroken run."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from user_inputs import Server, weights

Killed = Callable[..., None]


def test_killed_in_every_stage_it_ends_with_the_weights_of_an_unbroken_run(
    finished: Any, killed: Killed, noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    command = [*finished.command, "--out", "run", "--json"]
    killed(*command, at="*/config.toml", when="before")
    killed(*command, at="*/data/unlabeled.parquet", when="after")
    killed(*command, at="*/.stages/prepare.json", when="before")
    killed(*command, at="*/gen-0/checkpoints/last.pt", when="after", count=5)
    killed(*command, at="*/gen-0/checkpoints/last.pt", when="before", count=2)
    killed(*command, at="*/gen-0/model", when="before")
    killed(*command, at="*/gen-0/results.json", when="after")
    killed(*command, at="*/gen-1/predictions/part-00001.parquet", when="before")
    killed(*command, at="*/gen-1/predictions/part-00001.parquet", when="after")
    killed(*command, at="*/data/leaks.parquet", when="before")
    killed(*command, at="*/gen-1/selection/selection.json", when="before")
    killed(*command, at="*/gen-1/checkpoints/last.pt", when="after", count=7)
    killed(*command, at="*/gen-1/model", when="after")
    killed(*command, at="*/gen-2/predictions/_skipped/part-00002.parquet", when="after")
    killed(*command, at="*/gen-2/checkpoints/last.pt", when="after", count=12)
    killed(*command, at="*/baseline/checkpoints/last.pt", when="after", count=3)
    killed(*command, at="*/report.html", when="before")
    result = noisystudent(*command)
    assert result.status == 0, result.stderr
    assert weights(tmp_path / "run") == weights(finished.folder)
    for name in ("gen-1", "gen-2"):
        selections = [run / name / "selection" / "selection.parquet" for run in (tmp_path / "run", finished.folder)]
        assert pq.read_table(selections[0]).equals(pq.read_table(selections[1]))
    assert [row["metrics"] for row in result.json["rows"]] == [row["metrics"] for row in finished.result.json["rows"]]
    for network in ("gen-0", "gen-1", "gen-2", "baseline"):
        logs = [(run / network / "metrics.jsonl").read_text() for run in (tmp_path / "run", finished.folder)]
        broken, whole = ([json.loads(line) for line in log.splitlines()] for log in logs)
        assert [line["step"] for line in broken if "val_top1" in line] == [
            line["step"] for line in whole if "val_top1" in line
        ]
    assert not list((tmp_path / "run").rglob("*.tmp"))


@pytest.mark.slow
def test_killed_from_outside_at_any_moment_it_goes_on(finished: Any, server: Server, tmp_path: Path) -> None:
    """As a user does it: the installed command, kill -9 by process id, and the same command again."""
    script = Path(sys.executable).with_name("noisystudent")
    command = [*finished.command, "--out", str(tmp_path / "run")]
    process = subprocess.Popen([script, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not list((tmp_path / "run").glob("gen-1/checkpoints/last.pt")):
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert (tmp_path / "run" / "gen-1" / "checkpoints" / "last.pt").exists()
    again = server.wait(server.start(*command, folder=tmp_path))
    assert again.status == 0, again.stderr
    assert weights(tmp_path / "run") == weights(finished.folder)


def test_a_finished_run_given_again_changes_nothing(finished: Any, noisystudent: Callable[..., Any]) -> None:
    files = [path for path in finished.folder.rglob("*") if path.is_file() and path.suffix in (".safetensors", ".pt")]
    files += [*finished.folder.rglob("*.parquet"), *finished.folder.rglob("metrics.jsonl")]
    before = {path: path.stat().st_mtime_ns for path in files}
    page = (finished.folder / "report.html").read_bytes()
    again = noisystudent(*finished.command, "--out", finished.folder, "--json")
    assert again.status == 0, again.stderr
    assert again.json == finished.result.json
    assert len(before) > 20
    assert {path: path.stat().st_mtime_ns for path in files} == before
    assert (finished.folder / "report.html").read_bytes() == page


def test_a_second_process_on_a_folder_is_told_who_holds_it(
    finished: Any, server: Server, noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    command = [*finished.command, "--out", "run"]
    pause = {"path": "*/gen-0/checkpoints/last.pt", "when": "after", "count": 3, "number": int(signal.SIGSTOP)}
    first = server.start(*command, folder=tmp_path, signal_at=pause)
    assert server.wait_until_stopped(first)
    try:
        second = noisystudent(*command)
        assert second.status == 2
        assert f"run is in use by process {first} on " in second.message
        assert second.stdout == ""
        reading = noisystudent("report", "run")
        assert reading.status == 0, reading.stderr
    finally:
        server.resume(first)
    assert server.wait(first).status == 0
    assert weights(tmp_path / "run") == weights(finished.folder)


def test_a_changed_configuration_is_refused_and_its_differences_are_named(
    finished: Any, noisystudent: Callable[..., Any]
) -> None:
    before = (finished.folder / "config.toml").read_bytes(), weights(finished.folder)
    changes = ["--set", "teacher.steps=13", "--set", "student.noise.randaugment=false", "--set", "seed=3"]
    result = noisystudent(*finished.command, "--out", finished.folder, *changes)
    assert result.status == 2
    assert "teacher.steps: 13, not 12" in result.message
    assert "generations.1.student.noise.randaugment" in result.message
    assert "seed: 3, not 0" in result.message
    assert "learning_rate" not in result.message
    assert ((finished.folder / "config.toml").read_bytes(), weights(finished.folder)) == before


@pytest.mark.parametrize("rows", [7, 100])
def test_how_a_run_is_carried_out_may_change_while_it_lasts(
    rows: int, finished: Any, killed: Killed, noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    command = [*finished.command, "--out", "run"]
    killed(*command, at="*/gen-1/predictions/part-00001.parquet", when="after")
    changed = ["execution.workers=1", "execution.log_steps=1", f"execution.part_rows={rows}"]
    killed(
        *command, *(word for setting in changed for word in ("--set", setting)), at="*/gen-1/selection/selection.json"
    )
    parts = sorted((tmp_path / "run" / "gen-1" / "predictions").glob("part-*.parquet"))
    ids = [id for part in parts for id in pq.read_table(part)["id"].to_pylist()]
    assert len(ids) == 24
    assert ids == pq.read_table(tmp_path / "run" / "data" / "unlabeled.parquet")["id"].to_pylist()
    ours, theirs = (run / "gen-1" / "selection" / "selection.parquet" for run in (tmp_path / "run", finished.folder))
    assert pq.read_table(ours).equals(pq.read_table(theirs))


def test_a_mistyped_source_does_not_spoil_the_folder(finished: Any, noisystudent: Callable[..., Any]) -> None:
    rest = ["--config", finished.configuration, "--out", "run", "--set", "teacher.steps=2", "--set", "generations=[]"]
    wrong = noisystudent("run", "--labeled", "labled", *rest)
    assert wrong.status == 2
    assert "/labled' does not exist" in wrong.message
    right = noisystudent("run", "--labeled", finished.images.labeled, *rest)
    assert right.status == 0, right.stderr


def test_labeling_goes_on_where_it_was_killed(
    finished: Any, killed: Killed, noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    command = ["label", "--model", finished.folder / "gen-0", "--images", finished.images.unlabeled, "--out", "labels"]
    killed(*command, at="*/part-00000.parquet", when="before")
    assert noisystudent(*command).status == 0
    part = tmp_path / "labels" / "part-00000.parquet"
    before = part.stat().st_mtime_ns
    again = noisystudent(*command, "--json")
    assert again.json["images"] == 24
    assert part.stat().st_mtime_ns == before
