"""Taking an import out whole: what it made, and nothing else uses by now, is gone, as if it had never come.

Elsewhere nothing is ever removed. This is for the file that should not have been imported: its events stay, and say so.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from noisystudent.board.catalogue.removal import kept_by

ENTRIES = ("leaderboard", "dataset", "method", "paper", "task")  # what hangs on the later ones comes before them
# Rows that only join others, or that only entries name: without any of these, nobody sees them.
_UNUSED = {
    "author": "SELECT author_id FROM paper_author",
    "repository": "SELECT repository_id FROM paper_repository",
    "collection": "SELECT collection_id FROM method_collection",
    "proceeding": "SELECT proceeding_id FROM paper WHERE proceeding_id IS NOT NULL",
    "venue": "SELECT venue_id FROM proceeding",
    "area": "SELECT area_id FROM task_area",
}
_NAMED_BY_OTHERS = (
    "SELECT supersedes FROM result WHERE supersedes IS NOT NULL AND added_by NOT IN (SELECT value FROM json_each(:events))",
    "SELECT claim_id FROM run JOIN result r ON r.id = run.result_id "
    "WHERE claim_id IS NOT NULL AND r.added_by NOT IN (SELECT value FROM json_each(:events))",
)


def take_out(
    connection: sqlite3.Connection, events: Sequence[int], made: Sequence[Mapping[str, Sequence[int]]]
) -> dict[str, int]:
    """Remove what some events made and what nothing else hangs on.

    Args:
        events: their numbers; the results that they added are retired already.
        made: of each, the first and the last number of the entries that it made, by table.

    Returns:
        How many rows of each table are gone.
    """
    gone = _results(connection, events)
    ranges = [(table, one[table]) for table in ENTRIES for one in made if table in one]
    _metrics(connection, [one["metric"] for one in made if "metric" in one])
    while True:  # a task goes when the ones below it are gone
        before = sum(gone.values())
        for table, (first, last) in ranges:
            gone[table] = gone.get(table, 0) + _entries(connection, table, first, last)
        if sum(gone.values()) == before:
            break
    for table, used in _UNUSED.items():
        rows = connection.execute(f"DELETE FROM {table} WHERE id NOT IN ({used})")
        gone[table] = rows.rowcount
    for names in ("alias", "other_name"):
        connection.execute(f"DELETE FROM {names} WHERE kind = 'author' AND id NOT IN (SELECT id FROM author)")
    return {table: count for table, count in gone.items() if count}


def _results(connection: sqlite3.Connection, events: Sequence[int]) -> dict[str, int]:
    """Results that nothing of other events names, with their values and runs, and models that are left without any."""
    given = {"events": json.dumps(list(events))}
    theirs = (
        "SELECT id FROM result WHERE added_by IN (SELECT value FROM json_each(:events)) AND retired_by IS NOT NULL "
        f"AND id NOT IN ({_NAMED_BY_OTHERS[0]}) AND id NOT IN ({_NAMED_BY_OTHERS[1]})"
    )
    connection.execute("CREATE TEMP TABLE leaving AS " + theirs, given)
    trigger = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'result_remains'").fetchone()["sql"]
    connection.execute("DROP TRIGGER result_remains")
    models = connection.execute("SELECT DISTINCT model_id FROM result WHERE id IN (SELECT id FROM leaving)").fetchall()
    for table, column in (("objection", "result_id"), ("value", "result_id"), ("run", "result_id")):
        connection.execute(f"DELETE FROM {table} WHERE {column} IN (SELECT id FROM leaving)")
    connection.execute("PRAGMA defer_foreign_keys = ON")  # of those that leave, one may name another
    gone = connection.execute("DELETE FROM result WHERE id IN (SELECT id FROM leaving)").rowcount
    connection.execute(trigger)
    connection.execute("DROP TABLE leaving")
    connection.execute(
        "DELETE FROM model WHERE id IN (SELECT value FROM json_each(?)) AND id NOT IN (SELECT model_id FROM result)",
        (json.dumps([row["model_id"] for row in models]),),
    )
    return {"result": gone}


def _metrics(connection: sqlite3.Connection, ranges: Iterable[Sequence[int]]) -> None:
    """Columns that were added to tables of others, and have no values left."""
    for first, last in ranges:
        connection.execute(
            "DELETE FROM metric WHERE id BETWEEN ? AND ? AND id NOT IN (SELECT metric_id FROM value)", (first, last)
        )


def _entries(connection: sqlite3.Connection, table: str, first: int, last: int) -> int:
    gone = 0
    rows: list[Any] = connection.execute(
        f"SELECT id FROM {table} WHERE id BETWEEN ? AND ? ORDER BY id DESC", (first, last)
    ).fetchall()
    for row in rows:
        if table == "paper":
            connection.execute(
                "DELETE FROM model WHERE paper_id = ? AND id NOT IN (SELECT model_id FROM result)", (row["id"],)
            )
        if not kept_by(connection, table, row["id"]):
            for names in ("alias", "other_name"):
                connection.execute(f"DELETE FROM {names} WHERE kind = ? AND id = ?", (table, row["id"]))
            connection.execute(f"DELETE FROM {table} WHERE id = ?", (row["id"],))
            gone += 1
    return gone
