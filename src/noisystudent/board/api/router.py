"""All of the API, at its address."""

from __future__ import annotations

from fastapi import APIRouter

from noisystudent.board.api import (
    areas,
    authors,
    datasets,
    evaluations,
    frameworks,
    hidden,
    methods,
    metrics,
    organizations,
    papers,
    repositories,
    research,
    results,
    submissions,
    synchronize,
    tasks,
    venues,
)

router = APIRouter(prefix="/api/v1")
for part in (
    papers,
    research,
    repositories,
    frameworks,
    authors,
    venues,
    organizations,
    areas,
    tasks,
    datasets,
    methods,
    evaluations,
    metrics,
    results,
    synchronize,
    submissions,
    hidden,
):
    router.include_router(part.router)
