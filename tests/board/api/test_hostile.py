"""Syntax of SQL, of FTS5 and of HTML in every parameter and every field: an answer, never a failure, and nothing is lost."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from noisystudent.board.catalogue.store import Store

HOSTILE = [
    "'",
    '"',
    "''; DROP TABLE paper; --",
    "1 OR 1=1",
    '" OR title : *',
    "NEAR(a b, 2)",
    "a AND",
    "NOT x",
    "title:x",
    "{title abstract}: x",
    "^x",
    "x*",
    "(((",
    "%_\\",
    "\\",
    "a\x00b",
    "\x00\x00\x00",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "\u202e\U0001f600 ß ﷽",
    "ab\x00",
    "x" * 190,
    " ",
    "-1",
    "9" * 40,
    "NaN",
    "1e999",
]


def reads(client: TestClient) -> list[tuple[str, list[str], list[str]]]:
    """Every path with GET, its parameters in the path and in the query."""
    found = []
    for path, operations in client.get("openapi.json").json()["paths"].items():
        parameters = operations.get("get", {}).get("parameters", [])
        places = [[p["name"] for p in parameters if p["in"] == place] for place in ("path", "query")]
        if "get" in operations:
            found.append((path, *places))
    return found


@pytest.mark.parametrize("text", HOSTILE)
def test_every_parameter_takes_any_text(library: TestClient, text: str) -> None:
    for path, in_path, in_query in reads(library):
        hostile = path
        for name in in_path:
            hostile = hostile.replace(f"{{{name}}}", quote(text, safe=""))
        if in_path:
            assert (hostile, library.get(f"http://testserver{hostile}").status_code < 500) == (hostile, True)
        real = path.replace("{evaluation_id}", "image-classification-on-imagenet")
        if "{" not in real:
            for name in in_query:
                answer = library.get(f"http://testserver{real}", params={name: text})
                assert (real, name, answer.status_code < 500) == (real, name, True)
                assert answer.status_code in (200, 404, 422)
    assert library.get("papers/").json()["count"] == 3


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE task; --", '" OR name : *', "<script>alert(1)</script>", "=cmd|' /C calc'!A0"]
)
def test_every_field_takes_any_text_and_gives_it_back_as_it_was(curator: TestClient, store: Store, text: str) -> None:
    task = curator.post("tasks/", json={"name": text, "description": text, "area": text}).json()
    assert (task["name"], task["description"]) == (text, text)
    dataset = curator.post("datasets/", json={"name": text, "full_name": text}).json()
    table = curator.post("evaluations/", json={"task": text, "dataset": text, "description": text}).json()
    assert (table["task"], table["dataset"], table["description"]) == (task["id"], dataset["id"], text)
    metric = curator.post(f"evaluations/{table['id']}/metrics/", json={"name": text, "is_loss": False}).json()
    body = {"methodology": text, "metrics": {text: text}}
    result = curator.post(f"evaluations/{table['id']}/results/", json=body).json()
    assert (result["methodology"], result["metrics"]) == (text, {text: text})
    filtered = curator.get(f"evaluations/{table['id']}/results/", params={"require": text, "sort": text}).json()
    assert (filtered["count"], filtered["applied_filters"]["require"]) == (1, [text])
    assert curator.get("tasks/", params={"name": text}).json()["count"] == 1
    assert curator.get("datasets/", params={"q": text}).json()["count"] == 1
    assert metric["name"] == text
    with store.reading() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_an_answer_is_json_that_no_browser_takes_for_a_page(library: TestClient) -> None:
    answer: Any = library.get("papers/", params={"q": "<script>"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
