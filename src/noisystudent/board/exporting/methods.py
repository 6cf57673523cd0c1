"""The dump of methods."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any, BinaryIO

from noisystudent.board.exporting.objects import SITE, in_batches, introducing_paper, listed, picked, write_objects

COLLECTIONS = (
    "SELECT m.method_id AS owner, c.area, c.area_slug AS area_id, c.name AS collection FROM method_collection m "
    "JOIN collection c ON c.id = m.collection_id WHERE m.method_id IN (SELECT value FROM json_each(?)) "
    "ORDER BY m.method_id, c.area, c.area_slug, c.name"
)
ALL = "SELECT m.*, p.slug AS paper_slug FROM method m LEFT JOIN paper p ON p.id = m.paper_id ORDER BY m.slug"


def write(connection: sqlite3.Connection, stream: BinaryIO) -> None:
    """Write every method, by slug."""
    write_objects(_methods(connection), stream)


def _methods(connection: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    for rows in in_batches(connection, ALL):
        collections = listed(connection, COLLECTIONS, (row["id"] for row in rows))
        for row in rows:
            yield {
                "url": f"{SITE}/method/{row['slug']}",
                **picked(row, "name", "full_name", "description"),
                "paper": introducing_paper(row),
                **picked(row, "introduced_year", "source_url", "source_title", "code_snippet_url", "num_papers"),
                "collections": [
                    picked(collection, "area", "area_id", "collection") for collection in collections[row["id"]]
                ],
            }
