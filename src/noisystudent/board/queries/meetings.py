"""Meetings of a conference: all of a venue's proceedings of one year, as "CVPR 2020"."""

from __future__ import annotations

import sqlite3
from typing import Any

from noisystudent.board.catalogue.names import meant

MOST = 5_000
_MEETINGS = (
    "SELECT v.id AS venue_id, v.slug || '-' || pr.year AS slug, v.name || ' ' || pr.year AS name, pr.year, "
    "(SELECT count(*) FROM paper p JOIN proceeding q ON q.id = p.proceeding_id WHERE q.venue_id = v.id AND q.year = pr.year) AS papers "
    "FROM proceeding pr JOIN venue v ON v.id = pr.venue_id WHERE pr.year IS NOT NULL"
)
OF_MEETING = "proceeding_id IN (SELECT id FROM proceeding WHERE venue_id = :venue AND (:meeting_year IS NULL OR year = :meeting_year))"


def all_of_them(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every meeting that a proceeding tells of, the latest year first."""
    sql = f"{_MEETINGS} GROUP BY v.id, pr.year ORDER BY pr.year DESC, v.name LIMIT {MOST}"
    return [dict(row) for row in connection.execute(sql)]


def find(connection: sqlite3.Connection, text: str) -> tuple[int, int | None] | None:
    """The number of the venue that a text means and, where it is one of its meetings, the year; None where it means neither.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from noisystudent.board.catalogue.store import Store
        >>> with Store(Path(tempfile.mkdtemp()) / "board.db", create=True).changing("anna", "add") as change:
        ...     venue = change.insert("venue", slug="cvpr", name="CVPR")
        ...     _ = change.insert("proceeding", slug="cvpr-2020-6", venue_id=venue, name="CVPR 2020 6", year=2020, month=6)
        ...     [find(change.connection, text) for text in ("CVPR", "cvpr-2020", "CVPR 2020", "CVPR 1900")]
        [(1, None), (1, 2020), (1, 2020), None]
    """
    venue = meant(connection, "venue", text)
    if venue is not None:
        return venue, None
    before, year = text.strip()[:-5], text.strip()[-4:]
    if not (year.isascii() and year.isdigit()) or text.strip()[-5:-4] not in ("-", " "):
        return None
    venue = meant(connection, "venue", before)
    there = connection.execute(
        "SELECT 1 FROM proceeding WHERE venue_id = ? AND year = ?", (venue, int(year))
    ).fetchone()
    return (venue, int(year)) if venue is not None and there else None


def meeting(connection: sqlite3.Connection, venue: int, year: int) -> dict[str, Any]:
    """One meeting, as in the list of all."""
    row = connection.execute(f"{_MEETINGS} AND v.id = ? AND pr.year = ? LIMIT 1", (venue, year)).fetchone()
    return dict(row)
