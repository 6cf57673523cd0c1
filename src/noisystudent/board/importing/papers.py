"""The dump of papers with their abstracts, authors, tasks and methods."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.entries import authors_of
from noisystudent.board.catalogue.slugs import arxiv_id, slug_of_address
from noisystudent.board.importing.addresses import address
from noisystudent.board.importing.bulk import (
    insert_missing,
    insert_new,
    numbers_of_names,
    papers_indexed_afterwards,
    rows_where,
)
from noisystudent.board.importing.fields import Fields, KnownKeys
from noisystudent.board.importing.methods import EMBEDDED_KEYS, EmbeddedMethods
from noisystudent.board.importing.names import is_name
from noisystudent.board.importing.paper_rows import add_papers, complete_paper, find_papers
from noisystudent.board.importing.parts import Part

KEYS = [
    "paper_url",
    "arxiv_id",
    "nips_id",
    "openreview_id",
    "title",
    "abstract",
    "short_abstract",
    "url_abs",
    "url_pdf",
    "proceeding",
    "authors",
    "tasks",
    "date",
    "conference_url_abs",
    "conference_url_pdf",
    "conference",
    "reproduces_paper",
    "methods",
]
_PROCEEDING = re.compile(r"\A(?P<venue>.+?) (?P<year>\d{4})(?: (?P<month>\d{1,2}))?\Z")


@dataclass
class Paper:
    """What the dump says of a paper: columns of its row, and what hangs on it."""

    fields: Fields
    columns: dict[str, Any]
    authors: list[str]
    tasks: list[str]
    methods: list[int]


class Loader:
    """The papers dump. A paper is known by the slug in its `paper_url`; one that is there already is filled in."""

    def __init__(self) -> None:
        self.known = KnownKeys({"": KEYS, **EMBEDDED_KEYS})
        self.seen: set[str] = set()  # slugs

    def load(self, change: Change, part: Part) -> None:
        reader = _Reader(change, self.known)
        with papers_indexed_afterwards(change.connection):
            papers = reader.papers(part, self.seen)
            found = find_papers(change, {slug: paper.columns for slug, paper in papers.items()}, seen=self.seen)
            new = add_papers(change, [paper.columns for slug, paper in papers.items() if slug not in found])
            rows = found | new
            without = [slug for slug, row in found.items() if _fill_in(change, row, papers[slug])]
            _write_authors(change, {slug: rows[slug] for slug in [*without, *new]}, papers)
            _write_tasks(change, rows, papers)
            insert_missing(
                change,
                "paper_method",
                ("paper_id", "method_id"),
                ((rows[slug], method) for slug, paper in papers.items() for method in paper.methods),
            )
        self.seen.update(papers)


class _Reader:
    """Reads the objects of a part; keeps the proceedings and methods that it met."""

    def __init__(self, change: Change, known: KnownKeys) -> None:
        self.change = change
        self.known = known
        self.methods = EmbeddedMethods(change, known)
        self.proceedings: dict[str, int] = {}

    def papers(self, part: Part, seen: set[str]) -> dict[str, Paper]:
        """Papers by slug; what has none is lost, and what was in the file before."""
        found: dict[str, Paper] = {}
        for fields in part.items:
            slug = slug_of_address(fields.line("paper_url"), "paper")
            if slug is None:
                part.report.lost("paper", fields.where, "it has no paper_url with /paper/ and a slug")
            elif slug in found or slug in seen:
                part.report.lost("paper", fields.where, f"{slug} was in the file before")
            else:
                part.report.recognised()
                self.known.check(fields)
                found[slug] = self._paper(slug, fields)
        return found

    def _paper(self, slug: str, fields: Fields) -> Paper:
        def optional(key: str) -> str | None:
            return fields.line(key) or None

        def web_address(key: str) -> str | None:
            return address(fields, key) or None

        if not fields.line("title"):
            fields.report.lost("title", fields.where, f"{slug} has none: its slug stands in for it")
        methods = (self.methods.number(method) for method in fields.parts("methods"))
        return Paper(
            fields,
            columns={
                "slug": slug,
                "title": fields.line("title"),
                "abstract": fields.text("abstract"),
                "short_abstract": fields.text("short_abstract") or None,
                "arxiv_id": arxiv_number(fields.line("arxiv_id")),
                "openreview_id": optional("openreview_id"),
                "nips_id": optional("nips_id"),
                "url_abs": web_address("url_abs"),
                "url_pdf": web_address("url_pdf"),
                "published": fields.date("date"),
                "proceeding_id": self._proceeding(fields.line("proceeding")),
                "conference": optional("conference"),
                "conference_url_abs": web_address("conference_url_abs"),
                "conference_url_pdf": web_address("conference_url_pdf"),
                "reproduces_paper": optional("reproduces_paper"),
            },
            authors=fields.lines("authors"),
            tasks=[name for name in fields.lines("tasks") if is_name(name, "task", fields)],
            methods=[method for method in dict.fromkeys(methods) if method is not None],
        )

    def _proceeding(self, name: str) -> int | None:
        if name and name not in self.proceedings:
            self.proceedings[name] = proceeding(self.change, name)
        return self.proceedings.get(name)


def proceeding(change: Change, name: str) -> int:
    """The proceeding of a name like `NeurIPS 2018 12`, made where there is none, with its venue, year and month."""
    found = change.connection.execute("SELECT id FROM proceeding WHERE name = ?", (name,)).fetchone()
    if found:
        return int(found["id"])
    parts = _PROCEEDING.match(name)
    venue = parts["venue"] if parts else name
    month = int(parts["month"]) if parts and parts["month"] else None
    return change.insert(
        "proceeding",
        slug=change.free_slug("proceeding", name),
        venue_id=numbers_of_names(change, "venue", [venue])[venue],
        name=name,
        year=int(parts["year"]) if parts else None,
        month=month if month and 1 <= month <= 12 else None,
    )


def arxiv_number(given: str) -> str | None:
    """An arXiv number as the catalogue keeps it, without its version; what does not look like one stays as it is.

    Example:
        >>> arxiv_number("1911.04252v2"), arxiv_number("")
        ('1911.04252', None)
    """
    return arxiv_id(f"arxiv:{given}") or given or None


def _fill_in(change: Change, row: int, paper: Paper) -> bool:
    """Give a paper that is there the columns of the dump and, if the dump may correct them, its authors.

    Returns:
        Whether it has no authors yet.
    """
    connection = change.connection
    source = connection.execute("SELECT source_id FROM paper WHERE id = ?", (row,)).fetchone()["source_id"]
    changed = complete_paper(change, row, paper.columns)
    authors = authors_of(connection, row)
    if authors and paper.authors and paper.authors != authors and source == change.source:
        numbers = numbers_of_names(change, "author", paper.authors)
        change.replace_rows(
            "paper_author",
            {"paper_id": row},
            [{"position": place, "author_id": numbers[name]} for place, name in enumerate(paper.authors)],
        )
        changed = True
    if not changed and (authors or not paper.authors):
        paper.fields.report.there("paper")
    return not authors


def _write_authors(change: Change, rows: Mapping[str, int], papers: Mapping[str, Paper]) -> None:
    numbers = numbers_of_names(change, "author", (name for slug in rows for name in papers[slug].authors))
    insert_new(
        change,
        "paper_author",
        ("paper_id", "position", "author_id"),
        ((row, place, numbers[name]) for slug, row in rows.items() for place, name in enumerate(papers[slug].authors)),
    )


def _write_tasks(change: Change, rows: Mapping[str, int], papers: Mapping[str, Paper]) -> None:
    """Put papers under their tasks, with their dates as their rows now have them."""
    names = (name for paper in papers.values() for name in paper.tasks)
    numbers = numbers_of_names(change, "task", names, source_id=change.source)
    query = "SELECT id, published FROM paper WHERE id IN"
    dates = {row["id"]: row["published"] for row in rows_where(change.connection, query, rows.values())}
    insert_missing(
        change,
        "paper_task",
        ("paper_id", "task_id", "published"),
        ((rows[slug], numbers[name], dates[rows[slug]]) for slug, paper in papers.items() for name in paper.tasks),
    )
