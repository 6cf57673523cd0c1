"""The forms of submissions: the fields of each kind, and the way between what is typed and a payload."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData

from noisystudent.board.catalogue import entries, names
from noisystudent.board.catalogue.fields import ENTRIES, KINDS, title_of
from noisystudent.board.queries import leaderboards
from noisystudent.board.web.csrf import text_of
from noisystudent.board.web.row_numbers import row_number
from noisystudent.errors import UserError

EMPTY_ROWS = 3  # for metrics of a new leaderboard; one that is here seldom gets another
YES_NO = (("", "not said"), ("yes", "yes"), ("no", "no"))
# What is asked first; the other fields unfold, since few know what goes there. A kind that is not here has few fields.
FIRST = {
    "result": (
        "leaderboard",
        "task",
        "dataset",
        "model",
        "metrics",
        "paper",
        "locator",
        "extra_data",
        "sure",
        "corrects",
    ),
    "paper": ("title", "authors", "published", "url_abs", "tasks", "official_code"),
    "task": ("name", "description", "areas", "parents"),
    "dataset": ("name", "homepage", "description", "modalities", "tasks"),
    "method": ("name", "description", "collections", "paper"),
}
SUGGESTED = {"task": "task", "dataset": "dataset"}  # of a new leaderboard, fields with names of entries to choose from
MOST_SUGGESTED, MOST_FOUND = 150, 12
BETTER = (("", "not said"), ("yes", "higher is better"), ("no", "lower is better"))
_SHAPES = {"array": "list", "object": "metrics", "boolean": "choice", "integer": "number"}
_FORMS = {"text": "text", "uri": "url", "date": "day"}


@dataclass(frozen=True)
class Field:
    """A field of a form.

    Args:
        name: as in the payload.
        label: what stands before it.
        shape: "line", "text" (several lines), "list" (a line for each entry), "url", "day", "number", "choice" or "metrics".
        hint: what to write there.
        most: characters, or metrics.
        required: whether there must be something in it, in a new entry at least.
        first: whether it stands at once, and does not unfold.
    """

    name: str
    label: str
    shape: str
    hint: str
    most: int
    required: bool
    first: bool

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """Of a choice: each value and what it says."""
        return BETTER if self.name == "higher_is_better" else YES_NO


def _fields(kind: str) -> Iterator[Field]:
    """The fields of a kind that have a label, from the JSON schema of its payload."""
    for name, said in KINDS[kind].model_json_schema()["properties"].items():
        declared = KINDS[kind].model_fields[name]
        if not declared.title:
            continue
        type_of = next(one for one in said.get("anyOf", [said]) if one["type"] != "null")
        shape = _SHAPES.get(type_of["type"]) or _FORMS.get(type_of.get("format", ""), "line")
        most = type_of.get("maxLength") or type_of.get("maxProperties") or len(str(type_of.get("maximum", "")))
        if shape == "list":
            most = type_of["maxItems"] * (type_of["items"]["maxLength"] + 1)
        required = declared.is_required() or (kind in ENTRIES and name == title_of(kind))
        first = kind not in FIRST or name in FIRST[kind]
        yield Field(name, declared.title, shape, declared.description or "", most, required, first)


FORMS = {kind: list(_fields(kind)) for kind in KINDS}
MAX_METRICS = next(field.most for field in FORMS["result"] if field.shape == "metrics")


@dataclass(frozen=True)
class MetricRow:
    """A row of a result's values: a metric, its value, and for a new metric which direction is better."""

    name: str = ""
    value: str = ""
    better: str = ""
    is_known: bool = False


@dataclass(frozen=True)
class Filled:
    """A form with something in it: a text for each field, the rows of a result's metrics, and the entry that would be changed."""

    texts: Mapping[str, str]
    metrics: Sequence[MetricRow] = ()
    entry: str = ""


def opened(connection: sqlite3.Connection, kind: str, query: Mapping[str, str]) -> Filled | None:
    """A form as it is first shown: with what an entry has (`?task=slug`), or what the address says (`?leaderboard=slug`).

    Returns:
        None where the address names what is not there.

    Raises:
        UserError: a part of it cannot be what it should be.
    """
    if kind in ENTRIES and query.get(kind):
        number = names.meant(connection, kind, query[kind])
        if number is None:
            return None
        return Filled(_texts(entries.fields(connection, kind, number)), entry=query[kind])
    texts = {field.name: query[field.name] for field in FORMS[kind] if query.get(field.name)}
    if kind != "result":
        return Filled(texts)
    leaderboard = names.meant(connection, "leaderboard", query["leaderboard"]) if query.get("leaderboard") else None
    if query.get("leaderboard") and leaderboard is None:
        return None
    rows = [MetricRow(name, is_known=True) for name in _metrics(connection, leaderboard)]
    if query.get("corrects"):
        number = row_number(query["corrects"])
        if number is None:
            raise UserError("corrects: it must be the number of a result")
        result = _result(connection, number)
        if result is None:
            return None
        texts |= {name: text for name, text in result.items() if name != "values"}
        rows = [
            MetricRow(name, result["values"].get(name, ""), is_known=True)
            for name in _metrics(connection, result["id"])
        ]
        texts.pop("id")
    return Filled(texts, [*rows[:MAX_METRICS], *[MetricRow()] * (1 if rows else EMPTY_ROWS)])


