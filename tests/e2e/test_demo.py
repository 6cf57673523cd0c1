"""The demo as the README gives it, in a process of its own. It takes minutes, so that `make test` leaves it to .ci/run."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest


def noisystudent(*arguments: str) -> str:
    command = [str(Path(sys.executable).with_name("noisystudent")), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_demo_makes_a_student_that_is_better_than_its_teacher_and_labels_images(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    run = json.loads(noisystudent("demo", "--out", str(out), "--json"))["runs"][0]
    top1 = {row["name"]: row["metrics"]["top1"] for row in run["results"]["rows"]}
    students = [name for name in top1 if name.startswith("student")]
    assert len(students) >= 3
    assert top1[students[-1]] > top1["teacher"] + 2
    assert top1[students[-1]] > 85
    assert "baseline" in top1
    assert (out / "run-0" / "report.html").stat().st_size > 50_000

    labels = tmp_path / "labels.csv"
    noisystudent(
        "predict", "--model", str(out / "run-0"), "--images", str(out / "images-0" / "test"), "--out", str(labels)
    )
    rows = list(csv.DictReader(labels.open()))
    right = sum(Path(row["id"]).parts[0] == row["label"] for row in rows)
    best = json.loads((out / "run-0" / "results.json").read_text())["best"]
    assert 100 * right / len(rows) == pytest.approx(top1[f"student {best.removeprefix('gen-')}"])
