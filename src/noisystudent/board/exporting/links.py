"""The dump of links between papers and repositories."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any, BinaryIO

from noisystudent.board.exporting.objects import SITE, write_objects

LINKS = (
    "SELECT p.slug, p.title, p.arxiv_id, p.url_abs, p.url_pdf, r.url, l.* FROM paper p "
    "JOIN paper_repository l ON l.paper_id = p.id JOIN repository r ON r.id = l.repository_id ORDER BY p.slug, r.url"
)


def write(connection: sqlite3.Connection, stream: BinaryIO) -> None:
    """Write every link, by the paper's slug and the repository's address."""
    write_objects(_links(connection), stream)


def _links(connection: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    for row in connection.execute(LINKS):
        yield {
            "paper_url": f"{SITE}/paper/{row['slug']}",
            "paper_title": row["title"],
            "paper_arxiv_id": row["arxiv_id"],
            "paper_url_abs": row["url_abs"],
            "paper_url_pdf": row["url_pdf"],
            "repo_url": row["url"],
            "is_official": bool(row["is_official"]),
            "mentioned_in_paper": bool(row["mentioned_in_paper"]),
            "mentioned_in_github": bool(row["mentioned_in_github"]),
            "framework": row["framework"],
        }
