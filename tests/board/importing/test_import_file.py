"""Which format a file has, and what its import leaves in the history."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from noisystudent.board.catalogue.store import Store
from noisystudent.board.importing import Layer, import_file
from noisystudent.errors import UserError

Import = Callable[..., dict[str, Any]]
Rows = Callable[..., list[dict[str, Any]]]

ITEMS = {
    "evaluation tables": {"task": "Parsing"},
    "links between papers and code": {
        "paper_url": "https://paperswithcode.com/paper/a",
        "repo_url": "https://github.com/a/b",
    },
    "papers with abstracts": {"paper_url": "https://paperswithcode.com/paper/a", "title": "A", "abstract": "Text."},
    "datasets": {
        "url": "https://paperswithcode.com/dataset/mnist",
        "name": "MNIST",
        "full_name": "MNIST",
        "homepage": "",
    },
    "methods": {
        "url": "https://paperswithcode.com/method/relu",
        "name": "ReLU",
        "full_name": "Rectifier",
        "collections": [],
    },
}


@pytest.mark.parametrize("format", ITEMS)
def test_the_format_is_found_out(imported: Import, rows: Rows, format: str) -> None:
    report = imported([ITEMS[format]], "any-name")
    assert report["format"] == format
    assert rows("SELECT name, licence, attribution FROM source") == [
        {
            "name": "PWC Archive",
            "licence": "CC-BY-SA 4.0",
            "attribution": "Data from the Papers with Code archive, CC-BY-SA 4.0",
        }
    ]


def test_an_unknown_format_is_refused_with_its_keys(imported: Import, rows: Rows) -> None:
    with pytest.raises(UserError, match=r"file\.json, item 1: no known format\. Its keys: benchmark, title\."):
        imported([{"title": "x", "benchmark": {}}], "file.json")
    assert rows("SELECT * FROM event") == []


def test_an_empty_list_changes_nothing(imported: Import, rows: Rows) -> None:
    assert imported([])["event"] is None
    assert rows("SELECT * FROM event") == []


def test_the_event_says_who_what_and_what_was_lost(imported: Import, rows: Rows) -> None:
    report = imported([{"task": "A"}, {"task": ""}], layer=Layer("Ours", "MIT", "By us", "https://example.org"))
    (event,) = rows("SELECT * FROM event")
    assert (event["actor"], event["action"], event["note"]) == ("anna", "import", "tasks.json")
    detail = json.loads(event["detail"])
    assert detail["counts"] == {"source": 1, "task": 1}
    assert detail["report"]["lost"]["task"] == {
        "count": 1,
        "examples": [{"where": "item 2", "reason": "it has no name, so what stands under it is lost, too"}],
    }
    assert report["lost"] == detail["report"]["lost"]
    assert rows("SELECT name, licence, attribution, url FROM source") == [
        {"name": "Ours", "licence": "MIT", "attribution": "By us", "url": "https://example.org"}
    ]


def test_a_name_that_is_no_text_is_no_obstacle(store: Store, rows: Rows, tmp_path: Path) -> None:
    file = tmp_path / "caf\udce9.json"
    file.write_text('[{"task": "A"}]')
    assert import_file(store, file, actor="anna")["file"] == "caf?.json"
    folder = tmp_path / "index"
    folder.mkdir()
    (folder / "caf\udce9.yml").write_text("Models: [{Name: A}, {}]")
    report = import_file(store, folder, actor="anna")
    assert report["lost"]["name"]["examples"][0]["where"] == "caf?.yml"


FOREIGN = {
    "id": "1",
    "task": "vqa",
    "name": "VQAv2",
    "description": "Questions.",
    "metrics": ["accuracy"],
    "year": 2017,
}


@pytest.mark.parametrize(
    "objects", [[FOREIGN], [FOREIGN, {"task": "Parsing", "datasets": []}], [{"task": "", "datasets": []}]]
)
def test_what_recognises_nothing_is_refused(imported: Import, rows: Rows, objects: list[dict[str, Any]]) -> None:
    with pytest.raises(UserError, match=r"no known format|nothing in it has a place in the catalogue"):
        imported(objects)
    assert rows("SELECT * FROM event") == []
    assert rows("SELECT * FROM source") == []


def test_every_key_that_is_dropped_is_named(imported: Import) -> None:
    table = {
        "metrics": ["F1"],
        "rows": [{"model_name": "M", "metrics": {"F1": "9"}, "rank": 1, "note": ""}],
        "unit": "%",
    }
    report = imported([{"task": "Parsing", "id": 3, "datasets": [{"dataset": "PTB", "year": 1993, "sota": table}]}])
    assert {one["reason"].split()[0] for one in report["lost"]["unknown key"]["examples"]} == {
        "task.id",
        "dataset.year",
        "sota.unit",
        "row.rank",
    }
