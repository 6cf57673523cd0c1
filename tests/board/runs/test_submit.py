"""Runs of ours on a leaderboard: values in its units, provenance, intervals, and what is refused."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisystudent.board import seed
from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.store import Store
from noisystudent.board.runs.columns import Column
from noisystudent.board.runs.folder import read_run, without_folders
from noisystudent.board.runs.submit import submit_run
from noisystudent.errors import UserError

IMAGENET = {"task": "Image Classification", "dataset": "ImageNet", "actor": "anna"}


def network(name: str, folder: str, top1: float, seed: int, **more: Any) -> dict[str, Any]:
    """A row of a run's results.json."""
    found: dict[str, Any] = {
        "name": name,
        "model": "efficientnet_b0",
        "data": "/home/anna/data/val",
        "split": "test",
        "metrics": {"top1": top1, "top5": top1 + 10, "nll": 1.0, "ece": 3.0, "params": 5_288_548, "macs": 3.9e8},
        "ci95": {"top1": [top1 - 0.4, top1 + 0.4], "top5": [top1 + 9.7, top1 + 10.3], "nll": [0.9, 1.1]},
        "n": 50_000,
        "seed": seed,
        "seconds": 10.0,
        "provenance": {"run": "/home/anna/run", "folder": folder, "recipe": "imagenet-b0"},
    }
    found["metrics"] |= more.pop("metrics", {})
    return found | more


def write_run(folder: Path, top1: float = 78.7, *, seed: int = 0, baseline: float = 76.0, **more: Any) -> Path:
    """The files of a finished run that the board reads."""
    folder.mkdir()
    rows = [
        network("teacher", "gen-0", 76.5, seed),
        network("student 1", "gen-1", top1, seed, **more),
        network("baseline", "baseline", baseline, seed),
    ]
    (folder / "results.json").write_text(json.dumps({"best": "gen-1", "rows": rows, "differences": []}))
    (folder / "config.toml").write_text(
        f'seed = {seed}\n[data]\nlabeled = "/home/anna/secret project/labeled"\nunlabeled = "hf:a/b"\n'
    )
    environment = {
        "started": "2026-11-20T10:00:00+0000",
        "command": [
            "/home/anna/.venv/bin/noisystudent",
            "run",
            "--labeled",
            "/home/anna/secret project/labeled",
            "--out=/tmp/x/run",
        ],
        "seed": seed,
        "python": "3.11.7",
        "packages": {"torch": "2.14.1"},
        "git_commit": "0123456789abcdef",
        "machine": {"system": "Linux", "processor": "Some CPU", "cores": 4},
    }
    (folder / "environment.json").write_text(json.dumps(environment))
    return folder


@pytest.fixture
def seeded(store: Store) -> Store:
    seed.load(store, actor="operator")
    return store


def run_rows(store: Store) -> list[sqlite3.Row]:
    with store.reading() as connection:
        return connection.execute(
            "SELECT r.*, run.*, m.name AS model FROM result r JOIN run ON run.result_id = r.id JOIN model m ON m.id = r.model_id "
            "WHERE r.retired_by IS NULL ORDER BY r.id"
        ).fetchall()


# On the leaderboard


def test_three_seeds_are_one_result_beside_the_claim(seeded: Store, tmp_path: Path) -> None:
    accuracies = [78.6, 78.7, 79.1]
    runs = [write_run(tmp_path / f"run-{i}", top1, seed=i) for i, top1 in enumerate(accuracies)]
    told = submit_run(seeded, runs, paper="1911.04252", claim_model="noisystudent (efficientnet-b0)", **IMAGENET)
    assert told["claim"]["model"] == "NoisyStudent (EfficientNet-B0)"
    assert told["values"] == {
        "Top 1 Accuracy": f"{np.mean(accuracies):.2f} ± {np.std(accuracies, ddof=1):.2f}%",
        "Top 5 Accuracy": "88.80 ± 0.26%",
        "Number of params": "5.29M",
        "GFLOPs": "0.39",
    }
    assert told["left_out"] == ["nll", "ece"]
    verdict = next(row for row in told["verdicts"] if row["metric"] == "Top 1 Accuracy")
    assert (verdict["verdict"], verdict["seeds"], verdict["images"]) == ("reproduced", [0, 1, 2], 50_000)
    # Student's interval over 3 seeds (t = 4.303) and the images' 0.4, added as independent errors are.
    half = np.hypot(0.4, 4.302653 * np.std(accuracies, ddof=1) / np.sqrt(3))
    assert verdict["interval"] == pytest.approx([np.mean(accuracies) - half, np.mean(accuracies) + half], abs=1e-4)


