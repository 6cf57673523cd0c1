import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from noisystudent import atomic
from noisystudent.config import Config, Generation, Training
from noisystudent.rundir import RunDir
from noisystudent.stages.summary import summarize

STUDENT = Generation(student=Training(model="x", unlabeled_ratio=1.0))
CONFIG = Config(teacher=Training(model="x"), generations=(STUDENT, STUDENT))


def network(folder: Path, val: float | None, test: str | None = None) -> None:
    """The results of one network: validation accuracy, and on which test images it was right."""
    results: dict[str, Any] = {
        "split": "test" if test else "val" if val is not None else None,
        "metrics": {"top1": val},
    }
    if val is not None:
        results["val"] = {"metrics": {"top1": val}}
    atomic.write_json(folder / "results.json", results)
    if test:
        (folder / "evaluation").mkdir()
        table = {
            "id": [f"{i}" for i in range(len(test))],
            "label": [0] * len(test),
            "predicted": [0 if sign == "+" else 1 for sign in test],
        }
        pq.write_table(pa.table(table), folder / "evaluation" / "test.parquet")


def test_validation_data_choose_the_best_generation_and_test_data_do_not(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    for number, (val, test) in enumerate([(70, "--------"), (90, "+-------"), (80, "++++++++")]):
        network(run.generation(number), val, test)
    network(run.baseline, 95, "++++----")
    results = summarize(run, CONFIG)
    assert results["best"] == "gen-1"
    assert (tmp_path / "best").resolve() == (tmp_path / "gen-1").resolve()
    assert [row["name"] for row in results["rows"]] == ["teacher", "student 1", "student 2", "baseline"]
    assert json.loads((tmp_path / "results.json").read_text())["best"] == "gen-1"


def test_the_last_student_is_compared_with_the_teacher_and_the_baseline(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    for number, test in enumerate(["++------", "+++-----", "++++++--"]):
        network(run.generation(number), 50, test)
    network(run.baseline, 50, "++++----")
    differences = summarize(run, CONFIG)["differences"]
    assert [(d["better"], d["than"], d["split"], d["points"], d["n"]) for d in differences] == [
        ("student 2", "teacher", "test", 50.0, 8),
        ("student 2", "baseline", "test", 25.0, 8),
    ]


def test_of_equal_generations_the_later_is_the_best(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    for number, val in enumerate([80, 90, 90]):
        network(run.generation(number), val, "+-")
    assert summarize(run, CONFIG)["best"] == "gen-2"


def test_without_held_out_data_the_last_generation_is_the_best_and_nothing_is_compared(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    for number in range(3):
        network(run.generation(number), None)
    results = summarize(run, CONFIG)
    assert results["best"] == "gen-2"
    assert results["differences"] == []


def test_a_teacher_alone_is_summarized_and_the_link_can_be_made_again(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    network(run.generation(0), 60, "+-")
    for _ in range(2):
        results = summarize(run, CONFIG)
        assert (tmp_path / "best").readlink() == Path("gen-0")
    assert [row["name"] for row in results["rows"]] == ["teacher"]
    assert results["differences"] == []


def test_a_lone_student_is_compared_with_the_baseline_only(tmp_path: Path) -> None:
    """As `noisystudent student` leaves it: a first generation without a teacher."""
    run = RunDir(tmp_path)
    network(run.generation(1), 60, "++--")
    network(run.baseline, 60, "+---")
    results = summarize(run, CONFIG)
    assert results["best"] == "gen-1"
    assert [d["than"] for d in results["differences"]] == ["baseline"]
