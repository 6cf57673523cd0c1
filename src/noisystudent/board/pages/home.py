"""The front page."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from noisystudent.board.catalogue import events
from noisystudent.board.catalogue.change import today
from noisystudent.board.charts.chart import sparkline
from noisystudent.board.queries import leaderboards, tasks
from noisystudent.board.queries.leaderboards import Choice
from noisystudent.board.queries.sizes import sizes
from noisystudent.board.web.view import Viewing, page

router = APIRouter()

NOTABLE, PAPERS, EVENTS = 9, 10, 8


@page(router, "/", json_path="/index.json")
def home(view: Viewing) -> Response:
    notable = [
        board for board in leaderboards.listed(view.connection, Choice(), limit=NOTABLE) if board["result_count"] > 0
    ]
    data = {
        "counts": sizes(view.connection),
        "notable": notable,
        "areas": tasks.areas(view.connection),
        "papers": tasks.newest_papers(view.connection, today(), PAPERS),
        "events": events.newest(view.connection, EVENTS),
    }
    if not view.as_json:
        data["lines"] = {
            board["slug"]: sparkline(leaderboards.record_line(view.connection, board["slug"], today()))
            for board in notable
        }
    return view.page(
        "home.html.jinja",
        data,
        title="Papers, code and results",
        description="Papers with their code, and leaderboards of what they claim and what was measured.",
        feed="/feeds/newest.atom",
    )
