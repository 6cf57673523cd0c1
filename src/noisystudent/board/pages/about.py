"""What this site is, where its data come from, and how its numbers are to be read."""

from __future__ import annotations

import sqlite3
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from noisystudent.board.catalogue.directions import LEAST_CORRELATION, LEAST_ROWS
from noisystudent.board.pages.downloads import FILES
from noisystudent.board.queries import verdicts
from noisystudent.board.queries.sizes import sizes, sizes_by_source
from noisystudent.board.web.view import Viewing, page

router = APIRouter()


@page(router, "/about")
def about(view: Viewing) -> Response:
    newest = view.connection.execute("SELECT id, at, action FROM event ORDER BY id DESC LIMIT 1").fetchone()
    data = {
        "counts": sizes(view.connection),
        "sources": _sources(view.connection),
        "newest": dict(newest) if newest else None,
        "files": list(FILES),
        "directions": _directions(view.connection),
        "rules": {
            "points": verdicts.POINTS,
            "relative": verdicts.RELATIVE,
            "seeds": verdicts.SEEDS_REQUIRED,
            "least_rows": LEAST_ROWS,
            "least_correlation": LEAST_CORRELATION,
        },
    }
    return view.page(
        "about.html.jinja",
        data,
        title="About",
        description="Where the data come from, and how the numbers are to be read.",
    )


def _sources(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """The layers with their licence, and how many rows come from each."""
    counts = sizes_by_source(connection)
    found = [
        {**{key: row[key] for key in ("name", "licence", "attribution", "url")}, "counts": counts.get(row["id"], {})}
        for row in connection.execute("SELECT * FROM source ORDER BY id")
    ]
    if None in counts:
        found.append({"name": "", "licence": "", "attribution": "", "url": "", "counts": counts[None]})
    return found


def _directions(connection: sqlite3.Connection) -> dict[str, int]:
    """How many metrics have their direction from where."""
    rows = connection.execute(
        "SELECT direction_origin, count(*) AS number FROM metric GROUP BY direction_origin ORDER BY number DESC"
    )
    return {row["direction_origin"]: row["number"] for row in rows}
