"""What a curator hid, no reader sees: the one rule for every page, list, search, leaderboard, feed, file and answer of the API.

A reader's connection has, in front of each table that an entry can stand in, a view of the same name without what is hidden; SQLite looks
there first. So no query needs to know of it, and none can forget. Where nothing is hidden, there is no view, and nothing is slower.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

# Of each kind the numbers that readers do not see; authors and repositories that have nothing but hidden papers go with them.
UNSEEN = {
    **{kind: f"SELECT id FROM main.hidden WHERE kind = '{kind}'" for kind in ("paper", "task", "method")},
    "dataset": "SELECT id FROM main.hidden_dataset",
    "leaderboard": "SELECT id FROM main.hidden_leaderboard",
    "result": "SELECT id FROM main.hidden_result "
    "UNION SELECT r.id FROM main.hidden_leaderboard h JOIN main.result r ON r.leaderboard_id = h.id",
    **{
        kind: f"SELECT l.{kind}_id FROM main.hidden h JOIN main.paper_{kind} l ON l.paper_id = h.id WHERE h.kind = 'paper' "
        f"AND NOT EXISTS (SELECT 1 FROM main.paper_{kind} o WHERE o.{kind}_id = l.{kind}_id "
        "AND o.paper_id NOT IN (SELECT id FROM main.hidden WHERE kind = 'paper'))"
        for kind in ("author", "repository")
    },
}
# Tables and the columns that name what may be hidden; a row is seen where all that it names is.
NAMED = {
    **{kind: {"id": kind} for kind in UNSEEN},
    **{
        f"paper_{kind}": {"paper_id": "paper", f"{kind}_id": kind}
        for kind in ("author", "task", "repository", "dataset", "method")
    },
    "task_area": {"task_id": "task"},
    "task_parent": {"task_id": "task", "parent_id": "task"},
    "task_synonym": {"task_id": "task"},
    "dataset_task": {"dataset_id": "dataset", "task_id": "task"},
    "method_collection": {"method_id": "method"},
    "metric": {"leaderboard_id": "leaderboard"},
    "run": {"result_id": "result"},
    "objection": {"result_id": "result"},
}
_BY_KIND = ("alias", "other_name")  # tables whose column `kind` says what their number is of
_SEARCHED = ("paper", "task", "dataset", "method", "author")
_OF_PAPER = ("paper_id", "paper_title", "paper_url")
# What stands in another entry about a hidden one: the column, and SQL for whether it is of one.
ABOUT_OTHERS = {
    "dataset": {
        **dict.fromkeys(_OF_PAPER, "paper_id IN ({paper})"),
        "parent_dataset": "parent_dataset IN (SELECT d.name FROM main.dataset d WHERE d.id IN ({dataset}))",
    },
    "method": {
        **dict.fromkeys(_OF_PAPER, "paper_id IN ({paper})"),
        **dict.fromkeys(("source_title", "source_url"), "paper_id IN ({paper})"),
    },
    "model": {"paper_id": "paper_id IN ({paper})"},
    "run": {"claim_id": "claim_id IN ({result})"},
    "result": {"supersedes": "supersedes IN ({result})"},
}
_VIEWS_OVER_ALL = ("hidden_dataset", "hidden_leaderboard", "hidden_result", "hidden_address")
LEAST_NAMED = 4  # letters: a shorter name, as a word of a note, need not be the hidden entry's
_STATE = "SELECT CASE WHEN EXISTS (SELECT 1 FROM main.hidden) THEN (SELECT max(id) FROM main.event) ELSE 0 END"


def state(connection: sqlite3.Connection) -> int:
    """What the veil of a connection depends on: 0 where nothing is hidden, else the number of the newest event."""
    return int(connection.execute(_STATE).fetchone()[0] or 0)


def draw(connection: sqlite3.Connection, veiled: int) -> int:
    """Bring the views in front of a connection's tables up to date.

    Args:
        connection: of a reader, in no transaction.
        veiled: what this gave the last time; 0 of a connection that is new.

    Returns:
        The `state` that they are of.
    """
    connection.execute("PRAGMA query_only = OFF")  # of the file itself, the connection can write nothing
    connection.execute("BEGIN")
    try:
        now = state(connection)
        if veiled and not now:
            for view in _our_views(connection):
                connection.execute(f"DROP VIEW temp.{view}")
        if now:
            _fill(connection)
        if now and not veiled:
            for statement in _views(connection):
                connection.execute(statement)
        connection.execute("COMMIT")
        return now
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute("PRAGMA query_only = ON")


def _our_views(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM temp.sqlite_schema WHERE type = 'view'")
    return [row[0] for row in rows]


def _fill(connection: sqlite3.Connection) -> None:
    """The numbers that readers do not see, and what the hidden entries are called."""
    connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS unseen (kind TEXT, id INTEGER, PRIMARY KEY (kind, id)) WITHOUT ROWID"
    )
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS unnamed (name TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.execute("DELETE FROM temp.unseen")
    connection.execute("DELETE FROM temp.unnamed")
    for kind, ids in UNSEEN.items():
        connection.execute(f"INSERT OR IGNORE INTO temp.unseen SELECT '{kind}', * FROM ({ids})")
    for kind, column in (("paper", "title"), ("task", "name"), ("dataset", "name"), ("method", "name")):
        for name in (column, "slug"):
            connection.execute(
                f"INSERT OR IGNORE INTO temp.unnamed SELECT lower(e.{name}) FROM main.{kind} e JOIN temp.unseen h "
                f"ON h.kind = '{kind}' AND h.id = e.id WHERE length(e.{name}) >= {LEAST_NAMED}"
            )


def _views(connection: sqlite3.Connection) -> Iterator[str]:
    """The views, as SQL: in front of tables, of search indexes, of the history, and of the views of the schema that read those."""
    for table in sorted({*NAMED, *ABOUT_OTHERS}):
        seen = [f"{column} NOT IN ({_of(kind)})" for column, kind in NAMED.get(table, {}).items()]
        yield _view(table, _columns(connection, table), " AND ".join(seen) or "1")
    for table in _BY_KIND:
        yield _view(
            table, "*", f"NOT EXISTS (SELECT 1 FROM temp.unseen h WHERE h.kind = {table}.kind AND h.id = {table}.id)"
        )
    for kind in _SEARCHED:
        index = f"{kind}_search"
        columns = [row["name"] for row in connection.execute(f"PRAGMA main.table_info({index})")]
        # The column of the index's own name is what MATCH takes.
        yield _view(index, ", ".join(["rowid", *columns, index]), f"rowid NOT IN ({_of(kind)})")
    of_kind = "(SELECT count(*) FROM temp.unseen h WHERE h.kind = size.kind)"
    yield _view("size", f"kind, rows - {of_kind} AS rows", "1")
    said = (
        "CASE WHEN EXISTS (SELECT 1 FROM temp.unnamed u WHERE instr(lower(note), u.name)) THEN '' ELSE note END AS note"
    )
    yield _view("event", f"id, at, actor, action, {said}, detail", "1")
    for row in connection.execute(
        "SELECT name, sql FROM main.sqlite_schema WHERE type = 'view' ORDER BY rowid"
    ).fetchall():
        if row["name"] not in _VIEWS_OVER_ALL:
            yield row["sql"].replace("CREATE VIEW", "CREATE TEMP VIEW", 1)


def _view(table: str, columns: str, condition: str) -> str:
    return f"CREATE TEMP VIEW {table} AS SELECT {columns} FROM main.{table} WHERE {condition}"


def _columns(connection: sqlite3.Connection, table: str) -> str:
    """A table's columns, those empty that tell of a hidden entry in another one."""
    about = ABOUT_OTHERS.get(table, {})
    columns = []
    for row in connection.execute(f"PRAGMA main.table_info({table})"):
        name = row["name"]
        of_hidden = about.get(name, "").format(**{kind: _of(kind) for kind in UNSEEN})
        columns.append(f"CASE WHEN {of_hidden} THEN NULL ELSE {name} END AS {name}" if of_hidden else name)
    return ", ".join(columns)


def _of(kind: str) -> str:
    return f"SELECT id FROM temp.unseen WHERE kind = '{kind}'"
