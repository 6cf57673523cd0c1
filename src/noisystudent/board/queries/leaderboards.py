"""Finding leaderboards, and listing them with who leads."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from noisystudent.board.catalogue.history import last_event
from noisystudent.board.catalogue.ranking import FILLED, RANKING_FIRST
from noisystudent.board.queries.search import literal
from noisystudent.board.queries.standings import standings

# The leader's paper is looked up for each leaderboard: SQLite would write out a view that is joined on the right.
WITH_LEADERS = """
SELECT l.slug, l.task, l.task_slug, l.dataset, l.dataset_slug, l.result_count, l.paper_count, l.best_since, model.name AS model,
  (SELECT paper_slug FROM result_shown leader WHERE leader.id = l.best_result_id) AS paper_slug,
  (SELECT paper FROM result_shown leader WHERE leader.id = l.best_result_id) AS paper_title,
  metric.name AS metric, v.raw AS value
FROM leaderboard_shown l LEFT JOIN result r ON r.id = l.best_result_id LEFT JOIN model ON model.id = r.model_id
  LEFT JOIN metric ON metric.id = l.ranked_by
  LEFT JOIN value v ON v.result_id = r.id AND v.metric_id = metric.id
"""


@dataclass(frozen=True)
class Choice:
    """Which leaderboards to list; those without a result are in no list.

    Args:
        area: number of the area that the task is in; None for all.
        no_area: only those whose task is in no area.
        task: number of the task; None for all.
        words: each must be in the name of the task or the dataset.
    """

    area: int | None = None
    no_area: bool = False
    task: int | None = None
    words: tuple[str, ...] = ()

    def where(self) -> tuple[str, list[Any]]:
        """The condition in SQL, with its parameters."""
        conditions, parameters = [FILLED], list[Any]()
        if self.area is not None:
            conditions.append("EXISTS (SELECT 1 FROM task_area ta WHERE ta.task_id = l.task_id AND ta.area_id = ?)")
            parameters.append(self.area)
        if self.no_area:
            conditions.append("NOT EXISTS (SELECT 1 FROM task_area ta WHERE ta.task_id = l.task_id)")
        if self.task is not None:
            conditions.append("l.task_id = ?")
            parameters.append(self.task)
        for word in self.words:
            conditions.append("l.shown LIKE ? ESCAPE '\\'")
            parameters.append(f"%{literal(word)}%")
        return " AND ".join(conditions), parameters


def listed(connection: sqlite3.Connection, choice: Choice, *, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """Leaderboards, the busiest first, each with its leader and since when."""
    where, parameters = choice.where()
    rows = connection.execute(
        f"{WITH_LEADERS} WHERE {where} ORDER BY l.result_count DESC, l.id LIMIT ? OFFSET ?",
        (*parameters, limit, offset),
    )
    return [dict(row) for row in rows]


def count(connection: sqlite3.Connection, choice: Choice) -> int:
    """How many leaderboards there are of a choice."""
    where, parameters = choice.where()
    return int(connection.execute(f"SELECT count(*) FROM leaderboard_shown l WHERE {where}", parameters).fetchone()[0])


def find(connection: sqlite3.Connection, slug: str) -> sqlite3.Row | None:
    """The leaderboard of that slug, with the names and slugs of its task and dataset."""
    row: sqlite3.Row | None = connection.execute(
        "SELECT l.*, s.name AS source, s.licence AS source_licence, s.url AS source_address "
        "FROM leaderboard_shown l LEFT JOIN source s ON s.id = l.source_id WHERE l.slug = ?",
        (slug,),
    ).fetchone()
    return row


def metrics_of(connection: sqlite3.Connection, leaderboard: int) -> list[sqlite3.Row]:
    """A leaderboard's metrics: first the one that ranks it, then the others in their order."""
    return connection.execute(
        f"SELECT m.* FROM metric m JOIN leaderboard l ON l.id = m.leaderboard_id WHERE l.id = ? ORDER BY {RANKING_FIRST}",
        (leaderboard,),
    ).fetchall()


def runs_of(connection: sqlite3.Connection, leaderboard: int, event: int) -> list[sqlite3.Row]:
    """Results that were measured, not claimed, as they stood after an event."""
    return connection.execute(
        "SELECT r.id, l.slug, m.name AS model, run.seeds, run.images, run.command, run.git_commit, run.intervals "
        "FROM result r JOIN leaderboard l ON l.id = r.leaderboard_id JOIN model m ON m.id = r.model_id "
        "LEFT JOIN run ON run.result_id = r.id "
        "WHERE r.leaderboard_id = :leaderboard AND r.kind = 'run' AND r.added_by <= :event "
        "AND (r.retired_by IS NULL OR r.retired_by > :event) ORDER BY r.id",
        {"leaderboard": leaderboard, "event": event},
    ).fetchall()


def ranks_of_runs(connection: sqlite3.Connection, leaderboard: int) -> dict[tuple[int, str], int]:
    """The ranks that runs have among each other, by number and name of the metric; none where claims are ranked."""
    rows = connection.execute(
        "SELECT r.id, m.name, v.rank FROM result r JOIN value v ON v.result_id = r.id JOIN metric m ON m.id = v.metric_id "
        "WHERE r.leaderboard_id = ? AND r.kind = 'run' AND r.retired_by IS NULL AND v.rank IS NOT NULL",
        (leaderboard,),
    )
    return {(row["id"], row["name"]): row["rank"] for row in rows}


def rank_today(connection: sqlite3.Connection, leaderboard: int, paper: int) -> int | None:
    """The best rank of a paper's results by the metric that ranks the leaderboard; None where it has none."""
    row = connection.execute(
        "SELECT min(v.rank) FROM leaderboard l JOIN result r ON r.leaderboard_id = l.id "
        "JOIN value v ON v.result_id = r.id AND v.metric_id = l.ranked_by "
        "WHERE l.id = ? AND r.paper_id = ? AND r.kind = 'claim' AND r.retired_by IS NULL",
        (leaderboard, paper),
    ).fetchone()
    return None if row[0] is None else int(row[0])


def record_line(connection: sqlite3.Connection, slug: str, today: str) -> list[tuple[float, float]]:
    """The records of a leaderboard until today, as (day's ordinal number, value)."""
    board = connection.execute("SELECT id FROM leaderboard WHERE slug = ?", (slug,)).fetchone()
    first = next(iter(metrics_of(connection, board["id"])), None)
    found = standings(connection, board["id"], first, last_event(connection))
    if found.higher_is_better is None:
        return []
    past = found.points().until(today)
    line = past.at(past.records(higher_is_better=found.higher_is_better))
    return [(day.toordinal(), value) for day, value in zip(line.days.tolist(), line.values.tolist(), strict=True)]
