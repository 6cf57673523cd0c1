"""Papers many at a time: which of them are there, as papers or as stubs, and new ones.

A stub is a paper of which only a results row or a link has told: it has neither abstract nor authors, and its slug may have been
guessed from its title.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from typing import Any

from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.slugs import slugify
from noisystudent.board.importing.addresses import is_address
from noisystudent.board.importing.bulk import insert_new, next_number, rows_where
from noisystudent.board.importing.completing import EMPTY, complete, free_the_slug, give_slug

STUB = "(abstract = '' AND NOT EXISTS (SELECT 1 FROM paper_author WHERE paper_id = paper.id))"
COLUMNS = (
    "slug",
    "title",
    "abstract",
    "short_abstract",
    "arxiv_id",
    "openreview_id",
    "nips_id",
    "url_abs",
    "url_pdf",
    "published",
    "proceeding_id",
    "conference",
    "conference_url_abs",
    "conference_url_pdf",
    "reproduces_paper",
)
Paper = Mapping[str, Any]  # columns of a paper


def find_papers(change: Change, papers: dict[str, Paper], *, seen: Collection[str] = ()) -> dict[str, int]:
    """The rows of those papers, by slug, that are there: of the same slug, else a stub of the same arXiv number, else of the same title.

    Args:
        papers: by slug.
        seen: slugs of papers that are no stubs any more, whatever they look like.
    """
    connection = change.connection
    found: dict[str, int] = {}
    rows = rows_where(connection, f"SELECT id, slug, arxiv_id, {STUB} AS stub FROM paper WHERE slug IN", papers)
    for row in rows.fetchall():
        if row["stub"] and row["slug"] not in seen and _contradict(row["arxiv_id"], papers[row["slug"]]["arxiv_id"]):
            free_the_slug(change, "paper", row["slug"])  # another paper of that title
        else:
            found[row["slug"]] = row["id"]
    taken = set(found.values())
    for column, of_paper in (("arxiv_id", _arxiv_id), ("slug", _slug_of_title)):
        wanted = {of_paper(paper): slug for slug, paper in reversed(papers.items()) if slug not in found}
        wanted.pop(None, None)
        for row in _stubs(connection, column, wanted):
            paper = papers[wanted[row[column]]]
            same = column == "arxiv_id" or (
                row["title"] == paper["title"] and not _contradict(row["arxiv_id"], paper["arxiv_id"])
            )
            free = row["id"] not in taken and row["slug"] not in seen
            if same and free and paper["slug"] not in found:
                found[paper["slug"]] = row["id"]
                taken.add(row["id"])
    return found


def add_papers(change: Change, papers: Collection[Paper]) -> dict[str, int]:
    """New rows, by slug."""
    first = next_number(change, "paper")
    names = ("id", "source_id", *COLUMNS)
    insert_new(
        change,
        "paper",
        names,
        ((number, change.source, *map(paper.get, COLUMNS)) for number, paper in enumerate(_whole(papers), first)),
    )
    return {paper["slug"]: number for number, paper in enumerate(papers, first)}


def complete_paper(change: Change, row: int, paper: Paper, *, corrects: bool = True) -> bool:
    """Give a paper that is there what a dump says of it.

    What a stub lacks is added as a new paper is, without a word in the event: the bulk of an archive would not fit there. What takes the
    place of something else stands in the event.

    Args:
        corrects: the dump is that of papers, to which stubs and papers of its layer belong; otherwise gaps are filled, no more.

    Returns:
        Whether anything changed.
    """
    connection = change.connection
    before = connection.execute(f"SELECT *, {STUB} AS stub FROM paper WHERE id = ?", (row,)).fetchone()
    columns = {name: value for name, value in paper.items() if name != "slug"}
    give_slug(change, "paper", row, paper["slug"])
    missing = {name: value for name, value in columns.items() if before[name] in EMPTY and value not in EMPTY}
    if before["stub"] and missing:
        sets = ", ".join(f"{name} = ?" for name in missing)
        connection.execute(f"UPDATE paper SET {sets} WHERE id = ?", (*missing.values(), row))
    if before["stub"] and corrects:
        columns["source_id"] = change.source
    changed = complete(
        change, "paper", row, columns, replaces=corrects and (before["stub"] or before["source_id"] == change.source)
    )
    if has_no_title(before):
        changed |= complete(change, "paper", row, {"title": paper["title"]}, replaces=True)
    _date_again(change, row, before["published"])
    return changed or bool(missing) or before["slug"] != paper["slug"]


def has_no_title(paper: sqlite3.Row) -> bool:
    """Whether something stands in for a paper's title: its slug, its arXiv number, its address."""
    title = paper["title"]
    return title in (paper["slug"], f"arXiv:{paper['arxiv_id']}", paper["url_abs"]) or is_address(title)


def _date_again(change: Change, row: int, before: str | None) -> None:
    """What is kept of a paper's date elsewhere."""
    connection = change.connection
    date = connection.execute("SELECT published FROM paper WHERE id = ?", (row,)).fetchone()["published"]
    if date != before:
        connection.execute("UPDATE paper_task SET published = ? WHERE paper_id = ?", (date, row))
        change.touched.update(
            result["leaderboard_id"]
            for result in connection.execute("SELECT leaderboard_id FROM result WHERE paper_id = ?", (row,))
        )


def _whole(papers: Collection[Paper]) -> list[dict[str, Any]]:
    """Papers with what no row may be without."""
    return [
        {**paper, "title": paper["title"] or paper["slug"], "abstract": paper.get("abstract") or ""} for paper in papers
    ]


def _stubs(connection: sqlite3.Connection, column: str, wanted: Collection[str | None]) -> list[sqlite3.Row]:
    """Stubs whose column is one of those, the oldest first."""
    query = f"SELECT id, slug, title, arxiv_id FROM paper WHERE {STUB} AND {column} IN"
    return sorted(rows_where(connection, query, wanted), key=lambda row: row["id"])


def _arxiv_id(paper: Paper) -> str | None:
    number: str | None = paper["arxiv_id"]
    return number


def _slug_of_title(paper: Paper) -> str | None:
    return slugify(paper["title"]) if paper["title"] else None


def _contradict(one: str | None, other: str | None) -> bool:
    """Whether two arXiv numbers say that these are two papers."""
    return one is not None and other is not None and one != other
