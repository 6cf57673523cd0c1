"""Results that an author of their paper verified: a curator records who says so, and where it can be seen."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.characters import UNFIT
from noisystudent.board.catalogue.entries import authors_of
from noisystudent.board.catalogue.names import result_meant, same_author
from noisystudent.board.catalogue.near import near
from noisystudent.board.catalogue.store import Store
from noisystudent.errors import UserError, some

LONGEST = 2_000  # characters of where it can be seen, as of a comment
_RESULT = (
    "SELECT r.id, r.kind, r.paper_id, r.retired_by, r.verified_by, r.verified_where, m.name AS model, p.title FROM result r "
    "JOIN model m ON m.id = r.model_id LEFT JOIN paper p ON p.id = r.paper_id WHERE r.id = ?"
)


def verify(store: Store, result: str, author: str, where: str, *, actor: str) -> int:
    """Record that an author of its paper verified a result: it is theirs, and the values are right.

    Args:
        result: its number.
        author: the author's name, in whatever capitals, accents and dots.
        where: it can be seen: an address, or a note.
        actor: who records it.

    Returns:
        The number of the event, which can be taken back.

    Raises:
        UserError: everything that is wrong: there is no such result, or it is a run, or has no paper; nobody of that name is an author of
            the paper; it is not said where.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from noisystudent.board.catalogue.change import Result
        >>> store = Store(Path(tempfile.mkdtemp()) / "board.db", create=True)
        >>> with store.changing("anna", "add") as change:
        ...     paper = change.paper(title="Deep Chess")
        ...     change.replace_rows("paper_author", {"paper_id": paper}, [{"position": 0, "author_id": change.author("J. Smith")}])
        ...     board = change.leaderboard(change.task("Chess"), change.dataset("Games"))
        ...     number = change.add_result(Result(board, "Deep", {"Elo": "3000"}, paper=paper))
        >>> verify(store, str(number), "j smith", "https://example.org/smith/results", actor="anna")
        2
    """
    author, where = author.strip(), " ".join(where.split())
    with store.changing(actor, "verify result", f"{author}: {where}"[:300]) as change:
        row, problems = _claim(change.connection, result)
        names = authors_of(change.connection, row["paper_id"]) if row else []
        found = author_among(names, author)
        if row and row["paper_id"] is None:
            problems.append(f"result {row['id']} has no paper, whose authors could verify it: correct it first")
        elif row and found is None:
            has = f"it has {some(names)}" if names else "none are known"
            problems.append(f"{author!r} is no author of {row['title']!r}: {has}{near(author, names)}")
        if not where or len(where) > LONGEST or UNFIT.search(where):
            problems.append(f"where: say where it can be seen, an address or a note of at most {LONGEST:,} characters")
        if row and found and (row["verified_by"], row["verified_where"]) == (found, where):
            problems.append(f"result {row['id']} is verified so already")
        if problems or row is None:
            raise UserError(problems)
        change.edit("result", row["id"], verified_by=found, verified_where=where)
        return change.event


def unverify(store: Store, result: str, *, actor: str) -> int:
    """Take the mark from a result.

    Returns:
        The number of the event.

    Raises:
        UserError: there is no such result, or it is not verified.
    """
    with store.changing(actor, "unverify result") as change:
        row, problems = _claim(change.connection, result)
        if row and not row["verified_by"]:
            problems.append(f"result {row['id']} is not verified")
        if problems or row is None:
            raise UserError(problems)
        change.edit("result", row["id"], verified_by="", verified_where="")
        return change.event


def take_over(change: Change, result: int, author: str, where: str) -> str:
    """Give a result the mark that a file of ours has it with. What a curator recorded here stays.

    Returns:
        why it cannot have it; "" where it has it.
    """
    row = change.connection.execute(_RESULT, (result,)).fetchone()
    found = author_among(authors_of(change.connection, row["paper_id"]), author)
    if found is None:
        return f"{author[:100]!r} is not known as an author of its paper: import the paper first"
    if not row["verified_by"]:
        change.edit("result", result, verified_by=found, verified_where=where[:LONGEST])
    return ""


def author_among(names: Sequence[str], author: str) -> str | None:
    """Of some names the one that an author has, spelled so or in other capitals, accents and dots; None where none is."""
    return next((name for name in names if name == author), None) or next(
        (name for name in names if same_author(name, author)), None
    )


def _claim(connection: sqlite3.Connection, result: str) -> tuple[sqlite3.Row, list[str]] | tuple[None, list[str]]:
    """The claim of a number, and what is wrong with it."""
    number = result_meant(connection, result)
    if number is None:
        return None, [f"there is no result with the number {result[:100]!r}"]
    row = connection.execute(_RESULT, (number,)).fetchone()
    if row["retired_by"] is not None:
        later = connection.execute(
            "SELECT id FROM result WHERE supersedes = ? ORDER BY id DESC", (row["id"],)
        ).fetchone()
        told = f", result {later['id']} took its place" if later else ""
        return row, [f"result {row['id']} is on its leaderboard no more{told}"]
    if row["kind"] == "run":
        return row, [f"result {row['id']} is a run, which was measured: authors verify what their paper claims"]
    return row, []


class Verified(NamedTuple):
    """A result that an author verified.

    Args:
        result: its number.
        name: its model and its leaderboard.
        leaderboard: the slug of that.
        author: who verified it.
        where: it can be seen.
    """

    result: int
    name: str
    leaderboard: str
    author: str
    where: str


def verified(store: Store) -> list[Verified]:
    """All results with the mark, by leaderboard and rank."""
    with store.reading(unveiled=True) as connection:
        rows = connection.execute(
            "SELECT r.id, m.name || ', ' || l.shown, l.slug, r.verified_by, r.verified_where FROM result r "
            "JOIN model m ON m.id = r.model_id JOIN leaderboard_shown l ON l.id = r.leaderboard_id "
            "LEFT JOIN value v ON v.result_id = r.id AND v.metric_id = l.ranked_by "
            "WHERE r.verified_by <> '' AND r.retired_by IS NULL ORDER BY l.shown, l.id, v.rank IS NULL, v.rank, r.id"
        )
        return [Verified(*row) for row in rows]
