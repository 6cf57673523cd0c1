"""Papers, and what hangs on one; the search for papers."""

from __future__ import annotations

import functools
import json
import sqlite3
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from noisystudent.board.api.evaluation_models import Result
from noisystudent.board.api.filters import Text
from noisystudent.board.api.models import (
    Dataset,
    FilteredPapers,
    Method,
    Paper,
    PaperInFull,
    PaperRepo,
    Repository,
    Task,
)
from noisystudent.board.api.operations import Read, read
from noisystudent.board.api.pages import Item, Limit, Page, Paged, Selection, Shown, listed, page_of, whole
from noisystudent.board.api.paper_filters import End, Filtered, Resources, Start, dates_between, published
from noisystudent.board.api.representations import (
    best_repositories,
    datasets_of,
    methods_of,
    paper_in_full,
    papers_of,
    papers_with_resources,
    repositories_of,
    tasks_of,
)
from noisystudent.board.api.result_rows import results_of
from noisystudent.board.queries import trending
from noisystudent.board.queries.papers import related_to
from noisystudent.board.queries.papers_found import search_papers
from noisystudent.board.queries.search import MOST_HITS
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
def paper_list(reading: Read, paging: Paged, filters: Filtered) -> FilteredPapers:
    """Papers by words of title and abstract (q), of the title, of the abstract; of a year, with code, of a task; or of an arXiv number."""
    selection = filters.selection(reading)
    shown = functools.partial(papers_with_resources, asked=filters.include_resources)
    page = listed(reading, paging, selection, shown) if selection else page_of(reading, paging, 0, [])
    return FilteredPapers(**dict(page), applied_filters=filters.applied)


@read(router, "/papers/search/")
def paper_search(
    reading: Read,
    paging: Paged,
    q: Text = None,
    mode: Annotated[
        Literal["hybrid", "keyword"],
        Query(description="By words, either way: there is no search by meaning here, so that `semantic` is refused."),
    ] = "keyword",
    start_date: Start = None,
    end_date: End = None,
) -> Page[Paper]:
    """Papers as `/search/` finds them, of a time."""
    conditions = dates_between(start_date, end_date)
    if not q or not q.strip():
        return listed(reading, paging, published(Selection("paper", "slug", {}), conditions), papers_of)
    if not conditions:
        found = search_papers(reading.connection, q, limit=paging.size, offset=paging.offset)
        return page_of(reading, paging, found.total, papers_of(reading.connection, found.ids))
    ids = search_papers(reading.connection, q, limit=MOST_HITS).ids
    rows = "json_each(:found) wanted JOIN paper p ON p.id = wanted.value WHERE 1"
    among = Selection(rows, "wanted.key", {"found": json.dumps(ids)}, "p.id")
    return listed(reading, paging, published(among, conditions), papers_of)


@read(router, "/papers/recent/")
def paper_recent_list(reading: Read, limit: Limit = 10) -> Page[Paper]:
    """The papers that were published last; those of the future are left out."""
    return whole(papers_of(reading.connection, trending.newest(reading.connection, limit)))


@read(router, "/papers/trending/")
def paper_trending_list(
    reading: Read,
    limit: Limit = 20,
    max_age_days: Annotated[
        int | None,
        Query(
            ge=1, le=365, description="Published so many days ago at most; in place of the twelve months of the rule."
        ),
    ] = None,
    min_velocity: Annotated[
        float | None,
        Query(ge=0, allow_inf_nan=False, description="So many stars a day; papers without stars are left out."),
    ] = None,
) -> Page[Paper]:
    """Trending papers, as on the front page: of the twelve months before the newest one, by on how many leaderboards of five results or
    more they are among the first ten, then by velocity, the stars of their most starred repository for each day since they appeared."""
    found = trending.papers(reading.connection, days=max_age_days, least=min_velocity, limit=limit)
    return whole(papers_of(reading.connection, [paper["id"] for paper in found]))


@read(router, "/papers/{paper_id}/")
def paper_get(reading: Read, paper_id: str, include_resources: Resources = False) -> PaperInFull:
    """One paper, by its id or its arXiv number."""
    return paper_in_full(reading.connection, reading.find("paper", paper_id), resources=include_resources)


@read(router, "/papers/{paper_id}/related/")
def paper_related_list(
    reading: Read, paper_id: str, limit: Annotated[int, Query(ge=1, le=20, description="How many at most.")] = 4
) -> Page[Paper]:
    """Papers that share most tasks with one, of the newest of each task."""
    found = related_to(reading.connection, reading.find("paper", paper_id), limit)
    return whole(papers_of(reading.connection, found))


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
