"""What came to a leaderboard lately, and whether it led when it came."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from noisystudent.board.catalogue.ranking import ranks
from noisystudent.board.catalogue.values import Value
from noisystudent.board.queries.leaderboards import metrics_of

RESULTS = """
SELECT r.id, r.kind, r.added_by, r.retired_by, e.at, m.name AS model, r.paper, v.raw, v.number, v.unit, v.spread
FROM result_shown r JOIN event e ON e.id = r.added_by JOIN model m ON m.id = r.model_id
  LEFT JOIN value v ON v.result_id = r.id AND v.metric_id = ?
WHERE r.leaderboard_id = ? ORDER BY r.added_by DESC, r.position, r.id
"""


@dataclass(frozen=True)
class Addition:
    """A result that was added and is still there.

    Args:
        at: when.
        metric, raw: the metric that ranks the leaderboard and the result's value of it; empty where it has none.
        record: it led the leaderboard once it was added.
    """

    id: int
    kind: str
    at: str
    model: str
    paper_title: str
    metric: str
    raw: str
    record: bool


def newest_additions(connection: sqlite3.Connection, leaderboard: int, limit: int) -> list[Addition]:
    """The results that were added last and were not retired since, the newest first."""
    metric = next(iter(metrics_of(connection, leaderboard)), None)
    rows = connection.execute(RESULTS, (metric["id"] if metric else None, leaderboard)).fetchall()
    newest = [row for row in rows if row["retired_by"] is None][:limit]
    led = set[int]()
    if metric is not None and metric["higher_is_better"] is not None:
        for event in {row["added_by"] for row in newest}:
            led |= _leaders(rows, event, higher_is_better=bool(metric["higher_is_better"]))
    return [
        Addition(
            row["id"],
            row["kind"],
            row["at"],
            row["model"],
            row["paper"] or "",
            metric["name"] if metric else "",
            row["raw"] or "",
            row["id"] in led,
        )
        for row in newest
    ]


def _leaders(rows: Sequence[sqlite3.Row], event: int, *, higher_is_better: bool) -> set[int]:
    """Those claims that were first after an event which added them; who only drew level with an older one did not lead."""
    there = {
        row["id"]: row
        for row in rows
        if row["kind"] == "claim"
        and row["added_by"] <= event
        and (row["retired_by"] is None or row["retired_by"] > event)
    }
    values = {key: Value(row["number"], row["unit"] or "", row["spread"]) for key, row in there.items()}
    first = {key for key, rank in ranks(values, higher_is_better=higher_is_better).items() if rank == 1}
    return first if all(there[key]["added_by"] == event for key in first) else set()
