"""Rows of the catalogue as the API shows them, by their numbers and in the order of these."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, TypeVar

from noisystudent.board.api.evaluation_models import EvaluationTable, Metric
from noisystudent.board.api.models import (
    Dataset,
    Method,
    NamedMethod,
    Paper,
    PaperInFull,
    PaperResources,
    Proceeding,
    RelatedPaper,
    Repository,
    Task,
    TaskCounts,
)
from noisystudent.board.api.ordering import DATASET_PAPERS, METHOD_PAPERS, TASK_PAPERS
from noisystudent.board.exporting.standing import hub_dataset
from noisystudent.board.queries import papers as paper_queries
from noisystudent.board.queries.tasks import LEVELS

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


def papers_with_resources(
    connection: sqlite3.Connection, ids: Sequence[int], *, asked: bool = True
) -> list[PaperResources]:
    """Papers with their code and methods, where that is asked for."""
    methods: dict[int, list[NamedMethod]] = {number: [] for number in ids}
    code = code_of(connection, ids) if asked else {}
    if asked:
        for row in connection.execute(
            "SELECT l.paper_id, m.slug, m.name FROM paper_method l JOIN method m ON m.id = l.method_id "
            f"WHERE l.paper_id {OF_GIVEN} ORDER BY l.paper_id, m.id",
            (json.dumps(list(ids)),),
        ):
            methods[row["paper_id"]].append(NamedMethod(id=row["slug"], slug=row["slug"], name=row["name"]))
    return [
        PaperResources(
            **dict(paper),
            repositories=code.get(number),
            methods=methods[number] if asked else None,
        )
        for number, paper in zip(ids, papers_of(connection, ids), strict=True)
    ]


def paper_in_full(connection: sqlite3.Connection, number: int, *, resources: bool) -> PaperInFull:
    """One paper with those that it follows and that follow it."""
    row = connection.execute("SELECT slug, reproduces_paper FROM paper WHERE id = ?", (number,)).fetchone()
    before = paper_queries.reproduces(connection, row["reproduces_paper"])
    after = paper_queries.reproduced_by(connection, row["slug"])
    return PaperInFull(
        **dict(papers_with_resources(connection, [number], asked=resources)[0]),
        predecessor_papers=_related(connection, [before["slug"]] if before else []),
        successor_papers=_related(connection, [other["slug"] for other in after]),
    )


def _related(connection: sqlite3.Connection, slugs: Sequence[str]) -> list[RelatedPaper]:
    rows = connection.execute(
        "SELECT p.slug, p.arxiv_id, p.title, p.published FROM json_each(?) wanted JOIN paper p ON p.slug = wanted.value "
        "ORDER BY wanted.key",
        (json.dumps(list(slugs)),),
    )
    return [
        RelatedPaper(
            route_identifier=row["arxiv_id"] or row["slug"], title=row["title"], published=day_of(row["published"])
        )
        for row in rows
    ]


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
        published=day_of(row["published"]),
        conference=row["venue"] or row["conference"],
        conference_url_abs=row["conference_url_abs"],
        conference_url_pdf=row["conference_url_pdf"],
        proceeding=row["proceeding"],
    )


def day_of(text: str | None) -> date | None:
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


def code_of(connection: sqlite3.Connection, papers: Sequence[int]) -> dict[int, list[Repository]]:
    """Of each paper, by its number, its code: the official first, then what has most stars."""
    found: dict[int, list[Repository]] = {paper: [] for paper in papers}
    rows = connection.execute(
        "SELECT l.paper_id, l.framework, l.is_official, r.* FROM paper_repository l JOIN repository r ON r.id = l.repository_id "
        f"WHERE l.paper_id {OF_GIVEN} ORDER BY l.is_official DESC, r.stars DESC, r.id",
        (json.dumps(list(papers)),),
    )
    for row in rows:
        found[row["paper_id"]].append(_repository(row))
    return found


def best_repositories(connection: sqlite3.Connection, papers: Sequence[int]) -> dict[int, Repository]:
    """Of each paper that has code, by its number, the official repository, or else the one with most stars."""
    return {paper: code[0] for paper, code in code_of(connection, papers).items() if code}


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


_COUNTED = (
    "SELECT task.id, task.slug, task.name, {description} AS description, "
    "(SELECT a.slug FROM task_area l JOIN area a ON a.id = l.area_id WHERE l.task_id = task.id ORDER BY a.id LIMIT 1) AS area, "
    "(SELECT o.slug FROM task_parent l JOIN task o ON o.id = l.parent_id WHERE l.task_id = task.id ORDER BY o.id LIMIT 1) AS parent, "
    f"task_level.level, {TASK_PAPERS} AS papers, "
    "(SELECT count(*) FROM leaderboard l WHERE l.task_id = task.id) AS benchmarks, "
    "(SELECT coalesce(sum(l.result_count), 0) FROM leaderboard l WHERE l.task_id = task.id) AS evaluations "
    f"FROM task LEFT JOIN {LEVELS} task_level ON task_level.id = task.id WHERE task.id {OF_GIVEN}"
)


def tasks_of(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Task]:
    """Tasks."""

    def shown(row: sqlite3.Row) -> Task:
        return Task(**_counts(row), description=row["description"])

    return in_order(connection, _COUNTED.format(description="task.description"), ids, shown)


def task_counts_of(connection: sqlite3.Connection, ids: Sequence[int]) -> list[TaskCounts]:
    """Tasks without what is said about them: of very many, that is most of it."""
    return in_order(connection, _COUNTED.format(description="''"), ids, lambda row: TaskCounts(**_counts(row)))


def _counts(row: sqlite3.Row) -> dict[str, Any]:
    return {
        **{key: row[key] for key in ("slug", "name", "level")},
        "id": row["slug"],
        "area_id": row["area"],
        "parent_id": row["parent"],
        **{f"{kind}_count": row[f"{kind}s"] for kind in ("paper", "benchmark", "evaluation")},
    }


def datasets_of(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Dataset]:
    """Datasets."""

    def shown(row: sqlite3.Row) -> Dataset:
        return Dataset(
            id=row["slug"],
            slug=row["slug"],
            name=row["name"],
            full_name=row["full_name"] or None,
            url=row["homepage"] or None,
            description=row["short_description"] or row["description"],
            hf_url=hub_address(row["homepage"], row["data_loaders"]),
            paper_count=row["papers"],
            evaluation_count=row["evaluations"],
        )

    query = (
        f"SELECT dataset.*, {DATASET_PAPERS} AS papers, "
        "(SELECT coalesce(sum(l.result_count), 0) FROM leaderboard l WHERE l.dataset_id = dataset.id) AS evaluations "
        f"FROM dataset WHERE id {OF_GIVEN}"
    )
    return in_order(connection, query, ids, shown)


def hub_address(homepage: str, data_loaders: str) -> str | None:
    """Where a dataset is on Hugging Face's hub, by its home page or its loaders (a JSON list)."""
    places = [homepage, *(loader.get("url", "") for loader in json.loads(data_loaders or "[]"))]
    name = next(filter(None, map(hub_dataset, places)), "")
    return f"https://huggingface.co/datasets/{name}" if name else None


def methods_of(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Method]:
    """Methods."""

    def shown(row: sqlite3.Row) -> Method:
        return Method(
            id=row["slug"],
            **{key: row[key] for key in ("slug", "name", "full_name", "description", "paper", "introduced_year")},
            **{key: row[key] for key in ("source_title", "source_url")},
            area_id=row["area"] or None,
            paper_count=row["papers"],
        )

    query = (
        f"SELECT method.*, {METHOD_PAPERS} AS papers, p.slug AS paper, (SELECT c.area_slug FROM method_collection l "
        "JOIN collection c ON c.id = l.collection_id WHERE l.method_id = method.id ORDER BY c.id LIMIT 1) AS area "
        f"FROM method LEFT JOIN paper p ON p.id = method.paper_id WHERE method.id {OF_GIVEN}"
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
