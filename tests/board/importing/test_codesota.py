"""The data sets of CodeSOTA's registry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from noisystudent.board.catalogue.store import Store

DATASET: dict[str, Any] = {
    "id": "10",
    "task": "few-shot-reading",
    "name": "Toys",
    "fullName": "The Toys",
    "description": "1.5 million toys",
    "metrics": [],
    "primaryMetric": None,
    "paperUrl": "https://arxiv.org/abs/1504.00325",
    "downloadUrl": None,
    "year": 2015,
    "sampleCount": None,
    "language": "en",
}
OTHER = {
    **DATASET,
    "id": "11",
    "task": "visual-qa",
    "name": "VQA",
    "metrics": ["accuracy"],
    "primaryMetric": "accuracy",
}


def test_they_come_in_as_data_sets(store: Store, imported: Callable[..., Any], rows: Callable[..., Any]) -> None:
    with store.changing("anna", "add") as change:
        change.edit("task", change.task("Visual Question Answering"), slug="visual-qa")
    report = imported([DATASET, {**OTHER, "paperUrl": None, "year": 20155, "downloadUrl": "javascript:alert(1)"}])
    assert report["format"] == "CodeSOTA's data sets"
    assert rows("SELECT slug, name, full_name, homepage, introduced_date, languages FROM dataset ORDER BY id") == [
        {
            "slug": "toys",
            "name": "Toys",
            "full_name": "The Toys",
            "homepage": "",
            "introduced_date": "2015",
            "languages": '["en"]',
        },
        {
            "slug": "vqa",
            "name": "VQA",
            "full_name": "The Toys",
            "homepage": "",
            "introduced_date": None,
            "languages": '["en"]',
        },
    ]
    assert rows("SELECT name FROM task ORDER BY name") == [
        {"name": "Few Shot Reading"}, {"name": "Visual Question Answering"}
    ]  # fmt: skip
    assert rows("SELECT arxiv_id FROM paper") == [{"arxiv_id": "1504.00325"}]
    assert {kind: lost["count"] for kind, lost in report["lost"].items()} == {"homepage": 1, "unknown key": 2}
    assert rows("SELECT * FROM leaderboard") == []
    again = imported([DATASET, OTHER])
    assert "dataset" not in again["counts"]
