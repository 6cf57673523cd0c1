"""Methods: by area and collection, and everything that a method's page says."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from noisystudent.board.queries.search import search_names
from noisystudent.board.queries.usage import Usage, usage

MOST_FOUND = 1_000  # by words
EXCERPT = 220


@dataclass(frozen=True)
class MethodChoice:
    """Which methods to list; every part that is given narrows it.

    Args:
        text: letters of the name.
        area: slug of an area of methods, which is not an area of tasks.
        collection: number.
    """

    text: str = ""
    area: str = ""
    collection: int | None = None

    def where(self, connection: sqlite3.Connection) -> tuple[str, list[Any]]:
        """The condition in SQL on a method `m`, with its parameters."""
        conditions, parameters = ["1"], list[Any]()
        if self.text.strip():
            conditions.append("m.id IN (SELECT value FROM json_each(?))")
            parameters.append(json.dumps(search_names(connection, "method", self.text, MOST_FOUND).ids))
        for condition, value in (("c.area_slug = ?", self.area or None), ("c.id = ?", self.collection)):
            if value is not None:
                conditions.append(
                    "m.id IN (SELECT mc.method_id FROM collection c JOIN method_collection mc ON mc.collection_id = c.id "
                    f"WHERE {condition})"
                )
                parameters.append(value)
        return " AND ".join(conditions), parameters


def listed(
    connection: sqlite3.Connection, choice: MethodChoice, *, limit: int, offset: int = 0
) -> list[dict[str, Any]]:
    """Methods, those that most papers use first."""
    where, parameters = choice.where(connection)
    rows = connection.execute(
        "SELECT m.slug, m.name, m.full_name, m.introduced_year, m.num_papers, substr(m.description, 1, ?) AS excerpt FROM method m "
        f"WHERE {where} ORDER BY coalesce(m.num_papers, 0) DESC, m.name, m.id LIMIT ? OFFSET ?",
        (EXCERPT, *parameters, limit, offset),
    )
    return [dict(row) for row in rows]


def count(connection: sqlite3.Connection, choice: MethodChoice) -> int:
    """How many methods there are of a choice."""
    where, parameters = choice.where(connection)
    return int(connection.execute(f"SELECT count(*) FROM method m WHERE {where}", parameters).fetchone()[0])


def areas(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """The areas of methods by name, each with its collections, the largest first."""
    rows = connection.execute(
        "SELECT c.slug, c.name, c.area, c.area_slug, count(mc.method_id) AS methods FROM collection c "
        "LEFT JOIN method_collection mc ON mc.collection_id = c.id GROUP BY c.id ORDER BY c.area, c.area_slug, methods DESC, c.name"
    )
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        area = found.setdefault(row["area_slug"], {"slug": row["area_slug"], "name": row["area"], "collections": []})
        area["collections"].append({key: row[key] for key in ("slug", "name", "methods")})
    return list(found.values())


def find_collection(connection: sqlite3.Connection, slug: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM collection WHERE slug = ?", (slug,)).fetchone()
    return row


def find(connection: sqlite3.Connection, slug: str) -> sqlite3.Row | None:
    """The method of that slug with the paper that introduced it, and its source."""
    row: sqlite3.Row | None = connection.execute(
        "SELECT m.*, p.slug AS paper_slug, p.title AS found_title, s.name AS source, s.licence AS source_licence, s.url AS source_address "
        "FROM method m LEFT JOIN paper p ON p.id = m.paper_id LEFT JOIN source s ON s.id = m.source_id WHERE m.slug = ?",
        (slug,),
    ).fetchone()
    return row


def collections_of(connection: sqlite3.Connection, method: int, limit: int) -> list[dict[str, Any]]:
    rows = connection.execute(
        "SELECT c.slug, c.name, c.area, c.area_slug FROM method_collection mc JOIN collection c ON c.id = mc.collection_id "
        "WHERE mc.method_id = ? ORDER BY c.area, c.name LIMIT ?",
        (method, limit),
    )
    return [dict(row) for row in rows]


def usage_of(connection: sqlite3.Connection, method: int, newest: int) -> Usage:
    """The papers that use a method."""
    papers = "SELECT paper_id FROM paper_method WHERE method_id = :method"
    return usage(connection, papers, {"method": method}, newest)
