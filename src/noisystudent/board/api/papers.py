"""Papers, and what hangs on one; the search for papers."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query

from noisystudent.board.api.evaluation_models import Result
from noisystudent.board.api.filters import Text
from noisystudent.board.api.models import Dataset, Method, Paper, PaperRepo, Repository, Task
from noisystudent.board.api.operations import Read, read
from noisystudent.board.api.ordering import PapersBy
from noisystudent.board.api.pages import Item, Page, Paged, Selection, Shown, listed, page_of
from noisystudent.board.api.representations import (
    best_repositories,
    datasets_of,
    methods_of,
    papers_of,
    repositories_of,
    tasks_of,
)
from noisystudent.board.api.result_rows import results_of
from noisystudent.board.catalogue.slugs import arxiv_id as number_in
from noisystudent.board.queries.papers_found import search_papers
from noisystudent.board.queries.search import Query as Words
from noisystudent.board.web.paging import Paging
from noisystudent.board.web.reading import Reading

router = APIRouter(tags=["papers"])


@read(router, "/search/")
def search(reading: Read, paging: Paged, q: Text = None) -> Page[PaperRepo]:
    """Papers by words of their titles and abstracts, an arXiv number, an address, a repository or an author, each with its code.

    The best come first. Of very many, these are the first thousand.
    """
    if not q or not q.strip():
        return listed(reading, paging, Selection("paper", "slug", {}), _with_code)
    found = search_papers(reading.connection, q, limit=paging.size, offset=paging.offset)
    return page_of(reading, paging, found.total, _with_code(reading.connection, found.ids))


def _with_code(connection: sqlite3.Connection, ids: Sequence[int]) -> list[PaperRepo]:
    best = best_repositories(connection, ids)
    return [
        PaperRepo(
            paper=paper, repository=best.get(number), is_official=bool(number in best and best[number].is_official)
        )
        for number, paper in zip(ids, papers_of(connection, ids), strict=True)
    ]


@read(router, "/papers/")
def paper_list(
    reading: Read,
    paging: Paged,
    order: PapersBy,
    q: Text = None,
    arxiv_id: Text = None,
    title: Text = None,
    abstract: Text = None,
    year: Annotated[int | None, Query(ge=1000, le=9999, description="Of publication.")] = None,
    has_code: Annotated[bool | None, Query(description="With code, or without any.")] = None,
    task: Annotated[str | None, Query(max_length=300, description="Of this task, by its id or its name.")] = None,
) -> Page[Paper]:
    """Papers by words of title and abstract (q), of the title, of the abstract; of a year, with code, of a task; or of an arXiv number."""
    selection = _having({"title abstract": q, "title": title, "abstract": abstract}, arxiv_id, order)
    if selection and (year is not None or has_code is not None or task):
        selection = _narrowed(selection, year, has_code, reading.find("task", task) if task else None)
    if not selection:
        return page_of(reading, paging, 0, [])
    return listed(reading, paging, selection.ordered(order), papers_of)


@read(router, "/papers/{paper_id}/")
def paper_get(reading: Read, paper_id: str) -> Paper:
    """One paper."""
    return papers_of(reading.connection, [reading.find("paper", paper_id)])[0]


@read(router, "/papers/{paper_id}/datasets/")
def paper_dataset_list(reading: Read, paging: Paged, paper_id: str) -> Page[Dataset]:
    """The datasets that a paper introduces or uses."""
    rows = "paper_dataset l JOIN dataset d ON d.id = l.dataset_id WHERE l.paper_id = :paper"
    return _of_paper(reading, paging, paper_id, rows, "l.role, d.slug", "d.id", datasets_of)


@read(router, "/papers/{paper_id}/repositories/")
def paper_repository_list(reading: Read, paging: Paged, paper_id: str) -> Page[Repository]:
    """The code of a paper, the official first."""
    rows = "paper_repository l JOIN repository r ON r.id = l.repository_id WHERE l.paper_id = :paper"
    shown = functools.partial(repositories_of, paper=reading.find("paper", paper_id))
    return _of_paper(reading, paging, paper_id, rows, "l.is_official DESC, r.stars DESC, r.id", "r.id", shown)


@read(router, "/papers/{paper_id}/tasks/")
def paper_task_list(reading: Read, paging: Paged, paper_id: str) -> Page[Task]:
    """The tasks of a paper."""
    rows = "paper_task l JOIN task t ON t.id = l.task_id WHERE l.paper_id = :paper"
    return _of_paper(reading, paging, paper_id, rows, "t.slug", "t.id", tasks_of)


@read(router, "/papers/{paper_id}/methods/")
def paper_method_list(reading: Read, paging: Paged, paper_id: str) -> Page[Method]:
    """The methods of a paper."""
    rows = "paper_method l JOIN method m ON m.id = l.method_id WHERE l.paper_id = :paper"
    return _of_paper(reading, paging, paper_id, rows, "m.slug", "m.id", methods_of)


@read(router, "/papers/{paper_id}/results/")
def paper_result_list(reading: Read, paging: Paged, paper_id: str) -> Page[Result]:
    """A paper's results on all leaderboards: its claims and the runs beside them."""
    rows = "result r WHERE r.paper_id = :paper AND r.retired_by IS NULL"
    return _of_paper(reading, paging, paper_id, rows, "r.leaderboard_id, r.position, r.id", "r.id", results_of)


