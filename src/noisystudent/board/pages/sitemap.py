"""What search engines ask for: which pages they may read, and the addresses of all entries."""

from __future__ import annotations

from xml.etree import ElementTree

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from noisystudent.board.catalogue.names import IN_ADDRESSES
from noisystudent.board.catalogue.ranking import FILLED
from noisystudent.board.web.view import View, Viewing, page
from noisystudent.board.web.xml_text import xml_text

router = APIRouter()

SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"
PART = 10_000  # numbers of rows in a file; the protocol allows 50,000 addresses
KINDS = {"leaderboard": FILLED, "task": "1", "dataset": "1", "paper": "1", "method": "1"}
NOT_FOR_ROBOTS = ("/api/", "/curate", "/export/", "/search", "/submit")
ElementTree.register_namespace("", SITEMAPS)


@page(router, "/robots.txt", twin=False)
def robots(view: Viewing) -> Response:
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in NOT_FOR_ROBOTS), f"Sitemap: {view.address}/sitemap.xml"]
    return PlainTextResponse("\n".join(lines) + "\n")


@page(router, "/sitemap.xml", twin=False)
def index(view: Viewing) -> Response:
    """The files of each kind, of so many numbers each: a row keeps its file."""
    found = []
    for kind in KINDS:
        last = view.connection.execute(f"SELECT coalesce(max(id), 0) FROM {kind}").fetchone()[0]
        found += [f"{view.address}/sitemap/{kind}-{part}.xml" for part in range(last // PART + 1) if last]
    return _xml("sitemapindex", "sitemap", found)


@page(router, "/sitemap/{kind}-{part}.xml", twin=False)
def entries(view: Viewing, kind: str, part: int) -> Response:
    if kind not in KINDS or not 0 <= part < 1_000_000:
        raise view.missing("sitemap")
    return _xml("urlset", "url", _addresses(view, kind, part))


def _addresses(view: View, kind: str, part: int) -> list[str]:
    rows = view.connection.execute(
        f"SELECT slug FROM {kind} WHERE id >= ? AND id < ? AND {KINDS[kind]} ORDER BY id",
        (part * PART, part * PART + PART),
    )
    return [f"{view.address}/{IN_ADDRESSES.get(kind, kind)}/{row['slug']}" for row in rows]


def _xml(root: str, element: str, addresses: list[str]) -> Response:
    tree = ElementTree.Element(f"{{{SITEMAPS}}}{root}")
    for address in addresses:
        one = ElementTree.SubElement(tree, f"{{{SITEMAPS}}}{element}")
        ElementTree.SubElement(one, f"{{{SITEMAPS}}}loc").text = xml_text(address)
    return Response(ElementTree.tostring(tree, encoding="utf-8", xml_declaration=True), media_type="application/xml")
