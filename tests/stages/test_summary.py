import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noisystudent import atomic
from noisystudent.config import Config, Generation, Training
from noisystudent.evaluation.choice import choose
from noisystudent.evaluation.intervals import wilson_interval
from noisystudent.rundir import RunDir
from noisystudent.stages.summary import summarize

STUDENT = Generation(student=Training(model="x", unlabeled_ratio=1.0))
CONFIG = Config(teacher=Training(model="x"), generations=(STUDENT, STUDENT))


def network(folder: Path, val: str = "", test: str = "") -> None:
    """The results of one network: on which validation and test images it was right (+)."""
    results: dict[str, Any] = {"split": "test" if test else "val" if val else None, "metrics": {}, "ci95": {}, "n": 0}
    for split, signs in (("val", val), ("test", test)):
        if not signs:
            continue
        right, n = signs.count("+"), len(signs)
        results[split] = {"metrics": {"top1": 100 * right / n}, "ci95": {"top1": wilson_interval(right, n)}, "n": n}
        results |= results[split]
        table = {
            "id": [f"{i}" for i in range(n)],
            "label": [0] * n,
            "predicted": [0 if sign == "+" else 1 for sign in signs],
        }
        (folder / "evaluation").mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(table), folder / "evaluation" / f"{split}.parquet")
    atomic.write_json(folder / "results.json", results)


def test_five_validation_images_hand_on_the_last_student_whoever_has_more_of_them(tmp_path: Path) -> None:
    """By the highest accuracy the teacher would be handed on: by one image."""
    run = RunDir(tmp_path)
    for number, (val, test) in enumerate([("+++++", "+-------"), ("++---", "+-------"), ("++++-", "++++++++")]):
        network(run.generation(number), val, test)
    network(run.baseline, "+++++", "++++----")
    results = summarize(run, CONFIG)
    assert results["best"] == "gen-2"
    assert results["choice"] == {
        "network": "student 2",
        "folder": "gen-2",
        "why": "the last student; no other network was better beyond doubt on 5 validation images",
        "n": 5,
        "p": 1.0,
        "split": "val",
    }
    assert (tmp_path / "best").resolve() == (tmp_path / "gen-2").resolve()
    assert [row["name"] for row in results["rows"]] == ["teacher", "student 1", "student 2", "baseline"]
    assert json.loads((tmp_path / "results.json").read_text())["best"] == "gen-2"


def test_a_network_that_is_better_beyond_doubt_is_handed_on_and_test_images_do_not_choose(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    for number, (val, test) in enumerate([(20, "--------"), (36, "+-------"), (20, "++++++++")]):
        network(run.generation(number), "+" * val + "-" * (40 - val), test)
    network(run.baseline, "+" * 40, "++++----")
    choice = summarize(run, CONFIG)["choice"]
    assert (choice["network"], choice["n"], choice["split"]) == ("student 1", 40, "val")
    assert choice["p"] == pytest.approx(
        2 * 2 * 0.5**16
    )  # sixteen images gained and none lost, corrected for two comparisons
    assert "better than student 2 beyond doubt: +40.0 points on 40 validation images" in choice["why"]


def test_the_p_of_several_comparisons_is_corrected(tmp_path: Path) -> None:
    """Six images gained of six that differ are p = 0.031: of one comparison beyond doubt, of two not."""
    network(tmp_path / "gen-0", "+" * 6 + "-" * 4)
    network(tmp_path / "gen-1", "-" * 10)
    network(tmp_path / "gen-2", "-" * 10)
    folders = {name: tmp_path / folder for name, folder in (("teacher", "gen-0"), ("student 1", "gen-1"))}
    assert choose(folders)["network"] == "teacher"
    assert choose({**folders, "student 2": tmp_path / "gen-2"})["network"] == "student 2"


def test_the_last_student_is_compared_with_the_teacher_and_the_baseline(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    for number, test in enumerate(["++------", "+++-----", "++++++--"]):
        network(run.generation(number), test=test)
    network(run.baseline, test="++++----")
    differences = summarize(run, CONFIG)["differences"]
    assert [(d["better"], d["than"], d["split"], d["points"], d["n"]) for d in differences] == [
        ("student 2", "teacher", "test", 50.0, 8),
        ("student 2", "baseline", "test", 25.0, 8),
    ]


def test_without_held_out_data_the_last_generation_is_the_best_and_nothing_is_compared(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    for number in range(3):
        network(run.generation(number))
    results = summarize(run, CONFIG)
    assert results["best"] == "gen-2"
    assert results["differences"] == []
    assert results["choice"]["why"] == "the last student; there were no validation images to compare networks on"
    assert results["answer"]["verdict"] == "not measured"


def test_a_teacher_alone_is_summarized_and_the_link_can_be_made_again(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    network(run.generation(0), test="+-")
    for _ in range(2):
        results = summarize(run, CONFIG)
        assert (tmp_path / "best").readlink() == Path("gen-0")
    assert [row["name"] for row in results["rows"]] == ["teacher"]
    assert results["differences"] == []


def test_the_gain_is_that_over_the_better_of_the_labels_only_networks(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    for number, right in enumerate([50, 70, 90]):
        network(run.generation(number), test="+" * right + "-" * (100 - right))
    network(run.baseline, test="+" * 60 + "-" * 40)
    answer = summarize(run, CONFIG)["answer"]
    assert (answer["verdict"], answer["than"], answer["points"]) == ("yes", "baseline", 30)
    assert answer["sentence"].startswith(
        "Yes: the images without labels raised accuracy from 60.0 % to 90.0 % (+30.0 points, 95 %"
    )
    assert "the better of the two networks that saw labels only (the baseline)" in " ".join(answer["more"])


def test_a_few_images_prove_nothing_and_have_no_interval(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    for number, right in enumerate(["+--", "+--", "+++"]):
        network(run.generation(number), test=right)
    answer = summarize(run, CONFIG)["answer"]
    assert answer["verdict"] == "not clearly"
    assert "(+66.7 points, p = 0.5, 3 test images)" in answer["sentence"]
    assert any(advice.startswith("Only 3 images were held out") for advice in answer["advice"])


def test_a_lone_student_is_compared_with_the_baseline_only(tmp_path: Path) -> None:
    """As `noisystudent student` leaves it: a first generation without a teacher."""
    run = RunDir(tmp_path)
    network(run.generation(1), test="++--")
    network(run.baseline, test="+---")
    results = summarize(run, CONFIG)
    assert results["best"] == "gen-1"
    assert [d["than"] for d in results["differences"]] == ["baseline"]
