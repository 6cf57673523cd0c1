"""Conferences, as the old site called all venues, and their proceedings."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, HTTPException

from noisystudent.board.api.filters import Text, containing
from noisystudent.board.api.models import Conference, Paper, Proceeding
from noisystudent.board.api.operations import Read, read
from noisystudent.board.api.ordering import ByName
from noisystudent.board.api.pages import Page, Paged, Selection, listed, whole
from noisystudent.board.api.representations import OF_GIVEN, in_order, papers_of, proceedings_of
from noisystudent.board.queries import meetings
from noisystudent.board.web.reading import Reading

router = APIRouter(tags=["conferences"])


@read(router, "/conferences/")
def conference_list(reading: Read, paging: Paged, order: ByName, q: Text = None, name: Text = None) -> Page[Conference]:
    """Conferences by a part of their names. Who asks for no page and for none of them gets all, and all of their meetings."""
    if not reading.request.query_params:
        everything = [*_shown(reading.connection, _all(reading.connection)), *_meetings(reading.connection)]
        return whole(everything)
    return listed(reading, paging, containing("venue", {"": q, "name": name}).ordered(order), _shown)


@read(router, "/conferences/{conference_id}/")
def conference_get(reading: Read, conference_id: str) -> Conference:
    """One conference, or one of its meetings, as `cvpr-2020`."""
    found = meetings.find(reading.connection, conference_id)
    if found is None:
        raise HTTPException(404, f"there is no conference {conference_id!r}")
    venue, year = found
    if year is None:
        return _shown(reading.connection, [venue])[0]
    return _meeting(meetings.meeting(reading.connection, venue, year))


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
    query = (
        "SELECT v.id, v.slug, v.name, (SELECT count(*) FROM paper p JOIN proceeding q ON q.id = p.proceeding_id "
        f"WHERE q.venue_id = v.id) AS papers FROM venue v WHERE v.id {OF_GIVEN}"
    )
    return in_order(connection, query, ids, lambda row: _meeting({**dict(row), "year": None}))


def _all(connection: sqlite3.Connection) -> list[int]:
    return [row["id"] for row in connection.execute("SELECT id FROM venue ORDER BY name LIMIT ?", (meetings.MOST,))]


def _meetings(connection: sqlite3.Connection) -> list[Conference]:
    return [_meeting(row) for row in meetings.all_of_them(connection)]


def _meeting(row: Mapping[str, Any]) -> Conference:
    return Conference(id=row["slug"], slug=row["slug"], name=row["name"], year=row["year"], paper_count=row["papers"])
