"""Tasks: reading and changing them."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException

from noisystudent.board.api.access import Write, meant, remove
from noisystudent.board.api.evaluation_models import EvaluationTable
from noisystudent.board.api.filters import Text, containing
from noisystudent.board.api.models import Paper, Task, TaskCreateRequest, TaskUpdateRequest
from noisystudent.board.api.operations import Read, read, write
from noisystudent.board.api.ordering import ByName
from noisystudent.board.api.pages import Page, Paged, Selection, listed
from noisystudent.board.api.representations import evaluations_of, papers_of, tasks_of
from noisystudent.board.catalogue import entries, names
from noisystudent.board.catalogue.change import Change
from noisystudent.board.web.reading import named

router = APIRouter(tags=["tasks"])


@read(router, "/tasks/")
def task_list(reading: Read, paging: Paged, order: ByName, q: Text = None, name: Text = None) -> Page[Task]:
    """Tasks by a part of their names."""
    return listed(reading, paging, containing("task", {"": q, "name": name}).ordered(order), tasks_of)


@read(router, "/tasks/{task_id}/")
def task_get(reading: Read, task_id: str) -> Task:
    """One task."""
    return tasks_of(reading.connection, [reading.find("task", task_id)])[0]


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
def task_paper_list(reading: Read, paging: Paged, task_id: str) -> Page[Paper]:
    """A task's papers, the newest first."""
    task = reading.find("task", task_id)
    selection = Selection(
        "paper_task WHERE task_id = :task", "published DESC, paper_id DESC", {"task": task}, "paper_id"
    )
    return listed(reading, paging, selection, papers_of)


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
