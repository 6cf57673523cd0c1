"""The list of papers, and the page of each."""

from __future__ import annotations

import json
import sqlite3
from calendar import month_name
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from noisystudent.board.catalogue import names
from noisystudent.board.exporting import bibtex
from noisystudent.board.pages import structured
from noisystudent.board.pages.origin import source_of
from noisystudent.board.queries import authors, papers
from noisystudent.board.queries.papers import PaperChoice
from noisystudent.board.queries.sizes import number_of
from noisystudent.board.queries.verdicts import verdicts_of_paper
from noisystudent.board.web.paging import Page, Paging
from noisystudent.board.web.view import View, Viewing, page

router = APIRouter()

ROWS = 50
# Of a paper with thousands of these, the first ones stand on its page.
SHOWN = {"author": 50, "task": 40, "method": 40, "introduced": 20, "used": 40, "repository": 60, "value": 300}
BADGES = 12
FOLDED = 6  # models of a leaderboard; more than that unfold
MOST_VENUES = 500


@page(router, "/papers")
def all_papers(
    view: Viewing,
    q: str = "",
    task: str = "",
    venue: str = "",
    year: str = "",
    code: str = "",
    page: Page = None,
) -> Response:
    paging = Paging(page or 1, ROWS)
    given = {"q": q.strip(), "task": task.strip(), "venue": venue.strip(), "year": year.strip(), "code": code.strip()}
    chosen = _choice(view.connection, given)
    ids = papers.listed(view.connection, chosen, limit=ROWS + 1, offset=paging.offset) if chosen else []
    if paging.offset and not ids:
        raise view.missing("page")
    data = {
        "given": given,
        "page": paging.number,
        "more": len(ids) > ROWS,
        "papers": papers.entries(view.connection, ids[:ROWS]),
        "total": number_of(view.connection, "paper"),
    }
    if not view.as_json:
        data["venues"] = authors.venues(view.connection, MOST_VENUES)
    return view.page(
        "papers.html.jinja",
        data,
        title="Papers",
        description=f"{data['total']:,} papers with their code and results, the newest first.",
        feed="/feeds/newest.atom",
    )


def _choice(connection: sqlite3.Connection, given: dict[str, str]) -> PaperChoice | None:
    """What the form says; None where it names what is not there, so that nothing is found."""
    numbers: dict[str, int | None] = {"task": None, "venue": None}
    for kind in numbers:
        if given[kind]:
            numbers[kind] = names.meant(connection, kind, given[kind])
            if numbers[kind] is None:
                return None
    year, code = given["year"], given["code"]
    if (year and not (year.isascii() and year.isdigit() and len(year) == 4)) or code not in ("", "yes", "official"):
        return None
    return PaperChoice(
        text=given["q"],
        task=numbers["task"],
        venue=numbers["venue"],
        code=code == "yes",
        official=code == "official",
        year=int(year) if year else None,
    )


@page(router, "/paper/{slug}.bib", twin=False)
def citation(view: Viewing, slug: str) -> Response:
    row = view.entry("paper", slug, papers.find)
    return Response(bibtex.entry(view.connection, row["id"]), media_type="application/x-bibtex; charset=utf-8")


@page(router, "/paper/{slug}")
def paper(view: Viewing, slug: str) -> Response:
    row = view.entry("paper", slug, papers.find)
    data = _page_of(view, row)
    return view.page(
        "paper.html.jinja",
        data if view.as_json else data | {"boards": _by_leaderboard(data["results"]), "folded": FOLDED},
        title=row["title"],
        description=row["short_abstract"] or row["abstract"],
        structured=structured.article(view.address, data),
    )


def _page_of(view: View, row: sqlite3.Row) -> dict[str, Any]:
    connection, number = view.connection, row["id"]
    results, counts = papers.results_of(connection, number, SHOWN["value"]), papers.count_of(connection, number)
    fields = (
        "slug title abstract short_abstract arxiv_id openreview_id url_abs url_pdf published proceeding venue venue_slug conference "
        "conference_url_abs conference_url_pdf"
    )
    return {
        "paper": {name: row[name] for name in fields.split()} | {"appeared": _appeared(row)},
        "source": source_of(row),
        "counts": counts,
        "authors": papers.authors_of(connection, number, SHOWN["author"]),
        "tasks": papers.tasks_of(connection, number, SHOWN["task"]),
        "repositories": papers.repositories_of(connection, number, SHOWN["repository"]),
        "results": results,
        "measured": verdicts_of_paper(connection, number),
        "methods": papers.methods_of(connection, number, SHOWN["method"]),
        "introduced": papers.datasets_of(connection, number, "introduced", SHOWN["introduced"]),
        "used": papers.datasets_of(connection, number, "used", SHOWN["used"]),
        "related": papers.related(connection, number),
        "reproduces": papers.reproduces(connection, row["reproduces_paper"]),
        "reproduced_by": papers.reproduced_by(connection, row["slug"]),
        "badges": _badges(view, row["slug"], results),
        "bibtex": bibtex.entry(connection, number) if counts["author"] <= SHOWN["author"] else "",
    }


def _by_leaderboard(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Results in groups: a leaderboard, its models in order, of each its values; `place` is the best rank, with `at`, whose it is."""
    boards: dict[str, dict[str, Any]] = {}
    for row in results:
        board = boards.setdefault(row["leaderboard"], row | {"models": {}, "place": None, "at": row["result"]})
        model = board["models"].setdefault(
            row["result"], {"model": row["model"], "result": row["result"], "values": []}
        )
        model["values"].append(row)
        if row["ranks"] and row["rank"] and (board["place"] is None or row["rank"] < board["place"]):
            board["place"], board["at"] = row["rank"], row["result"]
    return [board | {"models": list(board["models"].values())} for board in boards.values()]


def _appeared(row: sqlite3.Row) -> str:
    """Month and year of the proceedings, of which the name has numbers alone: "CVPR 2020 6"."""
    year, month = row["proceeding_year"], row["proceeding_month"]
    return f"{month_name[month]} {year}" if year and month in range(1, 13) else ""


def _badges(view: View, slug: str, results: list[dict[str, Any]]) -> list[dict[str, str]]:
    """For the README of the paper's code: Markdown of an image that links to the leaderboard."""
    names = {row["leaderboard"]: row["shown"] for row in results}
    return [
        {
            "leaderboard": board,
            "name": name,
            "markdown": f"[![{_plain(name)}]({view.address}/badge/{board}/{slug}.svg)]({view.address}/sota/{board})",
        }
        for board, name in list(names.items())[:BADGES]
    ]


def _plain(name: str) -> str:
    """A name without what Markdown would take for the end of the text."""
    return "".join(letter for letter in name if letter not in "[]\\`<>\n")


def from_json(text: str) -> list[Any]:
    """A column with a JSON list; anything else in it counts as none."""
    found = json.loads(text)
    return found if isinstance(found, list) else []
