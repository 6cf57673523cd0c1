"""What somebody may have meant by a text that means nothing: for the end of a message."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from difflib import get_close_matches

from noisystudent.board.catalogue.slugs import slugify

MOST_COMPARED = 10_000  # of one kind: comparing takes a few microseconds each
BEGINNING = 8  # letters that a paper's slug must have in common: there are too many to compare them all


def near(text: str, there: Iterable[str]) -> str:
    """The names among some that are nearest to a text.

    Example:
        >>> near("Acuracy", ["Accuracy", "Loss"]), near("xyz", ["Accuracy"])
        ('; near it there are Accuracy', '')
    """
    close = get_close_matches(text, list(there), n=5, cutoff=0.5)
    return f"; near it there are {', '.join(close)}" if close else ""


def near_slugs(connection: sqlite3.Connection, kind: str, text: str) -> str:
    """The slugs of a kind of entry that are nearest to a text."""
    slug = slugify(text)
    begins = slug[:BEGINNING] if kind == "paper" else ""
    query = f"SELECT slug FROM {kind} WHERE slug >= ? AND slug < ? ORDER BY slug LIMIT ?"
    rows = connection.execute(query, (begins, f"{begins}\U0010ffff", MOST_COMPARED))
    return near(slug, (row["slug"] for row in rows))
