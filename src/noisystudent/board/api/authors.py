"""Authors and their papers."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from fastapi import APIRouter

from noisystudent.board.api.filters import Text, containing
from noisystudent.board.api.models import Author, Paper
from noisystudent.board.api.operations import Read, read
from noisystudent.board.api.ordering import ByName
from noisystudent.board.api.pages import Page, Paged, Selection, listed
from noisystudent.board.api.representations import names_of, papers_of

router = APIRouter(tags=["authors"])


@read(router, "/authors/")
def author_list(reading: Read, paging: Paged, order: ByName, q: Text = None, full_name: Text = None) -> Page[Author]:
    """Authors by a part of their names."""
    # By name, since that index has all that this reads.
    return listed(reading, paging, containing("author", {"": q, "name": full_name}, "name").ordered(order), _shown)


@read(router, "/authors/{author_id}/")
def author_get(reading: Read, author_id: str) -> Author:
    """One author."""
    return _shown(reading.connection, [reading.find("author", author_id)])[0]


@read(router, "/authors/{author_id}/papers/")
def author_paper_list(reading: Read, paging: Paged, author_id: str) -> Page[Paper]:
    """An author's papers, the newest first."""
    selection = Selection(
        # A name can stand twice among a paper's authors.
        "paper p WHERE p.id IN (SELECT l.paper_id FROM paper_author l WHERE l.author_id = :author)",
        "p.published DESC, p.id DESC",
        {"author": reading.find("author", author_id)},
        "p.id",
    )
    return listed(reading, paging, selection, papers_of)


def _shown(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Author]:
    return [Author(id=slug, full_name=name) for slug, name in names_of(connection, "author", ids)]
