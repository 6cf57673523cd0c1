"""The front page."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from noisystudent.board.catalogue import events
from noisystudent.board.catalogue.change import today
from noisystudent.board.charts.chart import sparkline
from noisystudent.board.queries import lately, leaderboards, tasks, trending
from noisystudent.board.queries.leaderboards import Choice
from noisystudent.board.queries.sizes import sizes
from noisystudent.board.web.view import Viewing, page

router = APIRouter()

NOTABLE, PAPERS, EVENTS, TRENDING, MOVED = 8, 8, 6, 8, 8
MONTH = 30  # days


@page(router, "/", json_path="/index.json")
def home(view: Viewing) -> Response:
    day, since = today(), trending.days_ago(MONTH)
    notable = leaderboards.listed(view.connection, Choice(), limit=NOTABLE)
    data = {
        "counts": sizes(view.connection),
        "notable": notable,
        "areas": tasks.areas(view.connection),
        "since": since,
        "added": lately.added_since(view.connection, since),
        "moved": lately.new_leaders(view.connection, since, MOVED),
        "records": lately.latest_records(view.connection, day, MOVED),
        "trending": trending.papers(view.connection, limit=TRENDING),
        "papers": tasks.newest_papers(view.connection, day, PAPERS),
        "events": events.newest(view.connection, EVENTS),
    }
    if not view.as_json:
        data["lines"] = {
            board["slug"]: sparkline(leaderboards.record_line(view.connection, board["slug"], day)) for board in notable
        }
    return view.page(
        "home.html.jinja",
        data,
        title="Papers, code and results",
        description="Papers with their code, and leaderboards of what they claim and what was measured.",
        feed="/feeds/newest.atom",
    )
