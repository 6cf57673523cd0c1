"""One search through papers, tasks, datasets and methods."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, get_args

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from noisystudent.board.queries import finding, papers
from noisystudent.board.queries.papers_found import search_papers
from noisystudent.board.queries.search import MOST_HITS, Named, search_names
from noisystudent.board.web.paging import Page, Paging
from noisystudent.board.web.view import Viewing, page

router = APIRouter()

ROWS, NAMES = 20, 12
MOST_SHOWN = 200  # characters of what was asked for


@page(router, "/search")
def search(view: Viewing, q: str = "", page: Page = None) -> Response:
    paging, text = Paging(page or 1, ROWS), q.strip()
    named = papers.of_text(view.connection, text) if paging.number == 1 else None
    if named:
        return RedirectResponse(f"/paper/{named}{'.json' if view.as_json else ''}", 302)
    found = search_papers(view.connection, text, limit=paging.size, offset=paging.offset)
    data = {
        "q": text[:MOST_SHOWN],
        "page": paging.number,
        "pages": paging.pages(found.total),
        "papers": papers.entries(view.connection, found.ids),
        "paper_count": found.total,
        "more_papers": found.more,
        "most": MOST_HITS,
        "instead": found.instead,
        "leaderboards": finding.leaderboards(view.connection, text, NAMES) if paging.number == 1 else [],
        "authors": finding.authors(view.connection, text, NAMES) if paging.number == 1 else [],
        "models": finding.models(view.connection, text, NAMES) if paging.number == 1 else [],
        "names": {kind: _named(view.connection, kind, text) for kind in get_args(Named)} if paging.number == 1 else {},
    }
    return view.page("search.html.jinja", data, title=f"Search: {data['q']}" if text else "Search")


def _named(connection: sqlite3.Connection, kind: Named, text: str) -> dict[str, Any]:
    """Rows of a table by their names, and how many there are."""
    found = search_names(connection, kind, text, NAMES)
    rows = connection.execute(
        f"SELECT t.slug, t.name FROM json_each(?) wanted JOIN {kind} t ON t.id = wanted.value ORDER BY wanted.key",
        (json.dumps(found.ids),),
    )
    return {"count": found.total, "found": [dict(row) for row in rows]}
