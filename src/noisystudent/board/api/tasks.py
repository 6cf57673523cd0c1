"""Tasks: reading and changing them."""

from __future__ import annotations

import functools
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query

from noisystudent.board.api import benchmarks
from noisystudent.board.api.access import Write, meant, remove
from noisystudent.board.api.evaluation_models import EvaluationTable
from noisystudent.board.api.evaluation_rows import IsOpen
from noisystudent.board.api.filters import Text, containing
from noisystudent.board.api.models import (
    BenchmarkTrend,
    PaperResources,
    Recommended,
    SubtaskBenchmarks,
    Task,
    TaskCreateRequest,
    TaskPage,
    TaskUpdateRequest,
)
from noisystudent.board.api.operations import Read, read, write
from noisystudent.board.api.ordering import TasksBy
from noisystudent.board.api.pages import Limit, Page, Paged, Selection, listed, whole
from noisystudent.board.api.paper_filters import Direction, Resources
from noisystudent.board.api.representations import evaluations_of, papers_with_resources, task_counts_of, tasks_of
from noisystudent.board.catalogue import entries, names
from noisystudent.board.catalogue.change import Change
from noisystudent.board.queries.tasks import LEVELS, around, starred_code, with_descendants
from noisystudent.board.queries.trending import late, trending_first
from noisystudent.board.web.reading import named

router = APIRouter(tags=["tasks"])
MOST_BENCHMARKS, MOST_RECOMMENDED = 100, 5


@read(router, "/tasks/")
def task_list(
    reading: Read,
    paging: Paged,
    order: TasksBy,
    q: Text = None,
    name: Text = None,
    area_id: Annotated[str | None, Query(max_length=300, description="In this area.")] = None,
    level: Annotated[int | None, Query(ge=0, le=100, description="With so many tasks above it.")] = None,
    visible_only: Annotated[
        bool, Query(description="What is hidden is in no list, so that either says the same.")
    ] = False,
) -> Page[Task]:
    """Tasks by a part of their names; of an area, of a level."""
    found = containing("task", {"": q, "name": name})
    if area_id:
        in_area = "EXISTS (SELECT 1 FROM task_area l WHERE l.task_id = task.id AND l.area_id = :area)"
        found = found.and_also(in_area, area=reading.find("area", area_id))
    ids = f"SELECT id FROM {found.rows}"
    levels = f"task LEFT JOIN {LEVELS} task_level ON task_level.id = task.id WHERE task.id IN ({ids})"
    selection = Selection(levels, "slug", found.parameters, "task.id")
    if level is not None:
        selection = selection.and_also("task_level.level = :level", level=level)
    return listed(reading, paging, selection.ordered(order), tasks_of)


@read(router, "/tasks/{task_id}/")
def task_get(reading: Read, task_id: str) -> Task:
    """One task."""
    return tasks_of(reading.connection, [reading.find("task", task_id)])[0]


@read(router, "/tasks/{task_id}/page/")
def task_page(reading: Read, task_id: str) -> TaskPage:
    """All that a task's page says."""
    connection, task = reading.connection, reading.find("task", task_id)
    near = around(connection, task)
    children = task_counts_of(connection, near["children"])
    own, *of_children = benchmarks.of_tasks(connection, [task, *near["children"]], most=MOST_BENCHMARKS)
    return TaskPage(
        task=tasks_of(connection, [task])[0],
        parents=task_counts_of(connection, near["parents"]),
        sisters=task_counts_of(connection, near["sisters"]),
        children=children,
        recommended_frameworks=[
            Recommended(id=row["url"], **dict(row)) for row in starred_code(connection, task, MOST_RECOMMENDED)
        ],
        benchmarks=own,
        subtask_benchmarks=[
            SubtaskBenchmarks(subtask_id=child.id, benchmarks=theirs)
            for child, theirs in zip(children, of_children, strict=True)
        ],
    )


@read(router, "/tasks/{task_id}/trending-benchmarks/")
def task_benchmark_trend_list(
    reading: Read,
    task_id: str,
    limit: Limit = 100,
    min_recent_papers: Annotated[int, Query(ge=0, le=10**9, description="Of the last year, so many at least.")] = 0,
    include_descendants: Annotated[bool, Query(description="Of the tasks below it, too.")] = False,
    is_open: IsOpen = None,
) -> Page[BenchmarkTrend]:
    """A task's benchmarks, those first with results of most papers of the last year."""
    task = reading.find("task", task_id)
    tasks = with_descendants(reading.connection, task) if include_descendants else [task]
    found = benchmarks.trends(reading.connection, tasks, least=min_recent_papers, is_open=is_open, limit=limit)
    return whole(found)


