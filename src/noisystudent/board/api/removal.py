"""Taking out a row that nothing hangs on."""

from __future__ import annotations

from fastapi import HTTPException

from noisystudent.board.catalogue import Change

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
    "metric": (("value", "metric_id", "values of results, which the history keeps"),),
    "leaderboard": (("result", "leaderboard_id", "results, which the history keeps"),),
}


def remove(change: Change, table: str, row: int) -> None:
    """Take out a row; what stood in it stays in the event.

    Raises:
        HTTPException: 409, something hangs on it.
    """
    connection = change.connection
    counted = [
        (connection.execute(f"SELECT count(*) FROM {other} WHERE {column} = ?", (row,)).fetchone()[0], name)
        for other, column, name in _KEPT_BY[table]
    ]
    keeping = [f"{count} {name}" for count, name in counted if count]
    if keeping:
        raise HTTPException(409, f"this {table} cannot be removed: there are {', '.join(keeping)}")
    was = dict(connection.execute(f"SELECT * FROM {table} WHERE id = ?", (row,)).fetchone())
    connection.execute("DELETE FROM alias WHERE kind = ? AND id = ?", (table, row))
    connection.execute(f"DELETE FROM {table} WHERE id = ?", (row,))
    change.report.setdefault("removed", []).append({"table": table, "row": was})
