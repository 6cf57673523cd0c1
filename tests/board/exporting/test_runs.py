"""Runs leave the board as they came: their own layer, out and in again, and what every other format says of their seeds."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from noisystudent.board.catalogue import hiding
from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.store import Store
from noisystudent.board.exporting.export_file import export_file

Imported = Callable[..., dict[str, Any]]
Exported = Callable[..., bytes]
TABLES = ("papers-with-abstracts", "datasets", "evaluation-tables")
OVER_SEEDS = {"mean": 88.3, "trainings": 3, "deviation": 0.25, "interval": [87.9, 88.7]}
ENVIRONMENT = {"runs": [{"folder": f"run-{seed}", "seed": seed} for seed in range(3)], "classes": 1000, "costs": []}


@pytest.fixture
def measured(imagenet: Store) -> Store:
    """`imagenet` with a data set of the hub, and a run of three seeds beside the claim of its paper."""
    with imagenet.changing("anna", "submit run") as change:
        change.edit("dataset", 1, homepage="https://huggingface.co/datasets/ILSVRC/imagenet-1k")
        claim = change.connection.execute("SELECT id, paper_id FROM result WHERE paper_id IS NOT NULL").fetchone()
        values = {"Top 1 Accuracy": "88.30 ± 0.25%", "GFLOPs": "about 37"}
        about = {
            "kind": "run",
            "external_id": "run:abc",
            "evaluated_on": "2026-11-20",
            "locator": "run-0, run-1, run-2",
        }
        run = change.add_result(Result(1, "NoisyStudent", values, paper=claim["paper_id"], **about))
        change.insert(
            "run",
            result_id=run,
            claim_id=claim["id"],
            folder="run-0, run-1, run-2",
            command="noisystudent run --labeled labeled",
            git_commit="0123456789abcdef",
            config='seed = 0\n[data]\nlabeled = "labeled"\n',
            environment=json.dumps(ENVIRONMENT, sort_keys=True),
            seeds="[0, 1, 2]",
            images=50_000,
            intervals=json.dumps({"Top 1 Accuracy": [87.9, 88.7]}),
        )
        change.insert("objection", result_id=run, position=0, reason="No.\nOther images.", source_url="")
    return imagenet


def runs(store: Store, exported: Exported) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(exported(store, "runs"))
    return found


def test_its_own_layer(measured: Store, exported: Exported) -> None:
    (run,) = runs(measured, exported)
    assert (run["task"], run["dataset"], run["subdatasets"]) == ("Image Classification", "ImageNet", [])
    assert run["over_seeds"] == {"Top 1 Accuracy": OVER_SEEDS}  # "about 37" is no number
    assert run["claim"]["metrics"] == {"Top 1 Accuracy": "88.4%"}
    assert run["environment"] == ENVIRONMENT
    assert run["config"].endswith('labeled = "labeled"\n')


def test_it_comes_back_beside_its_claim(
    measured: Store, tmp_path: Path, import_objects: Imported, exported: Exported
) -> None:
    other = Store(tmp_path / "other.db", create=True)
    for format in (*TABLES, "runs"):
        report = import_objects(json.loads(exported(measured, format)), into=other)
        assert report["lost"] == {}
    assert exported(other, "runs") == exported(measured, "runs")
    again = import_objects(runs(measured, exported), into=other)
    assert (again["format"], again["already there"], again["counts"]) == ("runs", {"run": 1}, {})
    with other.reading() as connection:
        row = connection.execute(
            "SELECT c.kind, s.name FROM run JOIN result c ON c.id = run.claim_id JOIN result r ON r.id = run.result_id "
            "JOIN source s ON s.id = r.source_id"
        ).fetchone()
    assert tuple(row) == ("claim", "Runs")


def test_without_its_table_it_says_so_and_with_new_values_it_takes_its_own_place(
    measured: Store, tmp_path: Path, import_objects: Imported, exported: Exported
) -> None:
    other = Store(tmp_path / "other.db", create=True)
    found = runs(measured, exported)
    assert "claim" in import_objects(found, into=other)["lost"]
    import_objects([{**found[0], "metrics": {"Top 1 Accuracy": "88.20%"}}], into=other)
    (run,) = runs(other, exported)
    assert run["metrics"] == {"Top 1 Accuracy": "88.20%"}


def test_a_claim_that_was_corrected_is_followed_and_one_that_is_hidden_is_not_named(
    measured: Store, exported: Exported
) -> None:
    with measured.changing("carla", "correct") as change:
        old = change.connection.execute("SELECT claim_id FROM run").fetchone()[0]
        new = change.add_result(Result(1, "NoisyStudent", {"Top 1 Accuracy": "88.5%"}, paper=1), supersedes=old)
    assert runs(measured, exported)[0]["claim"]["metrics"] == {"Top 1 Accuracy": "88.5%"}
    hiding.hide(measured, "result", str(new), reason="an error", actor="carla")
    assert runs(measured, exported)[0]["claim"] is None


ODD = [
    ("seeds", "one"),
    ("seeds", [0.5]),
    ("environment", {"costs": 5}),
    ("environment", {"baseline": {"Top 1 Accuracy": "high"}}),
    ("environment", {"protocol": "<b>"}),
    ("environment", [1]),
    ("intervals", {"Top 1 Accuracy": [1]}),
    ("images", "many"),
    ("claim", "that one"),
    ("metrics", [1]),
]


def test_what_is_none_is_lost_and_the_page_stands(
    measured: Store, import_objects: Imported, exported: Exported, browser_of: Callable[..., Any]
) -> None:
    (run,) = runs(measured, exported)
    others = [
        {**run, "external_id": f"run:{number}", "model_name": f"Odd {number}", key: odd}
        for number, (key, odd) in enumerate(ODD)
    ]
    lost = import_objects(others)["lost"]
    assert {key: lost[key]["count"] for key in lost} == Counter(key for key, _ in ODD)
    client = browser_of(measured).client
    assert client.get("/sota/image-classification-on-imagenet").status_code == 200
    assert client.get("/api/v1/evaluations/image-classification-on-imagenet/results/").status_code == 200


def test_csv(measured: Store, exported: Exported) -> None:
    run = list(csv.DictReader(io.StringIO(exported(measured, "csv", 1).decode())))[-1]
    assert (run["kind"], run["Top 1 Accuracy"], run["seeds"], run["images"]) == (
        "run",
        "88.30 ± 0.25%",
        "0 1 2",
        "50000",
    )


def test_every_eval_ever(measured: Store, tmp_path: Path) -> None:
    export_file(measured, "every-eval-ever", tmp_path / "out")
    found = [json.loads(file.read_text(encoding="utf-8")) for file in (tmp_path / "out").rglob("*.json")]
    (run,) = [one for one in found if one["source_metadata"]["source_type"] == "evaluation_run"]
    assert run["evaluation_results"][0]["score_details"] == {
        "score": 88.3,
        "details": {
            "raw": "88.30 ± 0.25%",
            "mean_of_trainings": "3",
            "seeds": "[0, 1, 2]",
            "standard_deviation_over_seeds": "0.25",
        },
        "uncertainty": {
            "confidence_interval": {"lower": 87.9, "upper": 88.7, "confidence_level": 0.95},
            "num_samples": 50_000,
        },
    }


def test_hugging_face(measured: Store, tmp_path: Path) -> None:
    with measured.changing("carla", "retire") as change:  # of a model on a data set, one value has a place
        change.retire_result(change.connection.execute("SELECT claim_id FROM run").fetchone()[0])
    export_file(measured, "hugging-face", tmp_path / "out")
    card = yaml.safe_load((tmp_path / "out/noisystudent/README.md").read_text(encoding="utf-8").split("---")[1])
    metric = card["model-index"][0]["results"][0]["metrics"][0]
    assert (metric["value"], metric["args"]["seeds"]) == ("88.30 ± 0.25%", [0, 1, 2])
    (entry,) = yaml.safe_load((tmp_path / "out/noisystudent/.eval_results/board.yaml").read_text(encoding="utf-8"))
    assert entry["value"] == 88.3
    assert entry["notes"].endswith("; run; mean of 3 seeds, standard deviation 0.25")


def test_the_api(measured: Store, browser_of: Callable[..., Any]) -> None:
    client = browser_of(measured).client
    said = {"seeds": [0, 1, 2], "images": 50_000, "metrics": {"Top 1 Accuracy": OVER_SEEDS}}
    for path in (
        "evaluations/image-classification-on-imagenet/results/",
        "datasets/imagenet/evaluations/?ordering=best_rank",
    ):
        rows = client.get(f"/api/v1/{path}").json()["results"]
        assert [row["run"] for row in rows if row["kind"] == "claim"] == [None] * 3
        (run,) = [row["run"] for row in rows if row["kind"] == "run"]
        assert {key: run[key] for key in said} == said
