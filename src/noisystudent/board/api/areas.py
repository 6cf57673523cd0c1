"""Areas and their tasks."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query

from noisystudent.board.api import benchmarks
from noisystudent.board.api.filters import Text, containing
from noisystudent.board.api.models import Area, AreaTaskBenchmarks, AreaTasks, Task, TaskBenchmarks
from noisystudent.board.api.operations import Read, read
from noisystudent.board.api.ordering import ByName
from noisystudent.board.api.pages import Item, Page, Paged, Selection, listed, whole
from noisystudent.board.api.representations import names_of, task_counts_of, tasks_of
from noisystudent.board.catalogue.ranking import FILLED
from noisystudent.board.web.reading import Reading

router = APIRouter(tags=["areas"])


@read(router, "/areas/")
def area_list(reading: Read, paging: Paged, order: ByName, q: Text = None, name: Text = None) -> Page[Area]:
    """Areas by a part of their names."""
    return listed(reading, paging, containing("area", {"": q, "name": name}).ordered(order), _shown)


@read(router, "/areas/with-tasks/")
def area_list_with_tasks(reading: Read) -> Page[AreaTasks]:
    """All areas with the tasks in them that have none above them."""
    return _grouped(
        reading,
        "AND NOT EXISTS (SELECT 1 FROM task_parent up WHERE up.task_id = t.id)",
        lambda area, ids: AreaTasks(**area, tasks=task_counts_of(reading.connection, ids)),
    )


@read(router, "/areas/with-task-benchmarks/")
def area_list_with_benchmarks(
    reading: Read,
    benchmarks_per_task: Annotated[int, Query(ge=1, le=10, description="Of each task so many at most.")] = 3,
    min_eval_count: Annotated[int, Query(ge=0, le=10**9, description="Benchmarks with so many results at least.")] = 2,
) -> Page[AreaTaskBenchmarks]:
    """All areas with their tasks that have benchmarks, and of each the most used."""

    def shown(area: dict[str, Any], ids: list[int]) -> AreaTaskBenchmarks:
        found = benchmarks.of_tasks(reading.connection, ids, most=benchmarks_per_task, least=min_eval_count)
        tasks = [
            TaskBenchmarks(id=slug, slug=slug, name=name, benchmarks=theirs)
            for (slug, name), theirs in zip(names_of(reading.connection, "task", ids), found, strict=True)
            if theirs
        ]
        return AreaTaskBenchmarks(**area, tasks=tasks)

    return _grouped(reading, f"AND EXISTS (SELECT 1 FROM leaderboard l WHERE l.task_id = t.id AND {FILLED})", shown)


@read(router, "/areas/{area_id}/")
def area_get(reading: Read, area_id: str) -> Area:
    """One area."""
    return _shown(reading.connection, [reading.find("area", area_id)])[0]


@read(router, "/areas/{area_id}/tasks/")
def area_task_list(reading: Read, paging: Paged, area_id: str) -> Page[Task]:
    """The tasks of an area."""
    area = reading.find("area", area_id)
    rows = "task_area l JOIN task t ON t.id = l.task_id WHERE l.area_id = :area"
    return listed(reading, paging, Selection(rows, "t.slug", {"area": area}, "t.id"), tasks_of)


def _grouped(reading: Reading, condition: str, shown: Callable[[dict[str, Any], list[int]], Item]) -> Page[Item]:
    """All areas by name, each with its tasks `t` that pass a condition; those of no area come last."""
    areas = reading.connection.execute("SELECT id, slug, name FROM area ORDER BY name").fetchall()
    in_area = "t.id IN (SELECT task_id FROM task_area WHERE area_id = ?)"
    groups: list[tuple[dict[str, Any], str, tuple[int, ...]]] = [
        ({"id": area["slug"], "name": area["name"]}, in_area, (area["id"],)) for area in areas
    ]
    groups.append(
        ({"id": None, "name": "No area"}, "NOT EXISTS (SELECT 1 FROM task_area l WHERE l.task_id = t.id)", ())
    )
    results = []
    for area, where, parameters in groups:
        rows = reading.connection.execute(
            f"SELECT t.id FROM task t WHERE {where} {condition} ORDER BY t.name", parameters
        )
        ids = [row["id"] for row in rows]
        if ids or area["id"]:
            results.append(shown(area, ids))
    return whole(results)


def _shown(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Area]:
    return [Area(id=slug, name=name) for slug, name in names_of(connection, "area", ids)]
