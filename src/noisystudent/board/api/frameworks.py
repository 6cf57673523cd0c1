"""What code is written with."""

from __future__ import annotations

from fastapi import APIRouter

from noisystudent.board.api.models import Framework, FrameworkCatalogue, FrameworkCategory, FrameworkDomain
from noisystudent.board.api.operations import Read, read
from noisystudent.board.queries.frameworks import used

router = APIRouter(tags=["repositories"])


@read(router, "/frameworks/")
def framework_list(reading: Read) -> FrameworkCatalogue:
    """All frameworks that the code of papers is written with. The catalogue knows of one kind only, so they stand in one category."""
    frameworks = [
        Framework(id=each.slug, slug=each.slug, name=each.name, paper_count=each.papers, platforms=[])
        for each in used(reading.connection)
    ]
    category = FrameworkCategory(slug="deep-learning", name="Deep learning", frameworks=frameworks)
    return FrameworkCatalogue(domains=[FrameworkDomain(slug="code", name="Code", categories=[category])])
