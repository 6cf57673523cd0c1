"""Datasets: listing them by a choice, and everything that a dataset's page says."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any, Literal

from noisystudent.board.catalogue.ranking import FILLED
from noisystudent.board.queries.leaderboards import WITH_LEADERS
from noisystudent.board.queries.search import search_names
from noisystudent.board.queries.usage import Usage, usage

MOST_FOUND = 1_000  # by words
EXCERPT = 220


@dataclass(frozen=True)
class DatasetChoice:
    """Which datasets to list; every part that is given narrows it.

    Args:
        text: letters of the name.
        modality, language: as a dataset has them.
        task: number of a task that has the dataset, or a leaderboard on it.
    """

    text: str = ""
    modality: str = ""
    language: str = ""
    task: int | None = None

    def where(self, connection: sqlite3.Connection) -> tuple[str, list[Any]]:
        """The condition in SQL on a dataset `d`, with its parameters. Parts of a dataset are not listed, but found by words."""
        conditions, parameters = ["d.parent_id IS NULL"], list[Any]()
        if self.text.strip():
            conditions = ["d.id IN (SELECT value FROM json_each(?))"]
            parameters.append(json.dumps(search_names(connection, "dataset", self.text, MOST_FOUND).ids))
        for column, value in (("modalities", self.modality), ("languages", self.language)):
            if value:
                conditions.append(f"EXISTS (SELECT 1 FROM json_each(d.{column}) WHERE value = ?)")
                parameters.append(value)
        if self.task is not None:
            conditions.append(
                "d.id IN (SELECT dataset_id FROM dataset_task WHERE task_id = ? UNION SELECT dataset_id FROM leaderboard WHERE task_id = ?)"
            )
            parameters += [self.task, self.task]
        return " AND ".join(conditions), parameters


def listed(
    connection: sqlite3.Connection, choice: DatasetChoice, *, limit: int, offset: int = 0
) -> list[dict[str, Any]]:
    """Datasets, those that most papers use first."""
    where, parameters = choice.where(connection)
    rows = connection.execute(
        "SELECT d.slug, d.shown AS name, d.full_name, d.modalities, d.num_papers, "
        "substr(coalesce(nullif(d.short_description, ''), d.description), 1, ?) AS excerpt, "
        f"(SELECT count(*) FROM leaderboard l WHERE l.dataset_id = d.id AND {FILLED}) AS leaderboards "
        f"FROM dataset_shown d WHERE {where} ORDER BY coalesce(d.num_papers, 0) DESC, d.name, d.id LIMIT ? OFFSET ?",
        (EXCERPT, *parameters, limit, offset),
    )
    return [dict(row) | {"modalities": json.loads(row["modalities"])} for row in rows]


def count(connection: sqlite3.Connection, choice: DatasetChoice) -> int:
    """How many datasets there are of a choice."""
    where, parameters = choice.where(connection)
    return int(connection.execute(f"SELECT count(*) FROM dataset d WHERE {where}", parameters).fetchone()[0])


def words_of(connection: sqlite3.Connection, column: Literal["modalities", "languages"], limit: int) -> list[str]:
    """What datasets have in a column, the most frequent first."""
    rows = connection.execute(
        f"SELECT each.value FROM dataset d, json_each(d.{column}) each WHERE d.{column} <> '[]' AND each.type = 'text' "
        "GROUP BY each.value ORDER BY count(*) DESC, each.value LIMIT ?",
        (limit,),
    )
    return [row[0] for row in rows]


def find(connection: sqlite3.Connection, slug: str) -> sqlite3.Row | None:
    """The dataset of that slug with what it is a part of, the paper that introduced it, and its source."""
    row: sqlite3.Row | None = connection.execute(
        "SELECT d.*, "
        "p.slug AS paper_slug, p.title AS found_title, s.name AS source, s.licence AS source_licence, s.url AS source_address "
        "FROM dataset_shown d LEFT JOIN paper p ON p.id = d.paper_id "
        "LEFT JOIN source s ON s.id = d.source_id WHERE d.slug = ?",
        (slug,),
    ).fetchone()
    return row


def parts_of(connection: sqlite3.Connection, dataset: int, limit: int) -> list[dict[str, Any]]:
    """The datasets that are parts of one."""
    rows = connection.execute(
        "SELECT slug, name FROM dataset WHERE parent_id = ? ORDER BY name LIMIT ?", (dataset, limit)
    )
    return [dict(row) for row in rows]


def tasks_of(connection: sqlite3.Connection, dataset: int, limit: int) -> list[dict[str, Any]]:
    """The tasks that a dataset is for: those that name it, and those with a leaderboard on it."""
    rows = connection.execute(
        "SELECT t.slug, t.name FROM task t WHERE t.id IN (SELECT task_id FROM dataset_task WHERE dataset_id = ? "
        "UNION SELECT task_id FROM leaderboard WHERE dataset_id = ?) ORDER BY t.name LIMIT ?",
        (dataset, dataset, limit),
    )
    return [dict(row) for row in rows]


def leaderboards_of(connection: sqlite3.Connection, dataset: int, limit: int) -> list[dict[str, Any]]:
    """The leaderboards on a dataset and on its parts, the busiest first, each with who leads."""
    rows = connection.execute(
        f"{WITH_LEADERS} WHERE (l.dataset_id = ? OR l.whole_dataset_id = ?) AND {FILLED} "
        "ORDER BY l.result_count DESC, l.id LIMIT ?",
        (dataset, dataset, limit),
    )
    return [dict(row) for row in rows]


def usage_of(connection: sqlite3.Connection, dataset: int, newest: int) -> Usage:
    """The papers that a data set stands with, and those that have a result on a leaderboard of it or of a part of it."""
    papers = (
        "SELECT paper_id FROM paper_dataset WHERE dataset_id = :dataset UNION "
        "SELECT r.paper_id FROM leaderboard_shown l JOIN result r ON r.leaderboard_id = l.id "
        "WHERE (l.dataset_id = :dataset OR l.whole_dataset_id = :dataset) AND r.retired_by IS NULL AND r.paper_id IS NOT NULL"
    )
    return usage(connection, papers, {"dataset": dataset}, newest)
