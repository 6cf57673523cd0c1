"""Where an entry comes from, as its page says it."""

from __future__ import annotations

import sqlite3
from typing import Any


def source_of(row: sqlite3.Row) -> dict[str, Any] | None:
    """The layer that an entry comes from, for the foot of its page."""
    if not row["source"]:
        return None
    return {"name": row["source"], "licence": row["source_licence"], "url": row["source_address"]}


def introduced_by(row: sqlite3.Row) -> dict[str, Any] | None:
    """The paper that a data set or method came with: one of the catalogue, or what is known of another."""
    if not (row["paper_slug"] or row["paper_title"] or row["paper_url"]):
        return None
    title = row["found_title"] or row["paper_title"] or row["paper_url"]
    return {"slug": row["paper_slug"], "title": title, "url": row["paper_url"]}
