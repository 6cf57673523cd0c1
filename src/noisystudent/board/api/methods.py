"""Methods."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from noisystudent.board.api.filters import Text, containing
from noisystudent.board.api.models import Method
from noisystudent.board.api.operations import Read, read
from noisystudent.board.api.ordering import MethodsBy
from noisystudent.board.api.pages import Page, Paged, listed
from noisystudent.board.api.representations import methods_of

router = APIRouter(tags=["methods"])
OF_AREA = (
    "EXISTS (SELECT 1 FROM method_collection l JOIN collection c ON c.id = l.collection_id "
    "WHERE l.method_id = method.id AND c.area_slug = :area)"
)


@read(router, "/methods/")
def method_list(
    reading: Read,
    paging: Paged,
    order: MethodsBy,
    q: Text = None,
    name: Text = None,
    full_name: Text = None,
    area_id: Annotated[str | None, Query(max_length=300, description="In a collection of this area.")] = None,
    introduced_year: Annotated[int | None, Query(ge=1000, le=9999)] = None,
) -> Page[Method]:
    """Methods by a part of any name (q), of the name, of the full name; of an area, of a year."""
    found = containing("method", {"": q, "name": name, "full_name": full_name})
    if area_id:
        found = found.and_also(OF_AREA, area=area_id)
    if introduced_year is not None:
        found = found.and_also("introduced_year = :introduced", introduced=introduced_year)
    return listed(reading, paging, found.ordered(order), methods_of)


@read(router, "/methods/{method_id}/")
def method_get(reading: Read, method_id: str) -> Method:
    """One method."""
    return methods_of(reading.connection, [reading.find("method", method_id)])[0]
