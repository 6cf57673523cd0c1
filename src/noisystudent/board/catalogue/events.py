"""Reading the event log: what changed lately, and what happened to a leaderboard."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from typing import Any

OF_IMPORT = "json_extract(detail, '$.report.import')"  # of a part of one: the number of its first event
EVENT = f"SELECT id, at, actor, action, note, coalesce({OF_IMPORT}, id) AS first FROM event"
MOST_FOLDED = 200  # changes that are looked at, so that a long row of them costs little
SHOWN_RESULTS = 20  # of one event; an import may have brought a thousand
COUNTED = {
    "result": ("result", "results"),
    "leaderboard": ("leaderboard", "leaderboards"),
    "paper": ("paper", "papers"),
    "task": ("task", "tasks"),
    "dataset": ("dataset", "datasets"),
    "method": ("method", "methods"),
    "repository": ("repository", "repositories"),
}
# Events name the rows that they edited in their detail alone, so it is read; most have none and are passed over by the two texts.
TOUCHING = """
SELECT added_by AS event FROM result WHERE leaderboard_id = :leaderboard
UNION SELECT retired_by FROM result WHERE leaderboard_id = :leaderboard AND retired_by IS NOT NULL
UNION SELECT e.id FROM event e, json_each(e.detail, '$.changed') AS edit
  WHERE (instr(e.detail, '"table": "metric"') OR instr(e.detail, '"table": "leaderboard"') OR instr(e.detail, '"verified_by"')) AND (
    (json_extract(edit.value, '$.table') = 'leaderboard' AND json_extract(edit.value, '$.id') = :leaderboard)
    OR (json_extract(edit.value, '$.table') = 'metric'
      AND json_extract(edit.value, '$.id') IN (SELECT id FROM metric WHERE leaderboard_id = :leaderboard))
    OR (json_extract(edit.value, '$.after.verified_by') IS NOT NULL
      AND json_extract(edit.value, '$.id') IN (SELECT id FROM result WHERE leaderboard_id = :leaderboard)))
"""
RESULTS = """
SELECT r.id, r.kind, m.name AS model, r.paper_slug, r.paper AS paper_title, v.raw AS value, before.raw AS before
FROM result_shown r JOIN model m ON m.id = r.model_id
  LEFT JOIN value v ON v.result_id = r.id AND v.metric_id = :metric
  LEFT JOIN value before ON before.result_id = r.supersedes AND before.metric_id = :metric
