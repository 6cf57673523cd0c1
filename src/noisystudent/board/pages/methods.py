"""Methods by area and collection, and the page of each."""

from __future__ import annotations

import sqlite3
from typing import Any

from fastapi import APIRouter
from markupsafe import Markup, escape
from starlette.responses import Response

from noisystudent.board.pages.papers import source_of
from noisystudent.board.queries import methods, papers
from noisystudent.board.queries.methods import MethodChoice
from noisystudent.board.web.paging import Page, Paging
from noisystudent.board.web.view import View, Viewing, page

router = APIRouter()

ROWS = 50
SHOWN_COLLECTIONS, SHOWN_PAPERS = 12, 20
WIDTH, HEIGHT, BASE = 600, 160, 30  # of the drawing of the usage


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
    ids, years, paper_count = methods.usage(view.connection, row["id"], SHOWN_PAPERS)
    fields = "slug name full_name description introduced_year source_title source_url code_snippet_url num_papers"
    introduced_by = row["paper_slug"] or row["paper_title"] or row["paper_url"]
    data = {
        "method": {name: row[name] for name in fields.split()},
        "source": source_of(row),
        "introduced_by": {
            "slug": row["paper_slug"],
            "title": row["found_title"] or row["paper_title"] or row["paper_url"],
            "url": row["paper_url"],
        }
        if introduced_by
        else None,
        "collections": methods.collections_of(view.connection, row["id"], SHOWN_COLLECTIONS),
        "papers": papers.entries(view.connection, ids),
        "paper_count": paper_count,
        "usage": {str(year): count for year, count in years.items()},
    }
    return data if view.as_json else data | {"bars": draw(years) if len(years) > 1 else ""}


def draw(years: dict[int, int]) -> Markup:
    """Bars of how many papers of each year use a method, each with its number.

    Example:
        >>> str(draw({2019: 1, 2020: 3})).count("<rect")
        2
    """
    most, step = max(years.values()), WIDTH / len(years)
    every = -(-len(years) // 10)  # so many years have one label among them
    said = escape(f"Papers by year: {', '.join(f'{year}: {count:,}' for year, count in years.items())}")
    parts = []
    for place, (year, count) in enumerate(years.items()):
        tall = (HEIGHT - BASE - 26) * count / most
        left, top, middle = place * step + step * 0.15, HEIGHT - BASE - tall, (place + 0.5) * step
        parts.append(f'<rect x="{left:.1f}" y="{top:.1f}" width="{step * 0.7:.1f}" height="{tall:.1f}"/>')
        if place % every == (len(years) - 1) % every:
            parts.append(f'<text x="{middle:.1f}" y="{HEIGHT - 10}">{year}</text>')
            if count:
                parts.append(f'<text x="{middle:.1f}" y="{top - 5:.1f}">{count:,}</text>')
    return Markup(
        f'<svg class="bars" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{said}">{"".join(parts)}</svg>'
    )
