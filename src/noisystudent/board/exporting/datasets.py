"""The dump of datasets. Parts of datasets that only results tables know stand in the evaluation tables."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any, BinaryIO

from noisystudent.board.exporting.objects import SITE, in_batches, introducing_paper, listed, picked, write_objects

TASKS = (
    "SELECT d.dataset_id AS owner, t.name, t.slug FROM dataset_task d JOIN task t ON t.id = d.task_id "
    "WHERE d.dataset_id IN (SELECT value FROM json_each(?)) ORDER BY d.dataset_id, t.name"
)
WHOLE = (
    "SELECT d.*, p.slug AS paper_slug FROM dataset d LEFT JOIN paper p ON p.id = d.paper_id "
    "WHERE d.parent_id IS NULL ORDER BY d.slug"
)


def write(connection: sqlite3.Connection, stream: BinaryIO) -> None:
    """Write every dataset that is not a part of another, by slug. Fields of the licence are there where one is known."""
    write_objects(_datasets(connection), stream)


def _datasets(connection: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    for rows in in_batches(connection, WHOLE):
        tasks = listed(connection, TASKS, (row["id"] for row in rows))
        for row in rows:
            licence = {"license_name": row["licence_name"], "license_url": row["licence_url"]}
            yield {
                "url": f"{SITE}/dataset/{row['slug']}",
                **picked(row, "name", "full_name", "homepage", "description", "short_description"),
                **picked(row, "parent_dataset", "image"),
                "paper": introducing_paper(row),
                "introduced_date": row["introduced_date"],
                "warning": row["warning"],
                "modalities": json.loads(row["modalities"]),
                "tasks": [{"task": task["name"], "url": f"{SITE}/task/{task['slug']}"} for task in tasks[row["id"]]],
                "languages": json.loads(row["languages"]),
                "variants": json.loads(row["variants"]),
                "num_papers": row["num_papers"],
                "data_loaders": json.loads(row["data_loaders"]),
                **(licence if any(licence.values()) else {}),
            }
