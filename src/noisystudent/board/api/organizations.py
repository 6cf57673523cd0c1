"""Organizations, of which there are none: no source that the catalogue reads says of papers where their authors work.

Clients of the old site's successor ask for the list; what is honest is an empty one.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from noisystudent.board.api.models import Organization
from noisystudent.board.api.operations import Read, read
from noisystudent.board.api.pages import Page, Paged, page_of

router = APIRouter(tags=["organizations"])


@read(router, "/organizations/")
def organization_list(
    reading: Read,
    paging: Paged,
    featured_only: Annotated[bool, Query(description="Only those that somebody picked out.")] = False,
) -> Page[Organization]:
    """No organizations: the catalogue does not know where authors work."""
    return page_of(reading, paging, 0, [])


@read(router, "/organizations/{organization_id}/")
def organization_get(reading: Read, organization_id: str) -> Organization:
    """404: the catalogue does not know where authors work."""
    raise HTTPException(
        404, f"there is no organization {organization_id!r}: the catalogue does not know where authors work"
    )
