"""The list of leaderboards, and the history of each."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from noisystudent.board.catalogue import events
from noisystudent.board.exporting import export
from noisystudent.board.queries import leaderboards, tasks
from noisystudent.board.queries.leaderboards import Choice
from noisystudent.board.web.paging import Page, Paging
from noisystudent.board.web.view import View, Viewing, page

router = APIRouter()

PAGE_ROWS = 50
AREA_ROWS = 6  # of each area on the overview
OTHER = "other"  # stands for the tasks of no area


@page(router, "/sota")
def all_leaderboards(view: Viewing, q: str = "", area: str = "", page: Page = None) -> Response:
    areas = tasks.areas(view.connection)
    by_slug = {each["slug"]: each for each in areas}
    if area not in ("", OTHER) and area not in by_slug:
        raise view.missing("area")
    if not q and not area and page is None:
        return _overview(view, areas)
    choice = Choice(
        area=by_slug[area]["id"] if area in by_slug else None,
        no_area=area == OTHER and OTHER not in by_slug,
        words=tuple(q[:200].split()[:8]),
    )
    paging, total = Paging(page or 1, PAGE_ROWS), leaderboards.count(view.connection, choice)
    name = by_slug[area]["name"] if area in by_slug else ""
    data = {
        "areas": areas,
        "q": q,
        "area": area,
        "area_name": name,
        "total": total,
        "page": paging.number,
        "pages": paging.pages(total),
        "leaderboards": leaderboards.listed(view.connection, choice, limit=paging.size, offset=paging.offset),
    }
    title = f"State of the art in {name}" if name else "State of the art"
    return view.page("sota_list.html.jinja", data, title=title, description=f"{total:,} leaderboards, with who leads.")


def _overview(view: View, areas: list[dict[str, Any]]) -> Response:
    """The busiest leaderboards of each area."""
    sections = []
    for each in [*areas, {"id": None, "slug": OTHER, "name": "Other tasks", "leaderboards": None}]:
        choice = Choice(area=each["id"], no_area=each["id"] is None)
        found = leaderboards.listed(view.connection, choice, limit=AREA_ROWS)
        if found:
            total = (
                leaderboards.count(view.connection, choice) if each["leaderboards"] is None else each["leaderboards"]
            )
            sections.append({"slug": each["slug"], "name": each["name"], "total": total, "leaderboards": found})
    data = {"areas": areas, "sections": sections, "total": leaderboards.count(view.connection, Choice())}
    return view.page(
        "sota.html.jinja",
        data,
        title="State of the art",
        description=f"{data['total']:,} leaderboards by area: who leads, with which value and since when.",
    )


@page(router, "/export/sota/{slug}.csv", twin=False)
def table(view: Viewing, slug: str) -> Response:
    """One leaderboard for a spreadsheet."""
    board = view.entry("leaderboard", slug, leaderboards.find)
    content = BytesIO()
    export(view.connection, "csv", content, of=board["id"])
    return Response(
        content.getvalue(),
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{board["slug"]}.csv"'},
    )


@page(router, "/history/{slug}")
def history(view: Viewing, slug: str, page: Page = None) -> Response:
    board = view.entry("leaderboard", slug, leaderboards.find)
    metrics = leaderboards.metrics_of(view.connection, board["id"])
    paging, total = Paging(page or 1, PAGE_ROWS), events.count_of_leaderboard(view.connection, board["id"])
    data = {
        "slug": slug,
        "name": board["shown"],
        "metric": metrics[0]["name"] if metrics else None,
        "total": total,
        "page": paging.number,
        "pages": paging.pages(total),
        "events": events.of_leaderboard(
            view.connection,
            board["id"],
            metrics[0]["id"] if metrics else None,
            limit=paging.size,
            offset=paging.offset,
        ),
    }
    return view.page(
        "history.html.jinja",
        data,
        title=f"History of {data['name']}",
        description=f"What was added to {data['name']} and retired from it: when, by whom and why.",
        feed=f"/feeds/sota/{slug}.atom",
    )