def test_the_provenance_is_whole_and_names_no_folder_of_the_machine(seeded: Store, tmp_path: Path) -> None:
    submit_run(seeded, [write_run(tmp_path / "run-7", seed=7)], **IMAGENET)
    (row,) = run_rows(seeded)
    assert row["command"] == "noisystudent run --labeled labeled --out=run"
    assert row["git_commit"] == "0123456789abcdef"
    assert (row["folder"], row["locator"], row["seeds"], row["images"]) == ("run-7", "run-7", "[7]", 50_000)
    assert row["evaluated_on"] == "2026-11-20"
    assert row["kind"] == "run"
    assert row["model"] == "efficientnet_b0"
    assert 'labeled = "labeled"' in row["config"]
    assert 'unlabeled = "hf:a/b"' in row["config"]
    environment = json.loads(row["environment"])
    assert environment["runs"][0]["machine"] == {"system": "Linux", "processor": "Some CPU", "cores": 4}
    assert environment["baseline"]["Top 1 Accuracy"] == 76.0
    assert all(secret not in "".join(map(str, tuple(row))) for secret in ("/home", "secret project", "/tmp"))


def test_the_same_runs_again_change_nothing_and_a_claim_can_be_added_later(seeded: Store, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    first = submit_run(seeded, [run], **IMAGENET)
    assert first["new"]
    with seeded.reading() as connection:
        events = connection.execute("SELECT count(*) FROM event").fetchone()[0]
    again = submit_run(seeded, [run], **IMAGENET)
    assert (again["new"], again["result"]) == (False, first["result"])
    with seeded.reading() as connection:
        assert connection.execute("SELECT count(*) FROM event").fetchone()[0] == events
    later = submit_run(seeded, [run], claim_model="NoisyStudent (EfficientNet-B0)", **IMAGENET)
    assert later["claim"]["model"] == "NoisyStudent (EfficientNet-B0)"
    (row,) = run_rows(seeded)
    assert row["supersedes"] == first["result"]


def test_a_run_on_ten_digits_is_not_comparable_with_imagenet(seeded: Store, tmp_path: Path) -> None:
    digits = {"n": 360, "test": {"n": 360, "per_class": [{"name": str(digit), "n": 36} for digit in range(10)]}}
    runs = [write_run(tmp_path / f"run-{i}", 99.0, seed=i, **digits) for i in range(3)]
    beside = {"claim_model": "NoisyStudent (EfficientNet-B0)", **IMAGENET}
    told = submit_run(seeded, runs, **beside)
    assert {row["verdict"] for row in told["verdicts"]} == {"not comparable"}
    assert "among 10 classes" in told["verdicts"][0]["basis"]
    said = submit_run(seeded, runs, protocol="proxy", **beside)
    assert (said["new"], said["result"] != told["result"]) == (False, True)
    assert {row["protocol"]["kind"] for row in said["verdicts"]} == {"proxy"}
    assert submit_run(seeded, runs, **beside)["result"] == said["result"]  # what was said once stays said
    assert len(run_rows(seeded)) == 1


def test_too_few_seeds_are_pending(seeded: Store, tmp_path: Path) -> None:
    told = submit_run(seeded, [write_run(tmp_path / "run")], claim_model="NoisyStudent (EfficientNet-B0)", **IMAGENET)
    assert {row["metric"]: row["verdict"] for row in told["verdicts"]}["Top 1 Accuracy"] == "pending"


def test_released_weights_that_were_only_measured_need_no_seeds(seeded: Store, tmp_path: Path) -> None:
    file = tmp_path / "b7.json"
    results = network("", "", 86.85, 0) | {
        "suites": {},
        "provenance": {"model": "/home/anna/models/b7", "architecture": "tf_efficientnet_b7", "sha256": "ab"},
    }
    file.write_text(json.dumps(results))
    told = submit_run(
        seeded,
        [file],
        paper="self-training-with-noisy-student-improves",
        claim_model="NoisyStudent (EfficientNet-B7)",
        **IMAGENET,
    )
    assert {row["metric"]: row["verdict"] for row in told["verdicts"]}["Top 1 Accuracy"] == "reproduced"
    (row,) = run_rows(seeded)
    assert (row["seeds"], row["config"]) == ("[]", "")
    assert json.loads(row["environment"])["runs"][0]["weights"] == {
        "model": "b7",
        "architecture": "tf_efficientnet_b7",
        "sha256": "ab",
    }


def test_corruptions_made_here_prove_at_most_a_part(seeded: Store, tmp_path: Path) -> None:
    file = tmp_path / "l2.json"
    for images, expected in (("corrupted here", "partial"), ("released files", "reproduced")):
        results = network("", "", 88.4, 0, metrics={"mce": 28.4, "top1_c": 77.7}) | {
            "suites": {"c": {"images": images}},
            "provenance": {},
        }
        file.write_text(json.dumps(results))
        told = submit_run(
            seeded,
            [file],
            task="domain-generalization",
            dataset="imagenet-c",
            claim_model="NoisyStudent (EfficientNet-L2), 299 px",
            actor="anna",
        )
        assert told["values"] == {"mean Corruption Error (mCE)": "28.40", "Top 1 Accuracy": "77.70%"}
        assert {row["verdict"] for row in told["verdicts"]} == {expected}


def test_on_a_hard_set_the_plain_accuracy_is_another_figure(seeded: Store, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    with pytest.raises(UserError, match=r"imagenet-a has the columns Top 1 Accuracy, Top 5 Accuracy.*it has top1"):
        submit_run(seeded, [run], task="Domain Generalization", dataset="ImageNet-A", actor="anna")


def test_validation_images_that_chose_the_network_are_a_proxy(seeded: Store, tmp_path: Path) -> None:
    runs = [write_run(tmp_path / f"run-{i}", seed=i, split="val") for i in range(3)]
    for run in runs:  # all rows are of one split
        text = (run / "results.json").read_text().replace('"split": "test"', '"split": "val"')
        (run / "results.json").write_text(text)
    told = submit_run(seeded, runs, claim_model="NoisyStudent (EfficientNet-B0)", **IMAGENET)
    row = told["verdicts"][0]
    assert row["verdict"] == "partial"
    assert "chose the network" in row["basis"]


def test_robustness_of_a_run_says_how_it_was_made(seeded: Store, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", metrics={"mce": 60.0, "top1_c": 50.0})
    about = {"networks": {"student 1": {"metrics": {}, "ci95": {}, "suites": {"c": {"images": "corrupted here"}}}}}
    (run / "robustness.json").write_text(json.dumps(about))
    assert read_run(run).proxies.keys() == {"mce", "rel_mce", "top1_c"}


# Columns in other units


@pytest.mark.parametrize(
    ("metric", "claims", "expected"),
    [
        ("Percentage error", ["1.4", "1.7"], "21.30"),
        ("Top 1 Error", ["11.6%"], "21.30%"),
        ("Accuracy", ["0.884", "0.91"], "0.7870"),
        ("Error rate", ["0.116"], "0.2130"),
        ("Percentage correct", ["98.6"], "78.70"),
        ("TOP-1 accuracy", ["88.4%"], "78.70%"),
    ],
)
def test_accuracy_is_written_as_the_column_has_it(
    store: Store, tmp_path: Path, metric: str, claims: list[str], expected: str
) -> None:
    with store.changing("anna", "add") as change:
        board = change.leaderboard(change.task("Image Classification"), change.dataset("Digits"))
        for number, raw in enumerate(claims):
            change.add_result(Result(board, f"M{number}", {metric: raw}))
    told = submit_run(store, [write_run(tmp_path / "run")], task="image classification", dataset="digits", actor="anna")
    assert told["values"] == {metric: expected}
    (row,) = run_rows(store)
    low, high = json.loads(row["intervals"])[metric]
    value = float(expected.rstrip("%"))
    assert low < value < high
    assert high - low == pytest.approx(0.008 if value < 1 else 0.8)


@pytest.mark.parametrize(
    ("name", "claims", "expected"),
    [
        ("Number of params", ["66M"], "5.29M"),
        ("Params (M)", ["66", "480"], "5.29"),
        ("Parameters", ["66348000", "480309308"], "5288548"),
        ("Parameters", ["66", "480"], None),  # millions, surely? It is not said
        ("GFLOPs", ["37"], "0.39"),
        ("FLOPs", ["37G"], "0.39G"),
        ("FLOPs", ["37B"], "0.39B"),
        ("FLOPs", ["3.7"], None),
        ("Vibes", ["9"], None),
    ],
)
def test_costs_are_counted_as_the_column_counts(
    store: Store, tmp_path: Path, name: str, claims: list[str], expected: str | None
) -> None:
    with store.changing("anna", "add") as change:
        board = change.leaderboard(change.task("Image Classification"), change.dataset("Digits"))
        for number, raw in enumerate(claims):
            change.add_result(Result(board, f"M{number}", {"Accuracy": "90%", name: raw}))
    told = submit_run(store, [write_run(tmp_path / "run")], task="Image Classification", dataset="Digits", actor="anna")
    assert told["values"].get(name) == expected


@given(st.floats(0, 100), st.floats(0, 100), st.booleans())
def test_an_interval_keeps_its_value_inside(low: float, width: float, error: bool) -> None:
    column = Column("x", "top1", 100.0, -1.0, 2, "%") if error else Column("x", "top1", 0.0, 0.01, 4, "")
    ends = column.interval(low, low + width)
    assert ends[0] <= column.number(low + width / 2) + 1e-9
    assert column.number(low + width / 2) <= ends[1] + 1e-9


def test_a_new_leaderboard_has_the_metrics_that_a_run_has(store: Store, tmp_path: Path) -> None:
    told = submit_run(
        store, [write_run(tmp_path / "run")], task="Image Classification", dataset="Our photos", new=True, actor="anna"
    )
    assert told["leaderboard"] == "image-classification-on-our-photos"
    assert told["values"] == {
        "Top 1 Accuracy": "78.70%",
        "Top 5 Accuracy": "88.70%",
        "NLL": "1.0000",
        "ECE": "3.00",
        "Number of params": "5.29M",
        "GFLOPs": "0.39",
    }
    with store.reading() as connection:
        unknown = connection.execute("SELECT name FROM metric WHERE higher_is_better IS NULL").fetchall()
    assert unknown == []


# What is refused


def test_what_is_no_finished_run_is_refused(seeded: Store, tmp_path: Path) -> None:
    unfinished = write_run(tmp_path / "unfinished")
    (unfinished / "results.json").unlink()
    (tmp_path / "photos").mkdir()
    one = write_run(tmp_path / "one")
    (one / "gen-1").mkdir()
    with pytest.raises(UserError) as refused:
        submit_run(seeded, [unfinished, tmp_path / "photos", tmp_path / "none", one / "gen-1"], **IMAGENET)
    message = str(refused.value)
    assert "4 problems" in message
    for part in ("not finished", "not the folder of a run", "does not exist", "give the run's folder"):
        assert part in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "holds no object"),
        ("{}", "best: Field required"),
        ('{"best": "gen-9", "rows": []}', "has no row"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_broken_results_are_refused(seeded: Store, tmp_path: Path, text: str, message: str) -> None:
    run = write_run(tmp_path / "run")
    (run / "results.json").write_text(text)
    with pytest.raises(UserError, match=message):
        submit_run(seeded, [run], **IMAGENET)


def test_numbers_that_are_none_are_refused(seeded: Store, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", metrics={"top1": float("nan")})
    with pytest.raises(UserError, match=r"metrics\.top1"):
        submit_run(seeded, [run], **IMAGENET)


def test_nothing_held_out_is_refused(seeded: Store, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing was held out"):
        submit_run(seeded, [write_run(tmp_path / "run", split=None, n=0)], **IMAGENET)


def test_runs_that_do_not_belong_together_are_refused(seeded: Store, tmp_path: Path) -> None:
    first, same = write_run(tmp_path / "a", seed=1), write_run(tmp_path / "b", 79.0, seed=1)
    other = write_run(tmp_path / "c", seed=2, model="resnet50", n=10)
    with pytest.raises(UserError) as refused:
        submit_run(seeded, [first, same, other], **IMAGENET)
    for part in ("same seed, 1", "model is resnet50 and efficientnet_b0", "n is 10 and 50000"):
        assert part in str(refused.value)
    with pytest.raises(UserError, match="no run was given"):
        submit_run(seeded, [], **IMAGENET)


def test_names_that_do_not_exist_come_with_those_that_are_near(seeded: Store, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    with pytest.raises(UserError, match=r"near it there are image-classification-on-imagenet.*--new"):
        submit_run(seeded, [run], task="Image Clasification", dataset="ImageNet", actor="anna")
    with pytest.raises(UserError, match="no such paper"):
        submit_run(seeded, [run], paper="self-training-with-noisy-studnt", **IMAGENET)
    with pytest.raises(UserError, match="has no result on this leaderboard"):
        submit_run(seeded, [run], paper="1907.07174", **IMAGENET)
    with pytest.raises(UserError, match=r"there are .*NoisyStudent \(EfficientNet-B7\)"):
        submit_run(seeded, [run], claim_model="NoisyStudent (EfficientNet-B8)", **IMAGENET)
    with pytest.raises(UserError, match="claims fit"):
        submit_run(seeded, [run], paper="1911.04252", **IMAGENET)
    assert run_rows(seeded) == []


def test_moved_results_are_the_same_results(seeded: Store, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    first = submit_run(seeded, [run], **IMAGENET)
    shutil.copytree(run, tmp_path / "elsewhere")
    assert submit_run(seeded, [tmp_path / "elsewhere"], **IMAGENET)["result"] == first["result"]


@pytest.mark.parametrize(
    ("text", "reduced"),
    [
        ("/home/anna/run", "run"),
        ("~/run/", "run"),
        ("../data/x", "x"),
        (r"C:\Users\anna\run", "run"),
        ("--out=/home/anna/run", "--out=run"),
        ('data.labeled="/home/anna/photos"', 'data.labeled="photos"'),
        ("/data/shards/{000..099}.tar", "{000..099}.tar"),
        ("hf:owner/name", "hf:owner/name"),
        ("hf-hub:owner/name", "hf-hub:owner/name"),
        ("https://arxiv.org/abs/1911.04252", "https://arxiv.org/abs/1911.04252"),
        ("labeled/cats", "labeled/cats"),
        ("0.5/2", "0.5/2"),
    ],
)
def test_paths_are_reduced_to_their_names(text: str, reduced: str) -> None:
    assert without_folders(text) == reduced
    assert without_folders({"a": [text, 1, None]}) == {"a": [reduced, 1, None]}


# One seed at a time


def test_seeds_that_came_one_at_a_time_are_one_result_when_they_come_together(seeded: Store, tmp_path: Path) -> None:
    runs = [write_run(tmp_path / f"run-{seed}", 78.0 + seed, seed=seed) for seed in range(3)]
    for run in runs[:2]:
        assert submit_run(seeded, [run], **IMAGENET)["replaced"] == 0
    assert len(run_rows(seeded)) == 2
    assert submit_run(seeded, runs[:2], **IMAGENET)["replaced"] == 2
    told = submit_run(seeded, runs, **IMAGENET)
    assert (told["new"], told["replaced"]) == (True, 1)
    (row,) = run_rows(seeded)
    assert (row["id"], row["seeds"]) == (told["result"], "[0, 1, 2]")
    alone = submit_run(seeded, runs[1:2], **IMAGENET)
    assert (alone["new"], alone["result"], alone["replaced"]) == (False, told["result"], 0)
    with pytest.raises(UserError, match="run-1 stands there with runs of other seeds"):
        submit_run(seeded, runs[1:2], claim_model="NoisyStudent (EfficientNet-B0)", **IMAGENET)
    submit_run(seeded, runs, claim_model="NoisyStudent (EfficientNet-B0)", **IMAGENET)
    assert len(run_rows(seeded)) == 1
