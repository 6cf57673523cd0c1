"""Repositories of code."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from noisystudent.board.api.filters import Text, anywhere, part
from noisystudent.board.api.models import Paper, Repository
from noisystudent.board.api.operations import Read, read
from noisystudent.board.api.ordering import RepositoriesBy
from noisystudent.board.api.pages import Page, Paged, Selection, listed
from noisystudent.board.api.representations import papers_of, repositories_of
from noisystudent.board.web.paging import Paging
from noisystudent.board.web.reading import Reading

router = APIRouter(tags=["repositories"])
# "%" in the patterns of `part` is ASCII-insensitive, which is what owners and names are.
_CONDITIONS = {
    "q": f"({part('owner', 'q')} OR {part('name', 'q')} OR {part('description', 'q')})",
    "owner": "owner = :owner",
    "name": "name = :name",
    "stars": "stars >= :stars",
    "framework": "EXISTS (SELECT 1 FROM paper_repository l WHERE l.repository_id = repository.id AND l.framework = :framework)",
}


@read(router, "/repositories/")
def repository_list(
    reading: Read,
    paging: Paged,
    order: RepositoriesBy,
    q: Text = None,
    owner: Text = None,
    name: Text = None,
    stars: Annotated[int | None, Query(ge=0, le=1_000_000_000, description="As many stars at least.")] = None,
    framework: Text = None,
) -> Page[Repository]:
    """Repositories: with a text in owner, name or description (q), of an owner, of a name, of a framework."""
    given = {
        "q": anywhere(q) if q else None,
        "owner": owner,
        "name": name,
        "stars": stars,
        "framework": framework,
    }
    return _page(reading, paging, {key: value for key, value in given.items() if value not in (None, "")}, order)


@read(router, "/repositories/{owner}")
def repository_owner_list(reading: Read, paging: Paged, owner: str) -> Page[Repository]:
    """An owner's repositories."""
    found = _page(reading, paging, {"owner": owner})
    if not found.count:
        raise HTTPException(404, f"there is no owner {owner!r}")
    return found


@read(router, "/repositories/{owner}/{name}/")
def repository_get(reading: Read, owner: str, name: str) -> Repository:
    """One repository."""
    return repositories_of(reading.connection, [_find(reading, owner, name)])[0]


@read(router, "/repositories/{owner}/{name}/papers/")
def repository_paper_list(reading: Read, paging: Paged, owner: str, name: str) -> Page[Paper]:
    """The papers whose code a repository has, the newest first."""
    selection = Selection(
        "paper_repository l JOIN paper p ON p.id = l.paper_id WHERE l.repository_id = :repository",
        "p.published DESC, p.id DESC",
        {"repository": _find(reading, owner, name)},
        "p.id",
    )
    return listed(reading, paging, selection, papers_of)


def _page(reading: Reading, paging: Paging, given: dict[str, Any], order: str | None = None) -> Page[Repository]:
    where = " AND ".join(_CONDITIONS[key] for key in given)
    selection = Selection(f"repository{f' WHERE {where}' if where else ''}", "id", given)
    return listed(reading, paging, selection.ordered(order), repositories_of)


def _find(reading: Reading, owner: str, name: str) -> int:
    row = reading.connection.execute(
        "SELECT id FROM repository WHERE owner = ? AND name = ? ORDER BY id LIMIT 1", (owner, name)
    ).fetchone()
    if row is None:
        raise HTTPException(404, f"there is no repository {owner}/{name}")
    return int(row["id"])
