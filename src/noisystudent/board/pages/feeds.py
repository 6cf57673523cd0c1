"""Atom feeds: the newest papers of all, of an area, of a task; the new results and records of a leaderboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from fastapi import APIRouter
from starlette.responses import Response

from noisystudent.board.catalogue.change import today
from noisystudent.board.catalogue.values import legible
from noisystudent.board.queries import leaderboards, tasks
from noisystudent.board.queries.additions import Addition, newest_additions
from noisystudent.board.web.view import View, Viewing, page
from noisystudent.board.web.xml_text import xml_text

router = APIRouter()

ATOM = "http://www.w3.org/2005/Atom"
ENTRIES = 50
ElementTree.register_namespace("", ATOM)


@dataclass(frozen=True)
class Entry:
    """One entry of a feed.

    Args:
        address: its page, without the site; it stays the entry's id.
        updated: a time, as RFC 3339 writes it.
        authors: names; the site itself where there are none.
    """

    address: str
    title: str
    updated: str
    summary: str = ""
    authors: Sequence[str] = ()


@page(router, "/feeds/newest.atom", twin=False)
def newest(view: Viewing) -> Response:
    papers = tasks.newest_papers(view.connection, today(), ENTRIES)
    return _feed(view, "Newest papers", "/papers", [_paper(paper) for paper in papers])


@page(router, "/feeds/area/{slug}.atom", twin=False)
def of_area(view: Viewing, slug: str) -> Response:
    area = view.entry("area", slug, tasks.area)
    papers = tasks.newest_of_area(view.connection, area["id"], today(), ENTRIES)
    return _feed(view, f"Newest papers: {area['name']}", f"/area/{slug}", [_paper(paper) for paper in papers])


@page(router, "/feeds/task/{slug}.atom", twin=False)
def of_task(view: Viewing, slug: str) -> Response:
    task = view.entry("task", slug, tasks.task)
    papers = tasks.newest_of_task(view.connection, task["id"], today(), ENTRIES)
    return _feed(view, f"Newest papers: {task['name']}", f"/task/{slug}", [_paper(paper) for paper in papers])


@page(router, "/feeds/sota/{slug}.atom", twin=False)
def of_leaderboard(view: Viewing, slug: str) -> Response:
    board = view.entry("leaderboard", slug, leaderboards.find)
    additions = newest_additions(view.connection, board["id"], ENTRIES)
    name = board["shown"]
    return _feed(view, f"Results: {name}", f"/sota/{slug}", [_result(slug, name, each) for each in additions])


def _paper(paper: dict[str, Any]) -> Entry:
    return Entry(
        f"/paper/{paper['slug']}",
        paper["title"],
        f"{(paper['published'] + '-01-01')[:10]}T00:00:00Z",  # of some, the year or the month alone is known
        paper["abstract"],
        paper["authors"],
    )


def _result(slug: str, name: str, addition: Addition) -> Entry:
    value = f": {legible(addition.raw)} {addition.metric}" if addition.raw else ""
    kind = "New record" if addition.record else "Measured" if addition.kind == "run" else "New result"
    place = f"{name}. {addition.paper_title}" if addition.paper_title else name
    return Entry(
        f"/sota/{slug}?at={addition.id}#r{addition.id}", f"{kind}: {addition.model}{value}", addition.at, place
    )


def _feed(view: View, title: str, address: str, entries: Sequence[Entry]) -> Response:
    feed = ElementTree.Element(f"{{{ATOM}}}feed")
    _text(feed, "id", view.address + view.request.url.path)
    _text(feed, "title", f"{title} | {view.site.name}")
    _text(feed, "updated", max((entry.updated for entry in entries), default=_last_change(view)))
    ElementTree.SubElement(feed, f"{{{ATOM}}}link", rel="self", href=view.address + view.request.url.path)
    ElementTree.SubElement(feed, f"{{{ATOM}}}link", rel="alternate", type="text/html", href=view.address + address)
    _text(ElementTree.SubElement(feed, f"{{{ATOM}}}author"), "name", view.site.name)
    for entry in entries:
        node = ElementTree.SubElement(feed, f"{{{ATOM}}}entry")
        _text(node, "id", view.address + entry.address)
        _text(node, "title", entry.title)
        _text(node, "updated", entry.updated)
        ElementTree.SubElement(
            node, f"{{{ATOM}}}link", rel="alternate", type="text/html", href=view.address + entry.address
        )
        for author in entry.authors:
            _text(ElementTree.SubElement(node, f"{{{ATOM}}}author"), "name", author)
        if entry.summary:
            _text(node, "summary", entry.summary)
    content = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return Response(content, media_type="application/atom+xml")


def _text(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, f"{{{ATOM}}}{name}").text = xml_text(text)


def _last_change(view: View) -> str:
    """When the catalogue last changed, for a feed without entries."""
    row = view.connection.execute("SELECT at FROM event ORDER BY id DESC LIMIT 1").fetchone()
    return str(row["at"]) if row else "1970-01-01T00:00:00Z"
