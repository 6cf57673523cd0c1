"""What trends, by a stated rule: papers by the stars that their code gathers, benchmarks by the papers that report on them of late."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from noisystudent.board.catalogue.change import today
from noisystudent.board.queries.standings import HAS_CODE

DAYS = 180  # a paper trends for half a year
RECENT_DAYS = 365  # of a benchmark's results

# Of a paper `p`: stars of its most starred repository for each day since it was published; null where either is not known.
VELOCITY = (
    "((SELECT max(c.stars) FROM paper_repository l JOIN repository c ON c.id = l.repository_id WHERE l.paper_id = p.id)"
    " / (julianday(:today) - julianday(p.published) + 1))"
)
IS_OF_LATE = "p.published BETWEEN :since AND :today"
# Weights or code are linked, unless somebody has said of the model whether it is open. Of a result `r` and its model `m`.
IS_OPEN = f"coalesce(m.is_open, m.weights_url IS NOT NULL OR r.model_links <> '[]' OR {HAS_CODE})"


def days_ago(days: int) -> str:
    """The day that many days before today."""
    return (date.fromisoformat(today()) - timedelta(days=days)).isoformat()


def trending_first(direction: str) -> str:
    """The order of papers `p`: those of the last half year by velocity, then the others, the newest first; undated and future ones last.

    SQL that takes the parameters `today` and `since`. From the end with the direction ASC.
    """
    velocity = f"CASE WHEN {IS_OF_LATE} THEN coalesce({VELOCITY}, 0) ELSE 0 END"
    back = "ASC" if direction == "DESC" else "DESC"
    return (
        f"{velocity} {direction}, coalesce(p.published > :today, 1) {back}, p.published {direction}, p.id {direction}"
    )


def papers(connection: sqlite3.Connection, *, days: int, least: float | None, limit: int) -> list[int]:
    """The numbers of the papers of the last days by velocity, then the newest; `least` leaves out slower ones and those without stars."""
    enough = "" if least is None else f" AND {VELOCITY} >= :least"
    rows = connection.execute(
        f"SELECT p.id FROM paper p WHERE {IS_OF_LATE}{enough} ORDER BY {trending_first('DESC')} LIMIT :limit",
        {"today": today(), "since": days_ago(days), "least": least, "limit": limit},
    )
    return [row["id"] for row in rows]


def newest(connection: sqlite3.Connection, limit: int) -> list[int]:
    """The numbers of the papers that were published last, those of the future left out."""
    sql = "SELECT id FROM paper WHERE published <= ? ORDER BY published DESC, id DESC LIMIT ?"
    return [row["id"] for row in connection.execute(sql, (today(), limit))]


def benchmarks(
    connection: sqlite3.Connection,
    tasks: Sequence[int],
    *,
    least: int = 0,
    is_open: bool | None = None,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """The data sets with claims on leaderboards of some tasks, those first of which most papers have results of the last year.

    Args:
        least: so many papers of the last year at least.
        is_open: count only results of models that are open, or only others.

    Returns:
        of each its number `id`, `recent` and `papers` (how many papers, of the last year and in all), `results`, and the `best` result: the
        number of the leading one of the leaderboard with most of them.
    """
    if not tasks:
        return []
    given = ", ".join(str(int(task)) for task in tasks)
    passing = "" if is_open is None else f" AND {IS_OPEN} = {int(is_open)}"
    rows = connection.execute(
        "SELECT l.dataset_id AS id, count(*) AS results, count(DISTINCT r.paper_id) AS papers, "
        "count(DISTINCT CASE WHEN r.on_day BETWEEN :since AND :today THEN r.paper_id END) AS recent "
        "FROM leaderboard l JOIN result r ON r.leaderboard_id = l.id AND r.retired_by IS NULL AND r.kind = 'claim' "
        f"JOIN model m ON m.id = r.model_id WHERE l.task_id IN ({given}){passing} GROUP BY l.dataset_id "
        "HAVING recent >= :least ORDER BY recent DESC, papers DESC, results DESC, l.dataset_id LIMIT :limit",
        {"today": today(), "since": days_ago(RECENT_DAYS), "least": least, "limit": limit},
    ).fetchall()
    return [dict(row) | {"best": _best(connection, given, row["id"], passing)} for row in rows]


def _best(connection: sqlite3.Connection, tasks: str, dataset: int, passing: str) -> int | None:
    """The best claim on the busiest leaderboard of a data set."""
    row = connection.execute(
        "SELECT r.id FROM result r JOIN model m ON m.id = r.model_id JOIN leaderboard l ON l.id = r.leaderboard_id "
        "LEFT JOIN value v ON v.result_id = r.id AND v.metric_id = l.ranked_by "
        f"WHERE l.task_id IN ({tasks}) AND l.dataset_id = ? AND r.retired_by IS NULL AND r.kind = 'claim'{passing} "
        "ORDER BY l.result_count DESC, l.id, v.rank IS NULL, v.rank, r.position, r.id LIMIT 1",
        (dataset,),
    ).fetchone()
    return None if row is None else int(row["id"])
