"""Conferences, as the old site called all venues, and their proceedings."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException

from noisystudent.board.api.filters import Text, containing
from noisystudent.board.api.models import Conference, Paper, Proceeding
from noisystudent.board.api.pages import Page, Paged, Selection, page_of, select
from noisystudent.board.api.reading import Read, Reading, read
from noisystudent.board.api.refusals import OF_READS
from noisystudent.board.api.representations import names_of, papers_of, proceedings_of

router = APIRouter(responses=OF_READS, tags=["conferences"])


@read(router, "/conferences/", Page[Conference])
def conference_list(reading: Read, paging: Paged, q: Text = None, name: Text = None) -> Page[Conference]:
    """Conferences by a part of their names."""
    ids, count = select(reading, paging, containing("venue", {"": q, "name": name}))
    found = [Conference(id=slug, name=name) for slug, name in names_of(reading.connection, "venue", ids)]
    return Page[Conference](**page_of(reading, paging, count, found))


@read(router, "/conferences/{conference_id}/", Conference)
def conference_get(reading: Read, conference_id: str) -> Conference:
    """One conference."""
    ((slug, name),) = names_of(reading.connection, "venue", [reading.find("venue", conference_id)])
    return Conference(id=slug, name=name)


@read(router, "/conferences/{conference_id}/proceedings/", Page[Proceeding])
def proceeding_list(reading: Read, paging: Paged, conference_id: str) -> Page[Proceeding]:
    """The proceedings of a conference, the newest first."""
    venue = reading.find("venue", conference_id)
    selection = Selection("proceeding WHERE venue_id = :venue", "year DESC, month DESC, slug", {"venue": venue})
    ids, count = select(reading, paging, selection)
    return Page[Proceeding](**page_of(reading, paging, count, proceedings_of(reading.connection, ids)))


@read(router, "/conferences/{conference_id}/proceedings/{proceeding_id}/", Proceeding)
def proceeding_get(reading: Read, conference_id: str, proceeding_id: str) -> Proceeding:
    """One proceeding."""
    return proceedings_of(reading.connection, [_find(reading, conference_id, proceeding_id)])[0]


@read(router, "/conferences/{conference_id}/proceedings/{proceeding_id}/papers/", Page[Paper])
def proceeding_paper_list(reading: Read, paging: Paged, conference_id: str, proceeding_id: str) -> Page[Paper]:
    """The papers of a proceeding."""
    proceeding = _find(reading, conference_id, proceeding_id)
    ids, count = select(
        reading, paging, Selection("paper WHERE proceeding_id = :proceeding", "slug", {"proceeding": proceeding})
    )
    return Page[Paper](**page_of(reading, paging, count, papers_of(reading.connection, ids)))


def _find(reading: Reading, conference_id: str, proceeding_id: str) -> int:
    row = reading.connection.execute(
        "SELECT id FROM proceeding WHERE venue_id = ? AND slug = ?",
        (reading.find("venue", conference_id), proceeding_id),
    ).fetchone()
    if row is None:
        raise HTTPException(404, f"{conference_id!r} has no proceeding {proceeding_id!r}")
    return int(row["id"])
