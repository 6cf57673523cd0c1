"""Reading the event log: what changed lately, and what happened to a leaderboard."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from typing import Any

OF_IMPORT = "json_extract(detail, '$.report.import')"  # of a part of one: the number of its first event
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
  WHERE (instr(e.detail, '"table": "metric"') OR instr(e.detail, '"table": "leaderboard"')) AND (
    (json_extract(edit.value, '$.table') = 'leaderboard' AND json_extract(edit.value, '$.id') = :leaderboard)
    OR (json_extract(edit.value, '$.table') = 'metric'
      AND json_extract(edit.value, '$.id') IN (SELECT id FROM metric WHERE leaderboard_id = :leaderboard)))
"""
RESULTS = """
SELECT r.id, r.kind, m.name AS model, r.paper_slug, r.paper AS paper_title, v.raw AS value, before.raw AS before
FROM result_shown r JOIN model m ON m.id = r.model_id
  LEFT JOIN value v ON v.result_id = r.id AND v.metric_id = :metric
  LEFT JOIN value before ON before.result_id = r.supersedes AND before.metric_id = :metric
WHERE r.leaderboard_id = :leaderboard AND {which} = :event ORDER BY r.position, r.id LIMIT :limit
"""


def newest(connection: sqlite3.Connection, limit: int) -> list[dict[str, Any]]:
    """The newest events: when, who, what and why, and in `summary` what they added. The parts of one import are one, told as its last."""
    rows = connection.execute(
        "SELECT id, at, actor, action, note, json_extract(detail, '$.counts') AS counts, "
        f"coalesce({OF_IMPORT}, id) AS first FROM event ORDER BY id DESC"
    )
    together: dict[int, list[sqlite3.Row]] = {}
    for row in rows:
        if len(together) < limit or row["first"] in together:
            together.setdefault(row["first"], []).append(row)
        if len(together) == limit and row["id"] <= min(together):
            break
    return [_told(*parts) for parts in together.values()]


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
        event = _told(row) | {"edits": _edits(row["detail"], leaderboard, metrics)}
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


def _edits(detail: str, leaderboard: int, metrics: dict[int, str]) -> list[dict[str, Any]]:
    """What an event changed in the leaderboard's own row and in its metrics."""
    edits = []
    for edit in json.loads(detail).get("changed", []):
        of_metric = edit["table"] == "metric" and edit["id"] in metrics
        if of_metric or (edit["table"] == "leaderboard" and edit["id"] == leaderboard):
            edits.append(
                {
                    "what": f"metric {metrics[edit['id']]}" if of_metric else "the leaderboard",
                    "before": edit["before"],
                    "after": edit["after"],
                }
            )
    return edits


def _told(*parts: sqlite3.Row) -> dict[str, Any]:
    counts = Counter[str]()
    for part in parts:
        counts.update(json.loads(part["counts"] or "{}"))
    told = [
        f"{counts[table]:,} {one if counts[table] == 1 else many}"
        for table, (one, many) in COUNTED.items()
        if counts[table]
    ]
    return {**{key: parts[0][key] for key in ("id", "at", "actor", "action", "note")}, "summary": ", ".join(told)}