@read(router, "/tasks/{task_id}/parents/")
def task_parent_list(reading: Read, paging: Paged, task_id: str) -> Page[Task]:
    """The tasks right above a task."""
    rows = "task_parent l JOIN task t ON t.id = l.parent_id WHERE l.task_id = :task"
    selection = Selection(rows, "t.slug", {"task": reading.find("task", task_id)}, "t.id")
    return listed(reading, paging, selection, tasks_of)


@read(router, "/tasks/{task_id}/children/")
def task_child_list(reading: Read, paging: Paged, task_id: str) -> Page[Task]:
    """The tasks right below a task."""
    rows = "task_parent l JOIN task t ON t.id = l.task_id WHERE l.parent_id = :task"
    selection = Selection(rows, "t.slug", {"task": reading.find("task", task_id)}, "t.id")
    return listed(reading, paging, selection, tasks_of)


@read(router, "/tasks/{task_id}/papers/")
def task_paper_list(
    reading: Read,
    paging: Paged,
    task_id: str,
    order_by: Annotated[Literal["trending", "date_published"], Query()] = "date_published",
    order_dir: Direction = "desc",
    include_resources: Resources = False,
) -> Page[PaperResources]:
    """A task's papers, the newest first, or those that trend."""
    direction, task = order_dir.upper(), {"task": reading.find("task", task_id)}
    selection = Selection(
        "paper_task WHERE task_id = :task", f"published {direction}, paper_id {direction}", task, "paper_id"
    )
    if order_by == "trending":
        rows = "paper_task l JOIN paper p ON p.id = l.paper_id WHERE l.task_id = :task"
        selection = Selection(rows, trending_first(direction), {**task, **late(reading.connection)}, "p.id")
    shown = functools.partial(papers_with_resources, asked=include_resources)
    return listed(reading, paging, selection, shown)


@read(router, "/tasks/{task_id}/evaluations/")
def task_evaluation_list(reading: Read, paging: Paged, task_id: str) -> Page[EvaluationTable]:
    """A task's evaluation tables."""
    selection = Selection("leaderboard WHERE task_id = :task", "slug", {"task": reading.find("task", task_id)})
    return listed(reading, paging, selection, evaluations_of)


@write(router, "POST", "/tasks/", 201)
def task_add(writing: Write, body: TaskCreateRequest) -> Task:
    """Add a task."""
    with writing.changing("add task", body.name) as change:
        _free(change, body.name)
        number = entries.write(change, "task", None, {"name": body.name, "description": body.description})
        _place(change, number, body.area, body.parent_task)
    return writing.read(tasks_of, number)


@write(router, "PATCH", "/tasks/{task_id}/")
def task_update(writing: Write, task_id: str, body: TaskUpdateRequest) -> Task:
    """Change a task; its id stays."""
    with writing.changing("change task", task_id) as change:
        number = named(change.connection, "task", task_id)
        if body.name is not None:
            _free(change, body.name, number)
        given = {"name": body.name, "description": body.description}
        entries.write(change, "task", number, {name: text for name, text in given.items() if text is not None})
        _place(change, number, body.area, body.parent_task)
    return writing.read(tasks_of, number)


@write(router, "DELETE", "/tasks/{task_id}/", 204)
def task_delete(writing: Write, task_id: str) -> None:
    """Take out a task that has no evaluation tables, papers, datasets and tasks below it."""
    with writing.changing("remove task", task_id) as change:
        remove(change, "task", named(change.connection, "task", task_id))


def _free(change: Change, name: str, number: int | None = None) -> None:
    taken = names.named(change.connection, "task", name)
    if taken not in (None, number):
        raise HTTPException(
            409, f"there is a task {name!r} already: its id is {names.slug_of(change.connection, 'task', taken)!r}"
        )


def _place(change: Change, task: int, area: str | None, parent: str | None) -> None:
    """Put a task into an area and below another, beside those that it is in and below."""
    if area:
        found = names.meant(change.connection, "area", area) or change.area(area)
        _add(change, "task_area", task, "area_id", found)
    if parent:
        found = meant(change, "task", parent)
        name = change.connection.execute("SELECT name FROM task WHERE id = ?", (found,)).fetchone()[0]
        if entries.circle(change.connection, task, [name]):
            raise HTTPException(409, f"parent_task: {name!r} is this task, or stands below it")
        _add(change, "task_parent", task, "parent_id", found)


def _add(change: Change, table: str, task: int, column: str, other: int) -> None:
    rows = change.rows_of(table, {"task_id": task})
    if other not in [row[column] for row in rows]:
        change.replace_rows(table, {"task_id": task}, [*rows, {column: other}])