WHERE r.leaderboard_id = :leaderboard AND {which} = :event ORDER BY r.position, r.id LIMIT :limit
"""


PARTS = f"e.id BETWEEN :first AND :last AND coalesce({OF_IMPORT}, e.id) = :first"


def newest(connection: sqlite3.Connection, limit: int) -> list[dict[str, Any]]:
    """The newest changes: when, who, what, and in `summary` what they added; in `notes` why.

    The parts of one import are one change; what one did on a day in a row, such as imports of many files, is folded into one.
    """
    folded: list[dict[str, Any]] = []
    for event in _one_by_one(connection):
        last = folded[-1] if folded else None
        if last and _day_and_doer(event) == _day_and_doer(last):
            last["counts"] += event["counts"]
            last["notes"].append(event["note"])
            last["number"] += 1
        elif len(folded) == limit:
            break
        else:
            folded.append({**event, "notes": [event["note"]], "number": 1})
        if folded[-1]["number"] == MOST_FOLDED:
            break
    return [
        {key: event[key] for key in ("id", "at", "actor", "action", "number")}
        | {"notes": [note for note in event["notes"] if note], "summary": _summary(event["counts"])}
        for event in folded
    ]


def _day_and_doer(event: dict[str, Any]) -> tuple[str, str, str]:
    return event["at"][:10], event["actor"], event["action"]


def _one_by_one(connection: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    """The events from the newest on, those of one import as its last, with the counts of all its parts."""
    row, seen = connection.execute(f"{EVENT} ORDER BY id DESC LIMIT 1").fetchone(), list[int]()
    while row is not None:
        ids = {"first": row["first"], "last": row["id"]}
        counted = connection.execute(
            "SELECT each.key, sum(each.value) AS number FROM event e, json_each(e.detail, '$.counts') each "
            f"WHERE {PARTS} GROUP BY each.key",
            ids,
        )
        counts = Counter({each["key"]: each["number"] for each in counted})
        yield {**{key: row[key] for key in ("id", "at", "actor", "action", "note")}, "counts": counts}
        if row["first"] != row["id"]:
            seen.append(row["first"])
        row = connection.execute(
            f"{EVENT} WHERE id < ? AND coalesce({OF_IMPORT}, id) NOT IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT 1",
            (row["id"], json.dumps(seen)),
        ).fetchone()


def count_of_leaderboard(connection: sqlite3.Connection, leaderboard: int) -> int:
    """How many events touched a leaderboard."""
    found = connection.execute(f"SELECT count(*) FROM ({TOUCHING})", {"leaderboard": leaderboard})
    return int(found.fetchone()[0])


def of_leaderboard(
    connection: sqlite3.Connection, leaderboard: int, metric: int | None, *, limit: int, offset: int = 0
) -> list[dict[str, Any]]:
    """The events that touched a leaderboard, the newest first.

    Args:
        metric: whose values to name the results with.

    Returns:
        each with the first results that it `added` and `retired`, how many those were, and its `edits` of the table and its metrics.
    """
    rows = connection.execute(
        f"SELECT id, at, actor, action, note, detail, NULL AS counts FROM event WHERE id IN ({TOUCHING}) "
        "ORDER BY id DESC LIMIT :limit OFFSET :offset",
        {"leaderboard": leaderboard, "limit": limit, "offset": offset},
    ).fetchall()
    metrics = {
        row["id"]: row["name"]
        for row in connection.execute("SELECT id, name FROM metric WHERE leaderboard_id = ?", (leaderboard,))
    }
    events = []
    for row in rows:
        event = _told(row) | {"edits": _edits(connection, row["detail"], leaderboard, metrics)}
        for word, column in (("added", "added_by"), ("retired", "retired_by")):
            event[word] = _results(connection, column, leaderboard, metric, row["id"])
            event[f"{word}_count"] = connection.execute(
                f"SELECT count(*) FROM result WHERE leaderboard_id = ? AND {column} = ?", (leaderboard, row["id"])
            ).fetchone()[0]
        events.append(event)
    return events


def _results(
    connection: sqlite3.Connection, column: str, leaderboard: int, metric: int | None, event: int
) -> list[dict[str, Any]]:
    rows = connection.execute(
        RESULTS.format(which=f"r.{column}"),
        {"leaderboard": leaderboard, "metric": metric, "event": event, "limit": SHOWN_RESULTS},
    )
    return [dict(row) for row in rows]


def _edits(
    connection: sqlite3.Connection, detail: str, leaderboard: int, metrics: dict[int, str]
) -> list[dict[str, Any]]:
    """What an event changed in the leaderboard's own row, in its metrics, and in who verified its results."""
    edits = []
    for edit in json.loads(detail).get("changed", []):
        what = ""
        if edit["table"] == "metric" and edit["id"] in metrics:
            what = f"metric {metrics[edit['id']]}"
        elif edit["table"] == "leaderboard" and edit["id"] == leaderboard:
            what = "the leaderboard"
        elif edit["table"] == "result" and "verified_by" in edit["after"]:
            what = _result_named(connection, leaderboard, edit["id"])
        if what:
            edits.append({"what": what, "before": edit["before"], "after": edit["after"]})
    return edits


def _result_named(connection: sqlite3.Connection, leaderboard: int, result: int) -> str:
    """A result by its number and model; "" where it is not on that leaderboard."""
    row = connection.execute(
        "SELECT m.name FROM result r JOIN model m ON m.id = r.model_id WHERE r.id = ? AND r.leaderboard_id = ?",
        (result, leaderboard),
    ).fetchone()
    return f"result {result}, {row['name']}" if row else ""


def _told(row: sqlite3.Row) -> dict[str, Any]:
    counts = Counter[str](json.loads(row["counts"] or "{}"))
    return {**{key: row[key] for key in ("id", "at", "actor", "action", "note")}, "summary": _summary(counts)}


def _summary(counts: Counter[str]) -> str:
    return ", ".join(
        f"{counts[table]:,} {one if counts[table] == 1 else many}"
        for table, (one, many) in COUNTED.items()
        if counts[table]
    )
