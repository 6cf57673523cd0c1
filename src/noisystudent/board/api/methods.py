"""Methods."""

from __future__ import annotations

from fastapi import APIRouter

from noisystudent.board.api.filters import Text, containing
from noisystudent.board.api.models import Method
from noisystudent.board.api.pages import Page, Paged, page_of, select
from noisystudent.board.api.reading import Read, read
from noisystudent.board.api.refusals import OF_READS
from noisystudent.board.api.representations import methods_of

router = APIRouter(responses=OF_READS, tags=["methods"])


@read(router, "/methods/", Page[Method])
def method_list(
    reading: Read, paging: Paged, q: Text = None, name: Text = None, full_name: Text = None
) -> Page[Method]:
    """Methods by a part of any name (q), of the name, of the full name."""
    ids, count = select(reading, paging, containing("method", {"": q, "name": name, "full_name": full_name}))
    return Page[Method](**page_of(reading, paging, count, methods_of(reading.connection, ids)))


@read(router, "/methods/{method_id}/", Method)
def method_get(reading: Read, method_id: str) -> Method:
    """One method."""
    return methods_of(reading.connection, [reading.find("method", method_id)])[0]
