"""Taking out entries that nothing hangs on, and bringing them back."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from noisystudent.board.catalogue.change import Change
from noisystudent.errors import UserError

# What keeps a row: the table, its column, and what to call it.
_KEPT_BY: dict[str, tuple[tuple[str, str, str], ...]] = {
    "task": (
        ("leaderboard", "task_id", "evaluation tables"),
        ("task_parent", "parent_id", "tasks below it"),
        ("paper_task", "task_id", "papers"),
        ("dataset_task", "task_id", "datasets"),
    ),
    "dataset": (
        ("leaderboard", "dataset_id", "evaluation tables"),
        ("dataset", "parent_id", "datasets that are a part of it"),
        ("paper_dataset", "dataset_id", "papers"),
    ),
    "paper": (
        ("result", "paper_id", "results, which the history keeps"),
        ("model", "paper_id", "models"),
        ("dataset", "paper_id", "datasets"),
        ("method", "paper_id", "methods"),
    ),
    "method": (("paper_method", "method_id", "papers"),),
    "author": (("paper_author", "author_id", "papers"),),
    "metric": (("value", "metric_id", "values of results, which the history keeps"),),
    "leaderboard": (("result", "leaderboard_id", "results, which the history keeps"),),
}


def kept_by(connection: sqlite3.Connection, table: str, row: int) -> list[str]:
    """What hangs on a row, in words; while there is anything, the row stays.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from noisystudent.board.catalogue.store import Store
        >>> with Store(Path(tempfile.mkdtemp()) / "board.db", create=True).changing("anna", "add") as change:
        ...     task = change.task("Image Classification")
        ...     board = change.leaderboard(task, change.dataset("ImageNet"))
        ...     kept_by(change.connection, "task", task)
        ['1 evaluation tables']
    """
    counted = [
        (connection.execute(f"SELECT count(*) FROM {other} WHERE {column} = ?", (row,)).fetchone()[0], name)
        for other, column, name in _KEPT_BY[table]
    ]
    return [f"{count} {name}" for count, name in counted if count]


def remove(change: Change, table: str, row: int) -> None:
    """Take out a row that nothing hangs on; what stood in it stays in the event.

    Raises:
        UserError: something hangs on it.
    """
    keeping = kept_by(change.connection, table, row)
    if keeping:
        raise UserError(f"this {table} cannot be removed: there are {', '.join(keeping)}")
    was = dict(change.connection.execute(f"SELECT * FROM {table} WHERE id = ?", (row,)).fetchone())
    for names in ("alias", "other_name", "hidden"):
        change.connection.execute(f"DELETE FROM {names} WHERE kind = ? AND id = ?", (table, row))
    change.connection.execute(f"DELETE FROM {table} WHERE id = ?", (row,))
    change.report.setdefault("removed", []).append({"table": table, "row": was})


def bring_back(change: Change, table: str, row: Mapping[str, Any]) -> None:
    """Put a row that was removed where it was.

    Raises:
        UserError: its name or its address has been given to another since.
    """
    if table == "leaderboard":  # its metrics went with it: which one ranks it is found when they are there
        row = {**row, "ranked_by": None}
        change.touched.add(row["id"])
    try:
        change.insert(table, **row)
    except sqlite3.IntegrityError as error:
        name = row.get("name") or row.get("title") or row.get("slug")
        raise UserError(f"the {table} {name} cannot come back: {error}") from error
