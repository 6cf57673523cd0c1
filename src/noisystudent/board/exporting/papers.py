"""The dump of papers with their abstracts, authors, tasks and methods."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any, BinaryIO

from noisystudent.board.exporting.objects import SITE, in_batches, listed, picked, write_objects

PAPERS = (
    "SELECT paper.*, g.name AS proceeding, "
    "CASE WHEN rtrim(reproduces_paper, '/') NOT IN (SELECT name FROM hidden_address) THEN reproduces_paper END AS reproduced "
    "FROM paper LEFT JOIN proceeding g ON g.id = proceeding_id ORDER BY paper.slug"
)
AUTHORS = (
    "SELECT p.paper_id AS owner, a.name FROM paper_author p JOIN author a ON a.id = p.author_id "
    "WHERE p.paper_id IN (SELECT value FROM json_each(?)) ORDER BY p.paper_id, p.position"
)
TASKS = (
    "SELECT p.paper_id AS owner, t.name FROM paper_task p JOIN task t ON t.id = p.task_id "
    "WHERE p.paper_id IN (SELECT value FROM json_each(?)) ORDER BY p.paper_id, t.name"
)
METHODS = (
    "SELECT p.paper_id AS owner, m.* FROM paper_method p JOIN method m ON m.id = p.method_id "
    "WHERE p.paper_id IN (SELECT value FROM json_each(?)) ORDER BY p.paper_id, m.name, m.full_name, m.slug"
)


def write(connection: sqlite3.Connection, stream: BinaryIO) -> None:
    """Write every paper, by slug."""
    write_objects(_papers(connection), stream)


def _papers(connection: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    collections = _main_collections(connection)
    for rows in in_batches(connection, PAPERS):
        numbers = [row["id"] for row in rows]
        authors, tasks, methods = (listed(connection, query, numbers) for query in (AUTHORS, TASKS, METHODS))
        for row in rows:
            yield {
                "paper_url": f"{SITE}/paper/{row['slug']}",
                **picked(row, "arxiv_id", "nips_id", "openreview_id", "title", "abstract", "short_abstract"),
                **picked(row, "url_abs", "url_pdf", "proceeding"),
                "authors": [author["name"] for author in authors[row["id"]]],
                "tasks": [task["name"] for task in tasks[row["id"]]],
                "date": row["published"],
                **picked(row, "conference_url_abs", "conference_url_pdf", "conference"),
                "reproduces_paper": row["reproduced"],
                "methods": [_method(method, collections.get(method["id"])) for method in methods[row["id"]]],
            }


def _method(row: sqlite3.Row, collection: dict[str, Any] | None) -> dict[str, Any]:
    return {
        **picked(row, "name", "full_name", "description", "introduced_year"),
        **picked(row, "source_title", "source_url", "code_snippet_url"),
        "main_collection": collection,
    }


def _main_collections(connection: sqlite3.Connection) -> dict[int, dict[str, Any]]:
    """Of each method, its first collection: which one the archive calls the main one is kept nowhere else."""
    rows = connection.execute(
        "SELECT m.method_id, c.name, c.area FROM method_collection m JOIN collection c ON c.id = m.collection_id "
        "ORDER BY c.area DESC, c.area_slug DESC, c.name DESC"
    )
    return {
        row["method_id"]: {"name": row["name"], "description": "", "parent": None, "area": row["area"]} for row in rows
    }
