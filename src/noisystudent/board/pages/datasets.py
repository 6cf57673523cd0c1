"""The list of datasets, and the page of each."""

from __future__ import annotations

import sqlite3
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from noisystudent.board.catalogue import names
from noisystudent.board.charts.bars import bars
from noisystudent.board.exporting.bibtex import entry
from noisystudent.board.pages import structured
from noisystudent.board.pages.origin import introduced_by, source_of
from noisystudent.board.pages.papers import from_json
from noisystudent.board.queries import datasets, papers
from noisystudent.board.queries.datasets import DatasetChoice
from noisystudent.board.queries.protocols import test_set_of
from noisystudent.board.web.paging import Page, Paging
from noisystudent.board.web.view import View, Viewing, page

router = APIRouter()

ROWS = 50
MODALITIES, LANGUAGES = 100, 200  # to choose from
SHOWN, SHOWN_PAPERS, SHOWN_WORDS = 100, 20, 50


@page(router, "/datasets")
def all_datasets(
    view: Viewing, q: str = "", modality: str = "", task: str = "", language: str = "", page: Page = None
) -> Response:
    given = {"q": q.strip(), "modality": modality.strip(), "task": task.strip(), "language": language.strip()}
    task_number = names.meant(view.connection, "task", given["task"]) if given["task"] else None
    nothing = bool(given["task"]) and task_number is None
    choice = DatasetChoice(given["q"], given["modality"], given["language"], task_number)
    total = 0 if nothing else datasets.count(view.connection, choice)
    paging = Paging(page or 1, ROWS)
    data = {
        "given": given,
        "total": total,
        "page": paging.number,
        "pages": paging.pages(total),
        "datasets": datasets.listed(view.connection, choice, limit=paging.size, offset=paging.offset) if total else [],
    }
    if not view.as_json:
        data["modalities"] = datasets.words_of(view.connection, "modalities", MODALITIES)
        data["languages"] = datasets.words_of(view.connection, "languages", LANGUAGES)
    return view.page(
        "datasets.html.jinja",
        data,
        title="Datasets",
        description=f"{total:,} datasets with their benchmarks and papers.",
    )


@page(router, "/dataset/{slug}")
def dataset(view: Viewing, slug: str) -> Response:
    row = view.entry("dataset", slug, datasets.find)
    data = _page_of(view, row)
    description = row["short_description"] or row["description"] or f"{row['shown']}: benchmarks and papers."
    return view.page(
        "dataset.html.jinja",
        data,
        title=row["shown"],
        description=description,
        structured=structured.dataset(view.address, data, row["shown"], description, _citation(view, row)),
    )


def _citation(view: View, row: sqlite3.Row) -> str:
    return entry(view.connection, row["paper_id"]) if row["paper_slug"] else ""


def _page_of(view: View, row: sqlite3.Row) -> dict[str, Any]:
    connection, number = view.connection, row["id"]
    ids, years, paper_count = datasets.usage_of(connection, number, SHOWN_PAPERS)
    fields = "slug name full_name homepage description licence_name licence_url warning introduced_date num_papers"
    loaders = [each for each in from_json(row["data_loaders"]) if isinstance(each, dict)][:SHOWN_WORDS]
    found = {
        "dataset": {name: row[name] for name in fields.split()},
        "source": source_of(row),
        "whole": {"slug": row["whole_slug"], "name": row["whole_name"]} if row["whole_slug"] else None,
        **{name: from_json(row[name])[:SHOWN_WORDS] for name in ("modalities", "languages", "variants")},
        "data_loaders": [
            {
                "url": str(each.get("url") or ""),
                "repo": str(each.get("repo") or ""),
                "frameworks": [str(framework) for framework in each.get("frameworks") or []],
            }
            for each in loaders
        ],
        "introduced_by": introduced_by(row),
        "tasks": datasets.tasks_of(connection, number, SHOWN),
        "parts": datasets.parts_of(connection, number, SHOWN),
        "leaderboards": datasets.leaderboards_of(connection, number, SHOWN),
        "papers": papers.entries(connection, ids),
        "paper_count": paper_count,
        "usage": {str(year): count for year, count in years.items()},
        "test_set": test_set_of(row["name"]),
    }
    return found if view.as_json else found | {"bars": bars(years)}
