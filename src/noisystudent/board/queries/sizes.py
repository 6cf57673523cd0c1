"""How much there is in the catalogue: a result that was retired is a part of its history, and of no number; no more is an empty table."""

from __future__ import annotations

import sqlite3

from noisystudent.board.catalogue.ranking import FILLED

LAYERED = ("paper", "task", "dataset", "method", "leaderboard", "result")  # what comes from one source
COUNTED = (*LAYERED, "author", "repository")


def sizes(connection: sqlite3.Connection) -> dict[str, int]:
    """How many there are of each kind."""
    found = {table: f"SELECT count(*) FROM {table}" for table in COUNTED}
    found["leaderboard"] += f" WHERE {FILLED}"
    found["result"] = "SELECT coalesce(sum(result_count), 0) FROM leaderboard"  # they are many; this is kept
    return {table: int(connection.execute(query).fetchone()[0]) for table, query in found.items()}


def sizes_by_source(connection: sqlite3.Connection) -> dict[int | None, dict[str, int]]:
    """How many there are of each kind, by the number of the source that they come from; None: it is not said."""
    found: dict[int | None, dict[str, int]] = {}
    for table in LAYERED:
        current = " WHERE retired_by IS NULL" if table == "result" else ""
        query = f"SELECT source_id, count(*) AS number FROM {table}{current} GROUP BY source_id"
        for row in connection.execute(query):
            found.setdefault(row["source_id"], {})[table] = row["number"]
    return found
