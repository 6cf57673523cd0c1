"""The page at `/api/v1/`: every address of the API, out of its OpenAPI document, with examples out of the catalogue."""

from __future__ import annotations

import json
import sqlite3
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Response

from noisystudent.board.web.paging import OF_LISTS
from noisystudent.board.web.view import View, Viewing, page

router = APIRouter(prefix="/api/v1")
JSON = dict[str, Any]
# What a path's parameters are in the examples: of the first row that there is.
_IDS = {
    "paper_id": "SELECT slug FROM paper ORDER BY id LIMIT 1",
    "owner": "SELECT owner FROM repository WHERE owner <> '' ORDER BY id LIMIT 1",
    "name": "SELECT name FROM repository WHERE owner <> '' ORDER BY id LIMIT 1",
    "author_id": "SELECT slug FROM author ORDER BY id LIMIT 1",
    "conference_id": "SELECT v.slug FROM proceeding p JOIN venue v ON v.id = p.venue_id ORDER BY p.id LIMIT 1",
    "proceeding_id": "SELECT slug FROM proceeding ORDER BY id LIMIT 1",
    "area_id": "SELECT slug FROM area ORDER BY id LIMIT 1",
    "task_id": "SELECT slug FROM task ORDER BY id LIMIT 1",
    "dataset_id": "SELECT slug FROM dataset ORDER BY id LIMIT 1",
    "method_id": "SELECT slug FROM method ORDER BY id LIMIT 1",
    "evaluation_id": "SELECT slug FROM leaderboard WHERE best_result_id IS NOT NULL ORDER BY id LIMIT 1",
    "result_id": "SELECT best_result_id FROM leaderboard WHERE best_result_id IS NOT NULL ORDER BY id LIMIT 1",
    "metric_id": "SELECT m.id FROM leaderboard l JOIN metric m ON m.leaderboard_id = l.id "
    "WHERE l.best_result_id IS NOT NULL ORDER BY l.id, m.position, m.id LIMIT 1",
}


@page(router, "/", json_path="/index.json")
def overview(view: Viewing) -> Response:
    """Every address of the API."""
    document, ids = view.request.app.openapi(), _ids(view.connection)
    groups: dict[str, list[JSON]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            entry = _entry(view, document, path, method, operation, ids)
            groups.setdefault(operation["tags"][0], []).append(entry)
    data = {"groups": [{"name": name, "operations": entries} for name, entries in groups.items()]}
    return view.page(
        "api.html.jinja", data | {"address": view.address}, title="API", description="The API of this site, in full."
    )


def _ids(connection: sqlite3.Connection) -> dict[str, str]:
    rows = {name: connection.execute(query).fetchone() for name, query in _IDS.items()}
    return {name: str(row[0]) for name, row in rows.items() if row}


def _entry(view: View, document: JSON, path: str, method: str, operation: JSON, ids: dict[str, str]) -> JSON:
    parameters = [
        _row(
            parameter["name"],
            parameter["schema"] | {"description": parameter.get("description", "")},
            needed=parameter["required"],
        )
        for parameter in operation.get("parameters", [])
        if parameter["name"] not in OF_LISTS  # of every list it is said once, at the top
    ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    schema = _resolved(document, body) if body else {}
    required = schema.get("required", [])
    fields = [_row(name, field, needed=name in required) for name, field in schema.get("properties", {}).items()]
    address = path
    for name, value in ids.items():
        address = address.replace(f"{{{name}}}", quote(value, safe=""))
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "description": operation["description"],
        "parameters": parameters,
        "body": schema.get("description", ""),
        "fields": fields,
        "needs_token": bool(operation.get("security")),
        "example": address if method == "get" and "{" not in address else "",
        "command": _command(view.address + address, method, schema.get("example")),
    }


def _row(name: str, schema: JSON, *, needed: bool) -> dict[str, str]:
    """A parameter, or a field of a body, in a table."""
    default = schema.get("default")
    notes = [
        schema.get("description", ""),
        "Needed." if needed else "",
        f"Default: {default}." if isinstance(default, int) else "",
    ]
    return {"name": name, "kind": _kind(schema), "note": " ".join(note for note in notes if note)}


def _kind(schema: JSON) -> str:
    """A schema in a word or two; null is left out, since it means the same as nothing."""
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"] if one.get("type") != "null")
    if "$ref" in schema:
        return "object"
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("type", "value"))


def _resolved(document: JSON, schema: JSON) -> JSON:
    found: JSON = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _command(url: str, method: str, example: JSON | None) -> str:
    if method == "get":
        return f"curl '{url}'"
    body = f" \\\n  -H 'Content-Type: application/json' -d '{json.dumps(example)}'" if example else ""
    return f"curl -X {method.upper()} '{url}' \\\n  -H 'Authorization: Token nsb_...'{body}"
