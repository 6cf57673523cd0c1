"""How much there is in the catalogue: a result that was retired is a part of its history, and of no number; no more is an empty table."""

from __future__ import annotations

import sqlite3

from noisystudent.board.catalogue.ranking import FILLED

LAYERED = ("paper", "task", "dataset", "method", "leaderboard", "result")  # what comes from one source
KEPT = ("paper", "author", "repository", "task", "dataset", "method")  # whose number the catalogue keeps


def sizes(connection: sqlite3.Connection) -> dict[str, int]:
    """How many there are of each kind."""
    found = {table: number_of(connection, table) for table in KEPT}
    of_boards = f"SELECT count(*), coalesce(sum(result_count), 0) FROM leaderboard WHERE {FILLED}"
    found["leaderboard"], found["result"] = connection.execute(of_boards).fetchone()
    return found


def number_of(connection: sqlite3.Connection, table: str) -> int:
    """How many rows of one of the `KEPT` tables a reader sees; to count them is to read a whole index."""
    return int(connection.execute("SELECT rows FROM size WHERE kind = ?", (table,)).fetchone()[0])


def sizes_by_source(connection: sqlite3.Connection) -> dict[int | None, dict[str, int]]:
    """How many there are of each kind, by the number of the source that they come from; None: it is not said."""
    found: dict[int | None, dict[str, int]] = {}
    for table in LAYERED:
        current = " WHERE retired_by IS NULL" if table == "result" else ""
        query = f"SELECT source_id, count(*) AS number FROM {table}{current} GROUP BY source_id"
        for row in connection.execute(query):
            found.setdefault(row["source_id"], {})[table] = row["number"]
    return found
