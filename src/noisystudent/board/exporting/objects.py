"""Dumps as the archive has them: a JSON list with one object a line."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from noisystudent.board.catalogue.slugs import slug_of_address

SITE = "https://paperswithcode.com"  # the dumps know their papers, datasets and methods by addresses of the old site
BATCH = 1_000


def write_objects(objects: Iterable[dict[str, Any]], stream: BinaryIO) -> None:
    """Write a list; its keys stay in the order in which they are given.

    Example:
        >>> import io
        >>> stream = io.BytesIO()
        >>> write_objects([{"b": 1, "a": "ä"}, {"b": 2, "a": None}], stream)
        >>> print(stream.getvalue().decode(), end="")
        [
        {"b": 1, "a": "ä"},
        {"b": 2, "a": null}
        ]
    """
    separator = b"[\n"
    for item in objects:
        stream.write(separator + json.dumps(item, ensure_ascii=False).encode())
        separator = b",\n"
    stream.write(b"[]\n" if separator == b"[\n" else b"\n]\n")


def picked(row: sqlite3.Row, *names: str) -> dict[str, Any]:
    """Some columns of a row, under their own names."""
    return {name: row[name] for name in names}


def introducing_paper(row: sqlite3.Row) -> dict[str, Any] | None:
    """The paper that introduced an entry, as its source named it; an address on the old site has the slug that the paper has now."""
    title, url = row["paper_title"], row["paper_url"]
    if row["paper_slug"] and slug_of_address(url, "paper"):
        url = f"{SITE}/paper/{row['paper_slug']}"
    return {"title": title, "url": url} if title or url else None


def in_batches(connection: sqlite3.Connection, query: str) -> Iterator[list[sqlite3.Row]]:
    """The rows of a query, so many at a time."""
    cursor = connection.execute(query)
    while rows := cursor.fetchmany(BATCH):
        yield rows


def listed(connection: sqlite3.Connection, query: str, owners: Iterable[int]) -> dict[int, list[sqlite3.Row]]:
    """What belongs to each of some rows.

    Args:
        query: gives `owner` and what belongs to it, in order, with one `?` for the JSON list of the owners' numbers.
    """
    found: dict[int, list[sqlite3.Row]] = defaultdict(list)
    for row in connection.execute(query, (json.dumps(list(owners)),)):
        found[row["owner"]].append(row)
    return found
