"""Leaderboards in the form of OpenCodePapers."""

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
BOARD: dict[str, Any] = {
    "title": "reading-on-toys",
    "task-hierarchy": ["Language", "Reading"],
    "dataset-info": {"link": "https://toys.example", "paper": ""},
    "benchmark": {
        "fields": [
            {"key": "p", "label": "Paper"},
            {"key": "m1", "label": "F1", "sortable": "true"},
            {"key": "m2", "label": "EM", "sortable": "true"},
            {"key": "n", "label": "ModelName"},
        ],
        "items": [
            {
                "p": {"name": "A paper", "link": "https://arxiv.org/abs/1911.04252v2", "authors": "X"},
                "c": "https://github.com/a/b",
                "n": "A",
                "d": "2024-07-12",
                "m1": "88.4",
                "m2": "",
            },
            {"p": {"name": "", "link": ""}, "c": "", "n": "B", "d": "", "m1": 12.5, "m3": "1"},
        ],
    },
}


def test_a_leaderboard(imported: Imported, rows: Rows) -> None:
    report = imported(BOARD)
    assert report["format"] == "OpenCodePapers"
    assert rows("SELECT slug, shown, result_count FROM leaderboard_shown") == [
        {"slug": "reading-on-toys", "shown": "Reading on toys", "result_count": 2}
    ]
    assert rows("SELECT m.name, k.name AS metric, v.raw, r.paper_date FROM value v JOIN result r ON r.id = v.result_id "
                "JOIN model m ON m.id = r.model_id JOIN metric k ON k.id = v.metric_id ORDER BY r.id") == [
        {"name": "A", "metric": "F1", "raw": "88.4", "paper_date": "2024-07-12"},
        {"name": "B", "metric": "F1", "raw": "12.5", "paper_date": None},
    ]  # fmt: skip
    assert rows("SELECT arxiv_id FROM paper") == [{"arxiv_id": "1911.04252"}]
    reasons = [example["reason"].partition(" has")[0] for example in report["lost"]["unknown key"]["examples"]]
    assert reasons == ["item.p.authors", "item.m3"]
    assert imported(BOARD)["counts"] == {}


def test_of_a_leaderboard_that_is_there_the_data_set_has_its_name(imported: Imported, rows: Rows) -> None:
    imported([{"task": "Reading", "datasets": [{"dataset": "TOYS"}]}])
    imported(BOARD)
    assert rows("SELECT name FROM dataset") == [{"name": "TOYS"}]


def test_without_a_task_or_a_benchmark_there_is_none(imported: Imported, rows: Rows) -> None:
    for key in ("task-hierarchy", "benchmark", "title"):
        board = copy.deepcopy(BOARD)
        board["benchmark"]["items"] = [{"n": "A", "m1": []}]
        board[key] = None
        with pytest.raises(UserError, match="nothing in it has a place in the catalogue"):
            imported({"task-hierarchy": [], **board})
    assert rows("SELECT * FROM event") == []


def test_a_real_one(store: Store, catalogue_files: Path) -> None:
    report = import_file(store, catalogue_files / "opencodepapers" / "ho3d_v3.opencodepapers.json", actor="anna")
    assert (report["counts"]["result"], report["counts"]["value"]) == (2, 3)
