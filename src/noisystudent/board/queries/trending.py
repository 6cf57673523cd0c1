"""What trends, by one stated rule for pages and the API.

A paper of the twelve months before the newest dated one trends by on how many leaderboards it is among the first ten (those of five results
or more count), then by its velocity: the stars of its most starred repository for each day since it appeared. A benchmark trends by the
papers that report on it of late.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from noisystudent.board.catalogue.change import today
from noisystudent.board.queries.standings import HAS_CODE

DAYS = 365  # for which a paper trends, before the newest one; and of a benchmark's results, before today
FIRST_PLACES, LEAST_RESULTS = 10, 5  # of a leaderboard on which a paper counts, and how many results it must have

# Of a paper `p`: stars of its most starred repository for each day since it was published; null where either is not known.
VELOCITY = (
    "((SELECT max(c.stars) FROM paper_repository l JOIN repository c ON c.id = l.repository_id WHERE l.paper_id = p.id)"
    " / (julianday(:today) - julianday(p.published) + 1))"
)
# Of a paper `p`: on how many leaderboards it is among the first.
LEADERBOARDS = (
    "(SELECT count(DISTINCT l.id) FROM result r JOIN leaderboard l ON l.id = r.leaderboard_id "
    "JOIN value v ON v.result_id = r.id AND v.metric_id = l.ranked_by WHERE r.paper_id = p.id AND r.kind = 'claim' "
    f"AND r.retired_by IS NULL AND l.result_count >= {LEAST_RESULTS} AND v.rank <= {FIRST_PLACES})"
)
IS_OF_LATE = "p.published BETWEEN :since AND :today"
# Weights or code are linked, unless somebody has said of the model whether it is open. Of a result `r` and its model `m`.
IS_OPEN = f"coalesce(m.is_open, m.weights_url IS NOT NULL OR r.model_links <> '[]' OR {HAS_CODE})"


def days_ago(days: int) -> str:
    """The day that many days before today."""
    return (date.fromisoformat(today()) - timedelta(days=days)).isoformat()


def late(connection: sqlite3.Connection) -> dict[str, str]:
    """The parameters of `trending_first`: today, and since when papers are of late."""
    dated = "date(substr(published, 1, 10), '+0 days') = substr(published, 1, 10)"
    newest = connection.execute(
        f"SELECT published FROM paper WHERE published <= ? AND {dated} ORDER BY published DESC LIMIT 1", (today(),)
    ).fetchone()
    until = date.fromisoformat((newest["published"] if newest else today())[:10])
    return {"today": today(), "since": (until - timedelta(days=DAYS)).isoformat()}


def trending_first(direction: str) -> str:
    """The order of papers `p`: those of late by the rule, then the others, the newest first; undated and future ones last.

    SQL that takes the parameters that `late` gives. From the end with the direction ASC.
    """
    back = "ASC" if direction == "DESC" else "DESC"
    of_late = [
        f"CASE WHEN {IS_OF_LATE} THEN coalesce({size}, 0) ELSE 0 END {direction}" for size in (LEADERBOARDS, VELOCITY)
    ]
    rest = f"coalesce(p.published > :today, 1) {back}, p.published {direction}, p.id {direction}"
    return ", ".join([*of_late, rest])


def papers(
    connection: sqlite3.Connection, *, limit: int, days: int | None = None, least: float | None = None
) -> list[dict[str, Any]]:
    """The papers that trend: each its `id`, `slug`, `title`, `published` and on how many `leaderboards` it is among the first.

    Args:
        limit: how many at most.
        days: only those that were published so many days before today at most; in place of the time of the rule.
        least: only those of this velocity; without it, those that are among the first or whose velocity is known.
    """
    parameters = late(connection) | ({} if days is None else {"since": days_ago(days)})
    rows = connection.execute(
        f"WITH late AS MATERIALIZED (SELECT p.id, {LEADERBOARDS} AS leaderboards, {VELOCITY} AS velocity FROM paper p WHERE {IS_OF_LATE}) "
        "SELECT p.id, p.slug, p.title, p.published, leaderboards FROM late JOIN paper p ON p.id = late.id "
        "WHERE CASE WHEN :least IS NULL THEN leaderboards > 0 OR velocity IS NOT NULL ELSE velocity >= :least END "
        "ORDER BY leaderboards DESC, velocity DESC, p.published DESC, p.id DESC LIMIT :limit",
        {**parameters, "least": least, "limit": limit},
    )
    return [dict(row) for row in rows]


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
        {"today": today(), "since": days_ago(DAYS), "least": least, "limit": limit},
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
