"""Areas and their tasks."""

from __future__ import annotations

from fastapi import APIRouter

from noisystudent.board.api.filters import Text, containing
from noisystudent.board.api.models import Area, Task
from noisystudent.board.api.pages import Page, Paged, Selection, page_of, select
from noisystudent.board.api.reading import Read, read
from noisystudent.board.api.refusals import OF_READS
from noisystudent.board.api.representations import names_of, tasks_of

router = APIRouter(responses=OF_READS, tags=["areas"])


@read(router, "/areas/", Page[Area])
def area_list(reading: Read, paging: Paged, q: Text = None, name: Text = None) -> Page[Area]:
    """Areas by a part of their names."""
    ids, count = select(reading, paging, containing("area", {"": q, "name": name}))
    found = [Area(id=slug, name=name) for slug, name in names_of(reading.connection, "area", ids)]
    return Page[Area](**page_of(reading, paging, count, found))


@read(router, "/areas/{area_id}/", Area)
def area_get(reading: Read, area_id: str) -> Area:
    """One area."""
    ((slug, name),) = names_of(reading.connection, "area", [reading.find("area", area_id)])
    return Area(id=slug, name=name)


@read(router, "/areas/{area_id}/tasks/", Page[Task])
def area_task_list(reading: Read, paging: Paged, area_id: str) -> Page[Task]:
    """The tasks of an area."""
    area = reading.find("area", area_id)
    rows = "task_area l JOIN task t ON t.id = l.task_id WHERE l.area_id = :area"
    ids, count = select(reading, paging, Selection(rows, "t.slug", {"area": area}, "t.id"))
    return Page[Task](**page_of(reading, paging, count, tasks_of(reading.connection, ids)))
