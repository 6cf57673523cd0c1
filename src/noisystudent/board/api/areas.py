"""Areas and their tasks."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from fastapi import APIRouter

from noisystudent.board.api.filters import Text, containing
from noisystudent.board.api.models import Area, Task
from noisystudent.board.api.operations import Read, read
from noisystudent.board.api.ordering import ByName
from noisystudent.board.api.pages import Page, Paged, Selection, listed
from noisystudent.board.api.representations import names_of, tasks_of

router = APIRouter(tags=["areas"])


@read(router, "/areas/")
def area_list(reading: Read, paging: Paged, order: ByName, q: Text = None, name: Text = None) -> Page[Area]:
    """Areas by a part of their names."""
    return listed(reading, paging, containing("area", {"": q, "name": name}).ordered(order), _shown)


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


def _shown(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Area]:
    return [Area(id=slug, name=name) for slug, name in names_of(connection, "area", ids)]
