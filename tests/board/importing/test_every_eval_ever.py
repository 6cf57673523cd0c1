"""Records of Every Eval Ever, made after its schema (0.2 as its public records have it, 0.3)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from noisystudent.board.catalogue.store import Store
from noisystudent.board.importing import import_file
from noisystudent.errors import UserError

Rows = Callable[..., list[dict[str, Any]]]
Imported = Callable[..., dict[str, Any]]
SCORES = (
    "SELECT l.slug, m.name AS model, k.name AS metric, k.higher_is_better, k.direction_origin, v.raw FROM value v "
    "JOIN result r ON r.id = v.result_id JOIN leaderboard l ON l.id = r.leaderboard_id JOIN model m ON m.id = r.model_id "
    "JOIN metric k ON k.id = v.metric_id ORDER BY l.slug, r.id, k.id"
)


def evaluation(evaluation: str, dataset: str, score: Any, *, lower: Any = False, **metric: Any) -> dict[str, Any]:
    return {
        "evaluation_name": evaluation,
        "source_data": {"dataset_name": dataset, "source_type": "other"},
        "metric_config": {"lower_is_better": lower, **metric},
        "score_details": {"score": score},
    }


RECORD: dict[str, Any] = {
    "schema_version": "0.3.0",
    "evaluation_id": "toys/acme_toy/1750000000",
    "evaluation_timestamp": "1750000000",
    "retrieved_timestamp": "1750000001",
    "source_metadata": {
        "source_name": "Toy leaderboard",
        "source_type": "documentation",
        "source_organization_name": "Acme",
        "source_organization_url": "https://acme.example",
        "evaluator_relationship": "third_party",
        "additional_details": {"paper": "https://arxiv.org/abs/1911.04252"},
    },
    "eval_library": {"name": "unknown", "version": "unknown"},
    "model_info": {
        "name": "Toy 8B",
        "id": "acme/toy-8b",
        "developer": "Acme",
        "additional_details": {
            "deployment_type": "unknown",
            "model_availability": "open_weights",
            "params_billions": "8.357",
        },
    },
    "evaluation_results": [
        evaluation("Reading", "Toys", 91.5, metric_name="Accuracy", metric_unit="percent"),
        evaluation("Reading", "Toys", 12, lower=True, metric_name="Perplexity"),
        evaluation("Counting", "Toys", 0.25, evaluation_description="Success rate on Counting"),
    ],
}


def test_a_record_is_a_row_on_each_of_its_leaderboards(imported: Imported, rows: Rows) -> None:
    report = imported(RECORD)
    assert report["format"] == "Every Eval Ever"
    assert report["lost"] == {}
    assert [tuple(row.values()) for row in rows(SCORES)] == [
        ("counting-on-toys", "Toy 8B", "Success rate", 1, "given", "0.25"),
        ("reading-on-toys", "Toy 8B", "Accuracy", 1, "given", "91.5%"),
        ("reading-on-toys", "Toy 8B", "Perplexity", 0, "given", "12"),
    ]
    assert rows("SELECT DISTINCT evaluated_on, locator, source_url, tags, kind FROM result") == [
        {
            "evaluated_on": "2025-06-15",
            "locator": "Toy leaderboard",
            "source_url": "https://acme.example",
            "tags": '["documentation", "third party", "developer: Acme"]',
            "kind": "claim",
        }
    ]
    assert rows("SELECT arxiv_id FROM paper") == [{"arxiv_id": "1911.04252"}]
    assert rows("SELECT parameters, weights_url, is_open FROM model") == [
        {"parameters": 8357000000.0, "weights_url": "https://huggingface.co/acme/toy-8b", "is_open": 1}
    ]


def test_the_same_record_again_changes_nothing(imported: Imported, rows: Rows) -> None:
    imported(RECORD)
    again = imported(RECORD)
    assert (again["counts"], again["already there"]) == ({}, {"result": 2})


def test_what_has_no_place_is_named(imported: Imported, rows: Rows) -> None:
    record = copy.deepcopy(RECORD)
    record["model_info"] |= {"id": "acme/another", "additional_details": {}}
    record["evaluation_results"][0]["metric_config"]["score_type"] = "continuous"
    record["evaluation_results"][0]["score_details"]["uncertainty"] = {"standard_error": {"value": 0.1}}
    record["evaluation_results"][0]["generation_config"] = {"generation_args": {"temperature": 0.5}}
    lost = imported(record)["lost"]
    assert [example["reason"].partition(" has")[0] for example in lost["unknown key"]["examples"]] == [
        "evaluation_results.generation_config",
        "metric_config.score_type",
        "score_details.uncertainty",
    ]
    assert lost["model_info.id"]["examples"][0]["reason"].startswith("acme/another")


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"evaluation_timestamp": "yesterday"}, "evaluation_timestamp"),
        ({"evaluation_timestamp": "1e300"}, "evaluation_timestamp"),
        ({"evaluation_results": [evaluation("", "Toys", 1)]}, "evaluation_name"),
        ({"evaluation_results": [{"evaluation_name": "Reading"}]}, "evaluation"),
        ({"evaluation_results": [evaluation("Reading", "Toys", True)]}, "value"),
        ({"evaluation_results": [evaluation("Reading", "Toys", 1), evaluation("Reading", "Toys", 2)]}, "score"),
        ({"source_metadata": {"additional_details": {"kind": "claim", "tags": "[" * 5000}}}, "tags"),
        ({"source_metadata": {"additional_details": {"paper_url": "javascript:alert(1)"}}}, "paper_url"),
    ],
)
def test_what_is_wrong_is_reported_and_the_rest_is_kept(imported: Imported, change: Any, kind: str) -> None:
    assert kind in imported({**RECORD, **change})["lost"]


@pytest.mark.parametrize(("model", "kind"), [(None, "record"), ({"name": ""}, "name")])
def test_a_record_of_no_model_is_refused(imported: Imported, rows: Rows, model: Any, kind: str) -> None:
    with pytest.raises(UserError, match=f"taken for Every Eval Ever, but nothing in it.* {kind}: "):
        imported({**RECORD, "model_info": model})
    assert rows("SELECT * FROM event") == []


def test_a_link_that_runs_a_script_is_left_out(imported: Imported, rows: Rows) -> None:
    details = {"kind": "claim", "code_links": '[{"title": "x", "url": "javascript:alert(1)"}, "y"]'}
    imported({**RECORD, "source_metadata": {"additional_details": details}})
    assert rows("SELECT DISTINCT code_links FROM result") == [{"code_links": "[]"}]


def test_a_folder_of_records(store: Store, imported: Imported, rows: Rows, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for number in range(3):
        file = folder / str(number) / f"{number}.json"
        file.parent.mkdir(parents=True)
        record = {**RECORD, "model_info": {"name": f"Toy {number}"}}
        imported(record, name=str(file.relative_to(tmp_path)))
    report = import_file(store, folder, actor="anna")
    assert (report["format"], report["already there"]) == ("Every Eval Ever", {"result": 6})
