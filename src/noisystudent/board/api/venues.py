"""Conferences, as the old site called all venues, and their proceedings."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from fastapi import APIRouter, HTTPException

from noisystudent.board.api.filters import Text, containing
from noisystudent.board.api.models import Conference, Paper, Proceeding
from noisystudent.board.api.operations import Read, read
from noisystudent.board.api.ordering import ByName
from noisystudent.board.api.pages import Page, Paged, Selection, listed
from noisystudent.board.api.representations import names_of, papers_of, proceedings_of
from noisystudent.board.web.reading import Reading

router = APIRouter(tags=["conferences"])


@read(router, "/conferences/")
def conference_list(reading: Read, paging: Paged, order: ByName, q: Text = None, name: Text = None) -> Page[Conference]:
    """Conferences by a part of their names."""
    return listed(reading, paging, containing("venue", {"": q, "name": name}).ordered(order), _shown)


@read(router, "/conferences/{conference_id}/")
def conference_get(reading: Read, conference_id: str) -> Conference:
    """One conference."""
    return _shown(reading.connection, [reading.find("venue", conference_id)])[0]


@read(router, "/conferences/{conference_id}/proceedings/")
def proceeding_list(reading: Read, paging: Paged, conference_id: str) -> Page[Proceeding]:
    """The proceedings of a conference, the newest first."""
    venue = reading.find("venue", conference_id)
    selection = Selection("proceeding WHERE venue_id = :venue", "year DESC, month DESC, slug", {"venue": venue})
    return listed(reading, paging, selection, proceedings_of)


@read(router, "/conferences/{conference_id}/proceedings/{proceeding_id}/")
def proceeding_get(reading: Read, conference_id: str, proceeding_id: str) -> Proceeding:
    """One proceeding."""
    return proceedings_of(reading.connection, [_find(reading, conference_id, proceeding_id)])[0]


@read(router, "/conferences/{conference_id}/proceedings/{proceeding_id}/papers/")
def proceeding_paper_list(reading: Read, paging: Paged, conference_id: str, proceeding_id: str) -> Page[Paper]:
    """The papers of a proceeding."""
    proceeding = _find(reading, conference_id, proceeding_id)
    selection = Selection("paper WHERE proceeding_id = :proceeding", "slug", {"proceeding": proceeding})
    return listed(reading, paging, selection, papers_of)


def _find(reading: Reading, conference_id: str, proceeding_id: str) -> int:
    row = reading.connection.execute(
        "SELECT id FROM proceeding WHERE venue_id = ? AND slug = ?",
        (reading.find("venue", conference_id), proceeding_id),
    ).fetchone()
    if row is None:
        raise HTTPException(404, f"{conference_id!r} has no proceeding {proceeding_id!r}")
    return int(row["id"])


def _shown(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Conference]:
    return [Conference(id=slug, name=name) for slug, name in names_of(connection, "venue", ids)]
