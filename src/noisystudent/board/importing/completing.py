"""Rows that are there already, and what a dump says of them.

A row belongs to the layer that it came from: the same layer corrects it, another one only fills in what it lacks. What a dump leaves out
stays as it is.
"""

from __future__ import annotations

from typing import Any

from noisystudent.board.catalogue.change import Change
from noisystudent.board.importing.loss import Loss

EMPTY = (None, "", "[]")


def complete(change: Change, table: str, row: int, columns: dict[str, Any], *, replaces: bool | None = None) -> bool:
    """Give a row what a dump says of it.

    Args:
        columns: what the dump says; None, "" and "[]" say nothing.
        replaces: whether this takes the place of what was there; None: where the row is of the layer that is imported.

    Returns:
        Whether anything changed.
    """
    before = change.connection.execute(
        f"SELECT source_id, {', '.join(columns)} FROM {table} WHERE id = ?", (row,)
    ).fetchone()
    if replaces is None:
        replaces = before["source_id"] == change.source
    new = {
        name: value
        for name, value in columns.items()
        if value not in EMPTY and value != before[name] and (replaces or before[name] in EMPTY)
    }
    if new:
        change.edit(table, row, **new)
    return bool(new)


def put(change: Change, table: str, row: int | None, slug: str, columns: dict[str, Any], report: Loss) -> int:
    """The row of an entry with what a dump says of it, under the dump's slug; made where there is none.

    Args:
        row: the one that the entry is; None where it is not there.
        report: is told of one that was there and has nothing new.
    """
    if row is None:
        free_the_slug(change, table, slug)
        return change.insert(table, slug=slug, source_id=change.source, **columns)
    give_slug(change, table, row, slug)
    if not complete(change, table, row, columns):
        report.there(table)
    return row


def give_slug(change: Change, table: str, row: int, slug: str) -> None:
    """Give a row the slug that a dump has for it. Its old one goes on to lead to it; another row that had taken this one gets another."""
    connection = change.connection
    old = connection.execute(f"SELECT slug FROM {table} WHERE id = ?", (row,)).fetchone()["slug"]
    if old == slug:
        return
    free_the_slug(change, table, slug)
    change.edit(table, row, slug=slug)
    connection.execute("INSERT OR REPLACE INTO alias (kind, old, id) VALUES (?, ?, ?)", (table, old, row))


def free_the_slug(change: Change, table: str, slug: str) -> None:
    """If a row has that slug, which was guessed from its name, give it another."""
    holder = change.connection.execute(f"SELECT id FROM {table} WHERE slug = ?", (slug,)).fetchone()
    if holder:
        change.edit(table, holder["id"], slug=change.free_slug(table, slug))
