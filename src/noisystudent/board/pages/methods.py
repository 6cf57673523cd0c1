"""Methods by area and collection, and the page of each."""

from __future__ import annotations

import sqlite3
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from noisystudent.board.charts.bars import bars
from noisystudent.board.pages.origin import introduced_by, source_of
from noisystudent.board.queries import methods, papers
from noisystudent.board.queries.methods import MethodChoice
from noisystudent.board.web.paging import Page, Paging
from noisystudent.board.web.view import View, Viewing, page

router = APIRouter()

ROWS = 50
SHOWN_COLLECTIONS, SHOWN_PAPERS = 12, 20


@page(router, "/methods")
def all_methods(view: Viewing, q: str = "", area: str = "", collection: str = "", page: Page = None) -> Response:
    given = {"q": q.strip(), "area": area.strip(), "collection": collection.strip()}
    row = methods.find_collection(view.connection, given["collection"]) if given["collection"] else None
    nothing = bool(given["collection"]) and row is None
    choice = MethodChoice(given["q"], given["area"], row["id"] if row else None)
    total = 0 if nothing else methods.count(view.connection, choice)
    paging = Paging(page or 1, ROWS)
    data = {
        "given": given,
        "collection": {"slug": row["slug"], "name": row["name"], "area": row["area"]} if row else None,
        "areas": methods.areas(view.connection),
        "total": total,
        "page": paging.number,
        "pages": paging.pages(total),
        "methods": methods.listed(view.connection, choice, limit=paging.size, offset=paging.offset) if total else [],
    }
    return view.page(
        "methods.html.jinja",
        data | {"shown_collections": SHOWN_COLLECTIONS},
        title=row["name"] if row else "Methods",
        description=f"{total:,} methods with the papers that use them.",
    )


@page(router, "/method/{slug}")
def method(view: Viewing, slug: str) -> Response:
    row = view.entry("method", slug, methods.find)
    return view.page(
        "method.html.jinja",
        _page_of(view, row),
        title=row["full_name"] or row["name"],
        description=row["description"] or f"{row['name']}: the papers that use it.",
    )


def _page_of(view: View, row: sqlite3.Row) -> dict[str, Any]:
    ids, years, paper_count = methods.usage_of(view.connection, row["id"], SHOWN_PAPERS)
    fields = "slug name full_name description introduced_year source_title source_url code_snippet_url num_papers"
    data = {
        "method": {name: row[name] for name in fields.split()},
        "source": source_of(row),
        "introduced_by": introduced_by(row),
        "collections": methods.collections_of(view.connection, row["id"], SHOWN_COLLECTIONS),
        "papers": papers.entries(view.connection, ids),
        "paper_count": paper_count,
        "usage": {str(year): count for year, count in years.items()},
    }
    return data if view.as_json else data | {"bars": bars(years)}
