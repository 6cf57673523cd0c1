"""Pages of whose papers these are, and where papers appeared."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from noisystudent.board.queries import authors, papers
from noisystudent.board.queries.papers import PaperChoice
from noisystudent.board.web.paging import Page, Paging
from noisystudent.board.web.view import Viewing, page

router = APIRouter()

ROWS, SHOWN_PAPERS = 50, 20


@page(router, "/author/{slug}")
def author(view: Viewing, slug: str, page: Page = None) -> Response:
    row = view.entry("author", slug, authors.find)
    paging = Paging(page or 1, ROWS)
    ids, total = authors.papers_of(view.connection, row["id"], limit=paging.size, offset=paging.offset)
    data = {
        "author": {"slug": row["slug"], "name": row["name"]},
        "total": total,
        "page": paging.number,
        "pages": paging.pages(total),
        "papers": papers.entries(view.connection, ids),
    }
    return view.page(
        "author.html.jinja", data, title=row["name"], description=f"{total:,} papers of {row['name']}, with their code."
    )


@page(router, "/venue/{slug}")
def venue(view: Viewing, slug: str) -> Response:
    row = view.entry("venue", slug, authors.find_venue)
    proceedings = authors.proceedings_of(view.connection, row["id"])
    ids = papers.listed(view.connection, PaperChoice(venue=row["id"]), limit=SHOWN_PAPERS)
    data = {
        "venue": {"slug": row["slug"], "name": row["name"]},
        "proceedings": proceedings,
        "total": sum(each["papers"] for each in proceedings),
        "papers": papers.entries(view.connection, ids),
    }
    return view.page(
        "venue.html.jinja",
        data,
        title=row["name"],
        description=f"{data['total']:,} papers of {row['name']}, with their code.",
    )
