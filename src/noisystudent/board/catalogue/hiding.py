"""Hiding entries from readers, and showing them again. An import that names a hidden entry finds it, and it stays hidden."""

from __future__ import annotations

import sqlite3
from typing import Any, Literal, NamedTuple, get_args

from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.names import meant, name_of, result_meant
from noisystudent.board.catalogue.near import near_slugs
from noisystudent.board.catalogue.store import Store
from noisystudent.errors import UserError

Kind = Literal["paper", "task", "dataset", "method", "result"]
KINDS: tuple[str, ...] = get_args(Kind)


class Hidden(NamedTuple):
    """An entry that readers do not see.

    Args:
        kind: one of `KINDS`.
        slug: its own; of a result its number.
        name: as readers were shown it; of a result its model and its leaderboard.
        reason: why.
    """

    kind: str
    slug: str
    name: str
    reason: str


def hide(store: Store, kind: str, text: str, *, reason: str = "", actor: str) -> int:
    """Take an entry from all that readers see, with the leaderboards and results that hang on it; history and addresses are kept.

    Args:
        kind: paper, task, dataset, method or result.
        text: slug, address, name or title; of a result its number.
        reason: for curators.
        actor: who hides it.

    Returns:
        The number of the event, which can be taken back.

    Raises:
        UserError: there is no such entry, or it is hidden.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> store = Store(Path(tempfile.mkdtemp()) / "board.db", create=True)
        >>> with store.changing("anna", "add") as change:
        ...     _ = change.task("Cheap Flights")
        >>> hide(store, "task", "cheap-flights", reason="an advertisement", actor="anna")
        2
        >>> with store.reading() as connection:
        ...     connection.execute("SELECT count(*) FROM task").fetchone()[0]
        0
    """
    with store.changing(actor, f"hide {kind}") as change:
        number = _entry(change.connection, kind, text)
        if _is_hidden(change.connection, kind, number):
            raise UserError(f"the {kind} {text!r} is hidden already")
        set_hidden(change, kind, number, [{"reason": reason}])
        return change.event


def show(store: Store, kind: str, text: str, *, actor: str) -> int:
    """Show a hidden entry to readers again.

    Returns:
        The number of the event.

    Raises:
        UserError: there is no such entry, or it is not hidden.
    """
    with store.changing(actor, f"show {kind}") as change:
        number = _entry(change.connection, kind, text)
        if not _is_hidden(change.connection, kind, number):
            raise UserError(f"the {kind} {text!r} is not hidden")
        set_hidden(change, kind, number, [])
        return change.event


def set_hidden(change: Change, kind: str, number: int, rows: list[dict[str, str]]) -> None:
    """Hide an entry (one row with the reason) or show it (no row), and rank the leaderboards anew that lose or gain results by it."""
    change.touched |= leaderboards_of(change.connection, kind, number)
    owner: dict[str, Any] = {"kind": kind, "id": number}
    change.replace_rows("hidden", owner, rows)


def leaderboards_of(connection: sqlite3.Connection, kind: str, id: int) -> set[int]:
    """The leaderboards on which an entry has results of its own: of a paper, or of a result."""
    column = {"paper": "paper_id", "result": "id"}.get(kind)
    if column is None:
        return set()
    rows = connection.execute(f"SELECT DISTINCT leaderboard_id FROM result WHERE {column} = ?", (id,))
    return {int(row["leaderboard_id"]) for row in rows}


def hidden(store: Store) -> list[Hidden]:
    """All that is hidden, by kind and name."""
    with store.reading(unveiled=True) as connection:
        rows = connection.execute("SELECT kind, id, reason FROM hidden").fetchall()
        return sorted(Hidden(row["kind"], *_called(connection, row["kind"], row["id"]), row["reason"]) for row in rows)


def _called(connection: sqlite3.Connection, kind: str, number: int) -> tuple[str, str]:
    if kind == "result":
        row = connection.execute(
            "SELECT m.name || ', ' || l.shown FROM result r JOIN model m ON m.id = r.model_id "
            "JOIN leaderboard_shown l ON l.id = r.leaderboard_id WHERE r.id = ?",
            (number,),
        ).fetchone()
        return str(number), row[0]
    slug = connection.execute(f"SELECT slug FROM {kind} WHERE id = ?", (number,)).fetchone()[0]
    return slug, name_of(connection, kind, number)


def _entry(connection: sqlite3.Connection, kind: str, text: str) -> int:
    if kind not in KINDS:
        raise UserError(f"{kind!r} cannot be hidden: give one of {', '.join(KINDS)}")
    if kind == "result":
        result = result_meant(connection, text)
        if result is None:
            raise UserError(f"there is no result with the number {text[:100]!r}")
        return result
    number = meant(connection, kind, text)
    if number is None:
        raise UserError(f"there is no {kind} {text[:300]!r}{near_slugs(connection, kind, text)}")
    return number


def _is_hidden(connection: sqlite3.Connection, kind: str, number: int) -> bool:
    sql = "SELECT 1 FROM hidden WHERE kind = ? AND id = ?"
    return connection.execute(sql, (kind, number)).fetchone() is not None