def found_leaderboards(connection: sqlite3.Connection, words: str) -> list[dict[str, Any]]:
    """Leaderboards to choose from, the busiest first: those with these words in the name of the task or the data set."""
    choice = leaderboards.Choice(words=tuple(words[:200].split()[:8]))
    return leaderboards.listed(connection, choice, limit=MOST_FOUND)


def suggestions(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """Names to choose from for a new leaderboard, by field: those that most leaderboards have."""
    return {
        field: [
            row["name"]
            for row in connection.execute(
                f"SELECT e.name FROM {kind} e JOIN leaderboard l ON l.{kind}_id = e.id GROUP BY e.id "
                "ORDER BY count(*) DESC, e.name LIMIT ?",
                (MOST_SUGGESTED,),
            )
        ]
        for field, kind in SUGGESTED.items()
    }


def sent(kind: str, form: FormData, connection: sqlite3.Connection) -> Filled:
    """A form as it came in, to be shown again."""
    texts = {field.name: text_of(form, field.name) for field in FORMS[kind]}
    rows: list[MetricRow] = []
    if kind == "result":
        leaderboard = names.meant(connection, "leaderboard", texts["leaderboard"].strip())
        known = _metrics(connection, leaderboard)
        columns = [
            [text for text in form.getlist(name) if isinstance(text, str)] for name in ("metric", "value", "better")
        ]
        rows = [MetricRow(name, value, better, name in known) for name, value, better in zip(*columns, strict=False)]
        rows = [row for row in rows if row.name.strip() or row.value.strip()][: MAX_METRICS * 2]
        given = {row.name for row in rows}
        rows += [MetricRow(name, is_known=True) for name in known if name not in given][:MAX_METRICS]
        rows += [MetricRow()] * (1 if known else EMPTY_ROWS)
    entry = text_of(form, kind) if kind in ENTRIES else ""
    return Filled(texts, rows, entry)


def payload_of(connection: sqlite3.Connection, kind: str, filled: Filled) -> dict[str, Any]:
    """The payload that a form says. In a change of an entry, what is as it was is left out."""
    given = {
        field.name: _value(field, filled.texts.get(field.name, "")) for field in FORMS[kind] if field.shape != "metrics"
    }
    if kind in ENTRIES and filled.entry:
        number = names.meant(connection, kind, filled.entry)
        before = entries.fields(connection, kind, number) if number is not None else {}
        said = {name: value for name, value in given.items() if value is not None and value != before.get(name, "")}
        return {**said, kind: filled.entry}
    payload = {name: value for name, value in given.items() if value not in (None, "", [])}
    if kind == "result":
        payload["metrics"] = {
            row.name.strip(): row.value.strip()
            for row in filled.metrics
            if row.value.strip() or (row.name.strip() and not row.is_known)
        }
        payload["higher_is_better"] = {
            row.name.strip(): row.better == "yes"
            for row in filled.metrics
            if row.better in ("yes", "no") and row.name.strip() in payload["metrics"]
        }
    return payload


def _value(field: Field, text: str) -> Any:
    """What a field says; None where a number or a choice says nothing, and the text as it is where it is no number."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if field.shape == "list":
        return [line.strip() for line in text.split("\n") if line.strip()]
    if field.shape == "choice":
        return {"yes": True, "no": False}.get(text)
    if field.shape == "number":
        number = row_number(text)
        return text or None if number is None else number
    return text


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: "\n".join(value) if isinstance(value, list) else str(value) for name, value in values.items()}


def _metrics(connection: sqlite3.Connection, leaderboard: int | None) -> list[str]:
    rows = connection.execute("SELECT name FROM metric WHERE leaderboard_id = ? ORDER BY position, id", (leaderboard,))
    return [row["name"] for row in rows]


def _result(connection: sqlite3.Connection, number: int) -> dict[str, Any] | None:
    """What a result on a leaderboard says, for a form that corrects it; `id` is the leaderboard's number."""
    row = connection.execute(
        "SELECT r.*, m.name AS model, p.slug AS paper, l.slug AS leaderboard FROM result r JOIN model m ON m.id = r.model_id "
        "JOIN leaderboard l ON l.id = r.leaderboard_id LEFT JOIN paper p ON p.id = r.paper_id "
        "WHERE r.id = ? AND r.retired_by IS NULL AND r.kind = 'claim'",
        (number,),
    ).fetchone()
    if row is None:
        return None
    values = connection.execute(
        "SELECT m.name, v.raw FROM value v JOIN metric m ON m.id = v.metric_id WHERE v.result_id = ?", (number,)
    ).fetchall()
    return {
        "id": row["leaderboard_id"],
        "values": {value["name"]: value["raw"] for value in values},
        "leaderboard": row["leaderboard"],
        "model": row["model"],
        "paper": row["paper"] or "",
        "extra_data": "" if row["extra_data"] is None else ("no", "yes")[row["extra_data"]],
        "evaluated_on": row["evaluated_on"] or "",
        "source_url": row["source_url"] or "",
        "locator": row["locator"],
        "code_links": "\n".join(link["url"] for link in json.loads(row["code_links"])),
        "tags": "\n".join(json.loads(row["tags"])),
        "corrects": str(number),
    }
