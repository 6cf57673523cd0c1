"""What is going on: leaderboards with a new leader, the latest records."""

from __future__ import annotations

import sqlite3
from typing import Any

from noisystudent.board.queries.leaderboards import WITH_LEADERS
from noisystudent.board.queries.trending import LEAST_RESULTS

# Who led before: the best of those that were there before the leader came.
BEFORE = """
SELECT model.name AS model, v.raw AS value, v.rank FROM result r JOIN model ON model.id = r.model_id JOIN value v ON v.result_id = r.id
WHERE r.leaderboard_id = ? AND r.added_by < ? AND r.retired_by IS NULL AND v.rank IS NOT NULL
  AND v.metric_id = (SELECT ranked_by FROM leaderboard l WHERE l.id = r.leaderboard_id)
ORDER BY v.rank, r.id LIMIT 1
"""


def new_leaders(connection: sqlite3.Connection, since: str, limit: int) -> list[dict[str, Any]]:
    """Leaderboards that had a leader when another came and took the place, the newest first.

    Args:
        since: a day; who came before it is not new.
        limit: how many at most.

    Returns:
        each as the lists of leaderboards have it, with `before`, the model that led and its value, and `at`, when.
    """
    rows = connection.execute(
        "SELECT l.id, l.slug, r.added_by, e.at FROM event e JOIN result r ON r.added_by = e.id "
        "JOIN leaderboard l ON l.best_result_id = r.id WHERE e.at >= ? "
        "AND EXISTS (SELECT 1 FROM result old WHERE old.leaderboard_id = l.id AND old.added_by < r.added_by AND old.retired_by IS NULL) "
        "ORDER BY e.id DESC, l.result_count DESC",
        (since,),
    )
    found: list[dict[str, Any]] = []
    for row in rows:
        if len(found) == limit:
            break
        before = connection.execute(BEFORE, (row["id"], row["added_by"])).fetchone()
        if before is not None and before["rank"] > 1:  # else the two are equal, and nobody was overtaken
            board = connection.execute(f"{WITH_LEADERS} WHERE l.id = ?", (row["id"],)).fetchone()
            found.append(dict(board) | {"before": {key: before[key] for key in ("model", "value")}, "at": row["at"]})
    return found


def latest_records(connection: sqlite3.Connection, today: str, limit: int) -> list[dict[str, Any]]:
    """The leaderboards whose leader is dated last, today at the latest, in the same form; nobody asks who led before."""
    rows = connection.execute(
        f"{WITH_LEADERS} WHERE l.best_since <= ? AND l.result_count >= ? ORDER BY l.best_since DESC, l.result_count DESC LIMIT ?",
        (today, LEAST_RESULTS, limit),
    )
    return [dict(row) | {"before": None, "at": row["best_since"]} for row in rows]


def added_since(connection: sqlite3.Connection, since: str) -> dict[str, int]:
    """How many rows of each kind events added since a day."""
    rows = connection.execute(
        "SELECT each.key, sum(each.value) AS number FROM event e, json_each(e.detail, '$.counts') each WHERE e.at >= ? GROUP BY each.key",
        (since,),
    )
    return {row["key"]: row["number"] for row in rows}