def _of_paper(
    reading: Reading, paging: Paging, paper_id: str, rows: str, order: str, key: str, shown: Shown[Item]
) -> Page[Item]:
    paper = reading.find("paper", paper_id)
    return listed(reading, paging, Selection(rows, order, {"paper": paper}, key), shown)


def _narrowed(selection: Selection, year: int | None, has_code: bool | None, task: int | None) -> Selection:
    """Those of some papers that are of a year, have code, belong to a task; the newest first."""
    conditions = [f"p.id IN (SELECT {selection.id} FROM {selection.rows})"]
    if year is not None:
        conditions.append("p.published BETWEEN :year AND :year || '~'")  # "~" is behind every digit and dash
    if has_code is not None:
        there = "EXISTS (SELECT 1 FROM paper_repository c WHERE c.paper_id = p.id)"
        conditions.append(there if has_code else f"NOT {there}")
    if task is not None:
        conditions.append("p.id IN (SELECT paper_id FROM paper_task WHERE task_id = :task)")
    parameters = {**selection.parameters, "year": str(year), "task": task}
    return Selection(f"paper p WHERE {' AND '.join(conditions)}", "p.published DESC, p.id DESC", parameters, "p.id")


def _having(texts: dict[str, str | None], arxiv: str | None, order: str | None) -> Selection | None:
    """Papers that have the words of each text in its columns, and an arXiv number. None: a text has no words, so that no paper has it."""
    given = {columns: Words.of(text).expression for columns, text in texts.items() if text and text.strip()}
    if not all(given.values()):
        return None
    parameters = {}
    if given:
        parameters["match"] = " AND ".join(f"{{{columns}}} : ({words})" for columns, words in given.items())
    if arxiv and arxiv.strip():
        parameters["arxiv"] = number_in(f"arxiv:{arxiv.strip()}") or arxiv
    having = "SELECT rowid FROM paper_search WHERE paper_search MATCH :match"
    if given and "arxiv" in parameters:
        return Selection(f"paper WHERE arxiv_id = :arxiv AND id IN ({having})", "id", parameters)
    if given and order:
        return Selection(f"paper WHERE id IN ({having})", "id", parameters)
    if given:  # those that were added last come first: the index is walked from its end, and only as far as needed
        return Selection("paper_search WHERE paper_search MATCH :match", "rowid DESC", parameters, "rowid")
    return Selection("paper WHERE arxiv_id = :arxiv" if parameters else "paper", "slug", parameters)
