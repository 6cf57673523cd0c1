"""Many rows at a time: rows found or made by name, a search index that is brought up to date once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.slugs import slugify

_CAPITALS = {letter: letter + 32 for letter in range(ord("A"), ord("Z") + 1)}
SEARCH_MEMORY = 64 << 20  # bytes of new words that are sorted together; SQLite's own choice is 1 MiB
SEARCH_MEMORY_BEFORE = 1 << 20


def rows_where(connection: sqlite3.Connection, query: str, values: Collection[Any]) -> sqlite3.Cursor:
    """The rows of a query that ends in `IN` for all of many values: `SELECT id FROM paper WHERE slug IN`."""
    return connection.execute(f"{query} (SELECT value FROM json_each(?))", (json.dumps(list(values)),))


def numbers_of_names(change: Change, table: str, names: Iterable[str], **columns: Any) -> dict[str, int]:
    """The rows of those names, made in the order given where there are none; `columns` are those of a new row.

    Args:
        table: one whose rows have a slug and a name that no other row has: author, task, venue. A task is meant in whatever capitals.
    """
    wanted = list(dict.fromkeys(names))
    query = f"SELECT id, name FROM {table} WHERE name IN"
    found = {row["name"]: row["id"] for row in rows_where(change.connection, query, wanted)}
    if table == "task":
        return _in_any_capitals(change, wanted, found, **columns)
    missing = [name for name in wanted if name not in found]
    became = f"SELECT id, name FROM other_name WHERE kind = '{table}' AND name IN"
    others = {_lower(row["name"]): row["id"] for row in rows_where(change.connection, became, missing)}
    found |= {name: others[_lower(name)] for name in missing if _lower(name) in others}
    return found | _made(change, table, [name for name in wanted if name not in found], **columns)


def _in_any_capitals(change: Change, wanted: list[str], found: dict[str, int], **columns: Any) -> dict[str, int]:
    """The tasks of those names, each made once where it is there in no capitals."""
    query = "SELECT id, name FROM task WHERE name COLLATE NOCASE IN"
    missing = [name for name in wanted if name not in found]
    rows = rows_where(change.connection, query, missing).fetchall()
    became = rows_where(change.connection, "SELECT id, name FROM other_name WHERE kind = 'task' AND name IN", missing)
    numbers = {_lower(row["name"]): row["id"] for row in became}
    numbers |= {_lower(row["name"]): row["id"] for row in sorted(rows, key=lambda row: -row["id"])}
    new: dict[str, str] = {}
    for name in missing:
        new.setdefault(_lower(name), name)
    made = _made(change, "task", [name for low, name in new.items() if low not in numbers], **columns)
    numbers |= {_lower(name): number for name, number in made.items()}
    return found | {name: numbers[_lower(name)] for name in missing}


def _lower(name: str) -> str:
    """As SQLite's NOCASE has it: the letters A to Z."""
    return name.translate(_CAPITALS)


def _made(change: Change, table: str, names: list[str], **columns: Any) -> dict[str, int]:
    """New rows of those names."""
    found: dict[str, int] = {}
    slugs = {name: slugify(name) for name in names}
    taken = {
        row["slug"] for row in rows_where(change.connection, f"SELECT slug FROM {table} WHERE slug IN", slugs.values())
    }
    names_by_slug = {slug: name for name, slug in reversed(slugs.items()) if slug not in taken}
    easy = list(reversed(names_by_slug.items()))
    first = next_number(change, table)
    insert_new(
        change,
        table,
        ("id", "slug", "name", *columns),
        ((number, slug, name, *columns.values()) for number, (slug, name) in enumerate(easy, first)),
    )
    found |= {name: number for number, (_, name) in enumerate(easy, first)}
    for name in [name for name in slugs if name not in found]:  # their slug is another's
        found[name] = change.insert(table, slug=change.free_slug(table, name), name=name, **columns)
    return found


def next_number(change: Change, table: str) -> int:
    """That of the next row, as long as the change is under way; of an entry, one that none has had, be it gone by now."""
    query = f"SELECT max(coalesce((SELECT max(id) FROM {table}), 0), coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?), 0)) + 1"
    return int(change.connection.execute(query, (table,)).fetchone()[0])


def insert_new(change: Change, table: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    """New rows, counted in the event."""
    _insert("INSERT", change, table, columns, rows)


def insert_missing(change: Change, table: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    """Rows that join others, counted in the event; those that are there already stay as they are."""
    _insert("INSERT OR IGNORE", change, table, columns, rows)


def _insert(verb: str, change: Change, table: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    marks = ", ".join("?" * len(columns))
    cursor = change.connection.executemany(f"{verb} INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
    change.counts[table] = change.counts.get(table, 0) + max(cursor.rowcount, 0)


@contextmanager
def papers_indexed_afterwards(connection: sqlite3.Connection) -> Iterator[None]:
    """Papers that are added in the block get into the search index at its end, all at once, which takes a third of the time.

    What is added may not be edited within the block. An error needs no care: the transaction brings the trigger back.
    """
    last = connection.execute("SELECT coalesce(max(id), 0) FROM paper").fetchone()[0]
    trigger = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'paper_search_add'").fetchone()["sql"]
    connection.execute("DROP TRIGGER paper_search_add")
    yield
    memory = "INSERT INTO paper_search (paper_search, rank) VALUES ('hashsize', ?)"
    connection.execute(memory, (SEARCH_MEMORY,))
    connection.execute(
        "INSERT INTO paper_search (rowid, title, abstract) SELECT id, title, abstract FROM paper WHERE id > ?", (last,)
    )
    connection.execute(memory, (SEARCH_MEMORY_BEFORE,))
    connection.execute(trigger)
