"""Rows of the catalogue as the API shows them, by their numbers and in the order of these."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, TypeVar

from noisystudent.board.api.evaluation_models import EvaluationTable, Metric
from noisystudent.board.api.models import Dataset, Method, Paper, Proceeding, Repository, Task

OF_GIVEN = "IN (SELECT value FROM json_each(?))"  # numbers, as a JSON list
Shown = TypeVar("Shown")


def in_order(
    connection: sqlite3.Connection, query: str, ids: Sequence[int], shown: Callable[[sqlite3.Row], Shown], *first: Any
) -> list[Shown]:
    """What a query finds of the rows with these numbers, in their order; `first` are its parameters before `OF_GIVEN`."""
    rows = connection.execute(query, (*first, json.dumps(list(ids))))
    by_id = {row["id"]: shown(row) for row in rows}
    return [by_id[number] for number in ids]


def papers_of(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Paper]:
    """Papers with all their authors."""
    authors: dict[int, list[str]] = {number: [] for number in ids}
    for row in connection.execute(
        "SELECT pa.paper_id, a.name FROM paper_author pa JOIN author a ON a.id = pa.author_id "
        f"WHERE pa.paper_id {OF_GIVEN} ORDER BY pa.paper_id, pa.position",
        (json.dumps(list(ids)),),
    ):
        authors[row["paper_id"]].append(row["name"])
    query = (
        "SELECT p.*, c.slug AS proceeding, v.slug AS venue FROM paper p LEFT JOIN proceeding c ON c.id = p.proceeding_id "
        f"LEFT JOIN venue v ON v.id = c.venue_id WHERE p.id {OF_GIVEN}"
    )
    return in_order(connection, query, ids, lambda row: _paper(row, authors[row["id"]]))


def _paper(row: sqlite3.Row, authors: list[str]) -> Paper:
    return Paper(
        id=row["slug"],
        arxiv_id=row["arxiv_id"],
        nips_id=row["nips_id"],
        openreview_id=row["openreview_id"],
        url_abs=row["url_abs"] or "",
        url_pdf=row["url_pdf"] or "",
        title=row["title"],
        abstract=row["abstract"],
        authors=authors,
        published=_day(row["published"]),
        conference=row["venue"] or row["conference"],
        conference_url_abs=row["conference_url_abs"],
        conference_url_pdf=row["conference_url_pdf"],
        proceeding=row["proceeding"],
    )


def _day(text: str | None) -> date | None:
    """A date as the dumps give it, which may be none: the published client takes nothing else."""
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def repositories_of(connection: sqlite3.Connection, ids: Sequence[int], paper: int | None = None) -> list[Repository]:
    """Repositories; with a paper, what they are to it. Elsewhere, the framework is that of any paper that names one."""
    query = (
        "SELECT r.*, coalesce(l.framework, (SELECT o.framework FROM paper_repository o WHERE o.repository_id = r.id "
        "ORDER BY o.framework = 'none', o.framework LIMIT 1), 'none') AS framework, l.is_official "
        "FROM repository r LEFT JOIN paper_repository l ON l.repository_id = r.id AND l.paper_id = ? "
        f"WHERE r.id {OF_GIVEN}"
    )
    return in_order(connection, query, ids, _repository, paper)


def best_repositories(connection: sqlite3.Connection, papers: Sequence[int]) -> dict[int, Repository]:
    """Of each paper that has code, by its number, the official repository, or else the one with most stars."""
    rows = connection.execute(
        "SELECT l.paper_id, l.framework, l.is_official, r.* FROM paper_repository l JOIN repository r ON r.id = l.repository_id "
        f"WHERE l.paper_id {OF_GIVEN} ORDER BY l.is_official, r.stars, r.id DESC",
        (json.dumps(list(papers)),),
    )
    return {row["paper_id"]: _repository(row) for row in rows}  # of each paper, the last one stays


def _repository(row: sqlite3.Row) -> Repository:
    return Repository(
        url=row["url"],
        owner=row["owner"],
        name=row["name"],
        description=row["description"],
        stars=row["stars"] or 0,
        stars_known=row["stars"] is not None,
        framework=row["framework"],
        is_official=None if row["is_official"] is None else bool(row["is_official"]),
    )


def tasks_of(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Task]:
    """Tasks."""

    def shown(row: sqlite3.Row) -> Task:
        return Task(id=row["slug"], name=row["name"], description=row["description"])

    return in_order(connection, f"SELECT id, slug, name, description FROM task WHERE id {OF_GIVEN}", ids, shown)


def datasets_of(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Dataset]:
    """Datasets."""

    def shown(row: sqlite3.Row) -> Dataset:
        full_name, url = row["full_name"] or None, row["homepage"] or None
        return Dataset(id=row["slug"], name=row["name"], full_name=full_name, url=url)

    query = f"SELECT id, slug, name, full_name, homepage FROM dataset WHERE id {OF_GIVEN}"
    return in_order(connection, query, ids, shown)


def methods_of(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Method]:
    """Methods."""

    def shown(row: sqlite3.Row) -> Method:
        return Method(
            id=row["slug"],
            name=row["name"],
            full_name=row["full_name"],
            description=row["description"],
            paper=row["paper"],
        )

    query = (
        "SELECT m.id, m.slug, m.name, m.full_name, m.description, p.slug AS paper FROM method m "
        f"LEFT JOIN paper p ON p.id = m.paper_id WHERE m.id {OF_GIVEN}"
    )
    return in_order(connection, query, ids, shown)


def names_of(connection: sqlite3.Connection, table: str, ids: Sequence[int]) -> list[tuple[str, str]]:
    """Slugs and names of authors, areas or venues."""
    query = f"SELECT id, slug, name FROM {table} WHERE id {OF_GIVEN}"
    return in_order(connection, query, ids, lambda row: (row["slug"], row["name"]))


def proceedings_of(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Proceeding]:
    """Proceedings."""

    def shown(row: sqlite3.Row) -> Proceeding:
        return Proceeding(id=row["slug"], name=row["name"], year=row["year"], month=row["month"])

    query = f"SELECT id, slug, name, year, month FROM proceeding WHERE id {OF_GIVEN}"
    return in_order(connection, query, ids, shown)


def evaluations_of(connection: sqlite3.Connection, ids: Sequence[int]) -> list[EvaluationTable]:
    """Leaderboards, which the API calls evaluation tables."""

    def shown(row: sqlite3.Row) -> EvaluationTable:
        return EvaluationTable(
            id=row["slug"],
            task=row["task"],
            dataset=row["dataset"],
            description=row["description"],
            mirror_url=row["mirror_url"],
            result_count=row["result_count"],
        )

    query = (
        "SELECT l.*, t.slug AS task, d.slug AS dataset FROM leaderboard l JOIN task t ON t.id = l.task_id "
        f"JOIN dataset d ON d.id = l.dataset_id WHERE l.id {OF_GIVEN}"
    )
    return in_order(connection, query, ids, shown)


def metrics_of(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Metric]:
    """Metrics. The published client knows two directions only, so one that is not known is no loss to it."""

    def shown(row: sqlite3.Row) -> Metric:
        return Metric(
            id=str(row["id"]),
            name=row["name"],
            description=row["description"],
            is_loss=row["higher_is_better"] == 0,
            higher_is_better=None if row["higher_is_better"] is None else bool(row["higher_is_better"]),
            direction_origin=row["direction_origin"],
            unit=row["unit"],
        )

    return in_order(connection, f"SELECT * FROM metric WHERE id {OF_GIVEN}", ids, shown)
