"""Methods."""

from __future__ import annotations

from fastapi import APIRouter

from noisystudent.board.api.filters import Text, containing
from noisystudent.board.api.models import Method
from noisystudent.board.api.operations import Read, read
from noisystudent.board.api.ordering import ByName
from noisystudent.board.api.pages import Page, Paged, listed
from noisystudent.board.api.representations import methods_of

router = APIRouter(tags=["methods"])


@read(router, "/methods/")
def method_list(
    reading: Read, paging: Paged, order: ByName, q: Text = None, name: Text = None, full_name: Text = None
) -> Page[Method]:
    """Methods by a part of any name (q), of the name, of the full name."""
    return listed(
        reading, paging, containing("method", {"": q, "name": name, "full_name": full_name}).ordered(order), methods_of
    )


@read(router, "/methods/{method_id}/")
def method_get(reading: Read, method_id: str) -> Method:
    """One method."""
    return methods_of(reading.connection, [reading.find("method", method_id)])[0]
