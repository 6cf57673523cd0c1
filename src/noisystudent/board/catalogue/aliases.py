"""Old addresses, and what they mean now."""

from __future__ import annotations

import sqlite3


def moved_to(connection: sqlite3.Connection, kind: str, old: str) -> str | None:
    """The slug that an old slug of a kind means now, if it means one."""
    table = {name: name for name in ("task", "dataset", "paper", "method", "leaderboard", "author")}[kind]
    row = connection.execute(
        f"SELECT t.slug FROM alias a JOIN {table} t ON t.id = a.id WHERE a.kind = ? AND a.old = ?", (kind, old)
    ).fetchone()
    return str(row["slug"]) if row else None
