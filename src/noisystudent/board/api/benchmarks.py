"""Datasets as benchmarks of tasks: the most used of each, and how much they are used of late."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from noisystudent.board.api.models import Benchmark, BenchmarkTrend
from noisystudent.board.api.representations import OF_GIVEN, hub_address
from noisystudent.board.api.result_rows import results_of
from noisystudent.board.queries import trending

EXCERPT = 160  # characters of a description: a list of all tasks has thousands


def of_tasks(
    connection: sqlite3.Connection, tasks: Sequence[int], *, most: int, least: int = 0
) -> list[list[Benchmark]]:
    """Of each task the datasets on which it has results, those with most of them first.

    Args:
        most: how many of each at most.
        least: so many results at least.
    """
    rows = connection.execute(
        "SELECT l.task_id, l.dataset_id, l.result_count, l.paper_count FROM leaderboard l "
        f"WHERE l.task_id {OF_GIVEN} AND l.result_count >= ? ORDER BY l.task_id, l.result_count DESC, l.id",
        (json.dumps(list(tasks)), max(1, least)),
    )
    found: dict[int, list[sqlite3.Row]] = {task: [] for task in tasks}
    for row in rows:
        if len(found[row["task_id"]]) < most:
            found[row["task_id"]].append(row)
    about = _about(connection, [row["dataset_id"] for rows in found.values() for row in rows])
    return [
        [
            Benchmark(**about[row["dataset_id"]], paper_count=row["paper_count"], evaluation_count=row["result_count"])
            for row in found[task]
        ]
        for task in tasks
    ]


def trends(
    connection: sqlite3.Connection, tasks: Sequence[int], *, least: int, is_open: bool | None, limit: int
) -> list[BenchmarkTrend]:
    """The datasets of some tasks, as `trending.benchmarks` has them."""
    found = trending.benchmarks(connection, tasks, least=least, is_open=is_open, limit=limit)
    about = _about(connection, [each["id"] for each in found])
    best = [each["best"] for each in found if each["best"] is not None]
    leaders = {int(result.id): result for result in results_of(connection, list(dict.fromkeys(best)))}
    titles = dict(
        connection.execute(
            f"SELECT id, paper FROM result_shown WHERE id {OF_GIVEN}", (json.dumps(list(leaders)),)
        ).fetchall()
    )
    trends = []
    for each in found:
        leader = leaders.get(each["best"])
        trends.append(
            BenchmarkTrend(
                **about[each["id"]],
                paper_count=each["papers"],
                evaluation_count=each["results"],
                recent_paper_count=each["recent"],
                all_time_paper_count=each["papers"],
                trend_score=each["recent"],
                best_model_name=leader.methodology if leader else None,
                best_paper_title=titles.get(each["best"]),
                best_code_url=next(iter(leader.code), None) if leader else None,
            )
        )
    return trends


def _about(connection: sqlite3.Connection, datasets: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = connection.execute(
        "SELECT id, slug, shown, full_name, substr(coalesce(nullif(short_description, ''), description), 1, ?) AS excerpt, "
        f"homepage, data_loaders FROM dataset_shown WHERE id {OF_GIVEN}",
        (EXCERPT, json.dumps(list(datasets))),
    )
    return {
        row["id"]: {
            "id": row["slug"],
            "slug": row["slug"],
            "name": row["shown"],
            "full_name": row["full_name"] or None,
            "description": row["excerpt"],
            "hf_url": hub_address(row["homepage"], row["data_loaders"]),
        }
        for row in rows
    }
