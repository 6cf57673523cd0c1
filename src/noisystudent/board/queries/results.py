"""A result of the catalogue, whole."""

from __future__ import annotations

import json
import sqlite3

from noisystudent.board.catalogue.change import Result
from noisystudent.board.queries.standings import values_of


def whole_result(connection: sqlite3.Connection, number: int) -> Result:
    """A result with its values, as `Change.add_result` takes it.

    Args:
        number: of a result that is there.
    """
    row = connection.execute(
        "SELECT r.*, m.name AS model FROM result r JOIN model m ON m.id = r.model_id WHERE r.id = ?", (number,)
    ).fetchone()
    return Result(
        leaderboard=row["leaderboard_id"],
        model=row["model"],
        values=values_of(connection, [number])[number],
        paper=row["paper_id"],
        kind=row["kind"],
        position=row["position"],
        extra_data=None if row["extra_data"] is None else bool(row["extra_data"]),
        evaluated_on=row["evaluated_on"],
        paper_title=row["paper_title"],
        paper_url=row["paper_url"],
        paper_date=row["paper_date"],
        source_url=row["source_url"],
        locator=row["locator"],
        code_links=json.loads(row["code_links"]),
        model_links=json.loads(row["model_links"]),
        tags=json.loads(row["tags"]),
        external_id=row["external_id"],
    )
