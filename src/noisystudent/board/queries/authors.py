"""Authors and venues: whose papers, and where they appeared."""

from __future__ import annotations

import sqlite3
from typing import Any


def find(connection: sqlite3.Connection, slug: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM author WHERE slug = ?", (slug,)).fetchone()
    return row


def papers_of(connection: sqlite3.Connection, author: int, *, limit: int, offset: int = 0) -> tuple[list[int], int]:
    """The numbers of an author's papers, the newest first and undated ones last; and how many there are."""
    rows = connection.execute(
        "SELECT DISTINCT p.id, p.published FROM paper_author pa JOIN paper p ON p.id = pa.paper_id WHERE pa.author_id = ? "
        "ORDER BY p.published DESC NULLS LAST, p.id DESC LIMIT ? OFFSET ?",
        (author, limit, offset),
    )
    found = [row["id"] for row in rows]
    sql = "SELECT count(DISTINCT paper_id) FROM paper_author WHERE author_id = ?"
    return found, int(connection.execute(sql, (author,)).fetchone()[0])


def find_venue(connection: sqlite3.Connection, slug: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM venue WHERE slug = ?", (slug,)).fetchone()
    return row


def venues(connection: sqlite3.Connection, limit: int) -> list[dict[str, Any]]:
    """Venues by name, to choose from."""
    return [dict(row) for row in connection.execute("SELECT slug, name FROM venue ORDER BY name LIMIT ?", (limit,))]


def proceedings_of(connection: sqlite3.Connection, venue: int) -> list[dict[str, Any]]:
    """The proceedings of a venue, the latest first, with their number of papers."""
    rows = connection.execute(
        "SELECT pr.name, pr.year, pr.month, (SELECT count(*) FROM paper p WHERE p.proceeding_id = pr.id) AS papers FROM proceeding pr "
        "WHERE pr.venue_id = ? ORDER BY pr.year DESC, pr.month DESC, pr.name",
        (venue,),
    )
    return [dict(row) for row in rows]
