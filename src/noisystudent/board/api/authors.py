"""Authors and their papers."""

from __future__ import annotations

from fastapi import APIRouter

from noisystudent.board.api.filters import Text, containing
from noisystudent.board.api.models import Author, Paper
from noisystudent.board.api.pages import Page, Paged, Selection, page_of, select
from noisystudent.board.api.reading import Read, read
from noisystudent.board.api.refusals import OF_READS
from noisystudent.board.api.representations import names_of, papers_of

router = APIRouter(responses=OF_READS, tags=["authors"])


@read(router, "/authors/", Page[Author])
def author_list(reading: Read, paging: Paged, q: Text = None, full_name: Text = None) -> Page[Author]:
    """Authors by a part of their names."""
    # By name, since that index has all that this reads.
    ids, count = select(reading, paging, containing("author", {"": q, "name": full_name}, "name"))
    found = [Author(id=slug, full_name=name) for slug, name in names_of(reading.connection, "author", ids)]
    return Page[Author](**page_of(reading, paging, count, found))


@read(router, "/authors/{author_id}/", Author)
def author_get(reading: Read, author_id: str) -> Author:
    """One author."""
    ((slug, name),) = names_of(reading.connection, "author", [reading.find("author", author_id)])
    return Author(id=slug, full_name=name)


@read(router, "/authors/{author_id}/papers/", Page[Paper])
def author_paper_list(reading: Read, paging: Paged, author_id: str) -> Page[Paper]:
    """An author's papers, the newest first."""
    selection = Selection(
        # A name can stand twice among a paper's authors.
        "paper p WHERE p.id IN (SELECT l.paper_id FROM paper_author l WHERE l.author_id = :author)",
        "p.published DESC, p.id DESC",
        {"author": reading.find("author", author_id)},
        "p.id",
    )
    ids, count = select(reading, paging, selection)
    return Page[Paper](**page_of(reading, paging, count, papers_of(reading.connection, ids)))
