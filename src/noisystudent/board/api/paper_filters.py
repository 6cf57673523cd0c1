"""Which papers a list has, and in which order: what the old site's client asks for, and what its successor's does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Depends, HTTPException, Query

from noisystudent.board.api.filters import Text
from noisystudent.board.api.ordering import PapersBy
from noisystudent.board.api.pages import Selection
from noisystudent.board.catalogue.slugs import arxiv_id as number_in
from noisystudent.board.queries import meetings
from noisystudent.board.queries.frameworks import framework_meant
from noisystudent.board.queries.search import Query as Words
from noisystudent.board.queries.trending import late, trending_first
from noisystudent.board.web.reading import Reading

Named = Annotated[str | None, Query(max_length=300)]
Start = Annotated[date | None, Query(description="Published on that day or later.")]
End = Annotated[date | None, Query(description="Published on that day or before.")]
Direction = Annotated[Literal["asc", "desc"], Query(description="Of `order_by`.")]
Resources = Annotated[bool, Query(description="With code and methods.")]
LatestOnly = Annotated[
    bool | None,
    Query(description="Of several versions the last: an entry here is all of them, so either says the same."),
]
Condition = tuple[str, dict[str, Any]]  # on a paper `p`, in SQL, with its parameters


@dataclass
class PaperFilters:
    """What a reader asks of the papers."""

    order: PapersBy
    q: Text = None
    search: Annotated[str | None, Query(max_length=200, description="The same as q.")] = None
    arxiv_id: Text = None
    title: Text = None
    abstract: Text = None
    year: Annotated[int | None, Query(ge=1000, le=9999, description="Of publication.")] = None
    start_date: Start = None
    end_date: End = None
    has_code: Annotated[bool | None, Query(description="With code, or without any.")] = None
    task: Annotated[Named, Query(description="Of this task, by its id or its name.")] = None
    method: Annotated[Named, Query(description="Of this method, by its id or its name.")] = None
    conference: Annotated[Named, Query(description="Of this conference, or of one of its meetings: CVPR 2020.")] = None
    framework: Annotated[Named, Query(description="With code in this framework.")] = None
    organization: Annotated[Named, Query(description="The catalogue has none, so that one is refused.")] = None
    latest_only: LatestOnly = None
    order_by: Annotated[Literal["trending", "date_published"] | None, Query(description="In place of `ordering`.")] = (
        None
    )
    order_dir: Direction = "desc"
    include_resources: Resources = False

    def selection(self, reading: Reading) -> Selection | None:
        """The papers that pass, in their order. None: a text has no words, so that no paper has it.

        Raises:
            HTTPException: 404 or 422, a filter means nothing here.
        """
        found = _having(
            {"title abstract": self.q, "title": self.title, "abstract": self.abstract},
            self.search,
            self.arxiv_id,
            by_number=bool(self.order or self.order_by),
        )
        if found is None:
            return None
        conditions = list(self._conditions(reading))
        if conditions:
            found = Selection(_of_papers(found), "p.published DESC, p.id DESC", found.parameters, "p.id")
        return self._in_order(reading, _narrowed(found, conditions))

    @property
    def applied(self) -> dict[str, str]:
        """What was asked for of the filters that newer clients look for in the answer."""
        names = ("task", "method", "conference", "framework", "start_date", "end_date")
        return {name: str(getattr(self, name)) for name in names if getattr(self, name) is not None}

    def _conditions(self, reading: Reading) -> Iterator[Condition]:
        if self.organization:
            raise HTTPException(422, "organization: this catalogue does not know where authors work")
        if self.year is not None:  # "~" is behind every digit
            yield "p.published BETWEEN :year AND :year || '~'", {"year": str(self.year)}
        yield from dates_between(self.start_date, self.end_date)
        if self.has_code is not None:
            there = "EXISTS (SELECT 1 FROM paper_repository c WHERE c.paper_id = p.id)"
            yield there if self.has_code else f"NOT {there}", {}
        for kind, text in (("task", self.task), ("method", self.method)):
            if text:
                where = f"p.id IN (SELECT paper_id FROM paper_{kind} WHERE {kind}_id = :{kind})"
                yield where, {kind: reading.find(kind, text)}
        if self.conference:
            yield f"p.{meetings.OF_MEETING}", _meeting(reading, self.conference)
        if self.framework:
            where = "p.id IN (SELECT paper_id FROM paper_repository WHERE framework = :framework)"
            yield where, {"framework": _framework(reading, self.framework)}

    def _in_order(self, reading: Reading, found: Selection) -> Selection:
        if not self.order_by:
            return found.ordered(self.order)
        if self.order:
            raise HTTPException(422, "ordering and order_by: give one of them")
        direction = self.order_dir.upper()
        by = trending_first(direction) if self.order_by == "trending" else f"p.published {direction}, p.id {direction}"
        parameters = {**found.parameters, **late(reading.connection)}
        return Selection(_of_papers(found), by, parameters, "p.id")


Filtered = Annotated[PaperFilters, Depends(PaperFilters)]


def _of_papers(found: Selection) -> str:
    """The rows of a selection as papers `p`, with a condition that others may follow."""
    if found.id == "p.id":
        return found.rows
    return (
        "paper p WHERE 1" if found.rows == "paper" else f"paper p WHERE p.id IN (SELECT {found.id} FROM {found.rows})"
    )


def _narrowed(found: Selection, conditions: Iterable[Condition]) -> Selection:
    for condition, parameters in conditions:
        found = found.and_also(condition, **parameters)
    return found


def dates_between(start: date | None, end: date | None) -> list[Condition]:
    """Conditions on a paper `p` that was published within two days, both of them in it; a month or a year counts as its first day.

    Raises:
        HTTPException: 422, the first lies behind the last.
    """
    if start and end and start > end:
        raise HTTPException(422, f"start_date: {start} is after end_date, {end}")
    found: list[Condition] = []
    if start:
        found.append(("p.published >= :start", {"start": start.isoformat()}))
    if end:
        found.append(("p.published <= :end", {"end": end.isoformat()}))
    return found


def published(papers: Selection, conditions: Sequence[Condition]) -> Selection:
    """Those of some papers that were published as conditions of `dates_between` say."""
    if not conditions:
        return papers
    order = papers.order if papers.id == "p.id" else f"p.{papers.order}"
    return _narrowed(Selection(_of_papers(papers), order, papers.parameters, "p.id"), conditions)


def _meeting(reading: Reading, text: str) -> dict[str, Any]:
    found = meetings.find(reading.connection, text)
    if found is None:
        raise HTTPException(404, f"there is no conference {text!r}")
    return {"venue": found[0], "meeting_year": found[1]}


def _framework(reading: Reading, text: str) -> str:
    found = framework_meant(reading.connection, text)
    if found is None:
        raise HTTPException(404, f"there is no framework {text!r}")
    return found


def _having(
    texts: dict[str, str | None], search: str | None, arxiv: str | None, *, by_number: bool
) -> Selection | None:
    """Papers that have the words of each text in its columns, and an arXiv number.

    Args:
        search: a second text in title and abstract.
        by_number: select rows of papers, which can be put into any order.
    """
    asked = [(columns, text) for columns, text in (*texts.items(), ("title abstract", search)) if text and text.strip()]
    given = [(columns, Words.of(text).expression) for columns, text in asked]
    if not all(words for _, words in given):
        return None
    parameters = {}
    if given:
        parameters["match"] = " AND ".join(f"{{{columns}}} : ({words})" for columns, words in given)
    if arxiv and arxiv.strip():
        parameters["arxiv"] = number_in(f"arxiv:{arxiv.strip()}") or arxiv
    having = "SELECT rowid FROM paper_search WHERE paper_search MATCH :match"
    if given and "arxiv" in parameters:
        return Selection(f"paper WHERE arxiv_id = :arxiv AND id IN ({having})", "id", parameters)
    if given and by_number:
        return Selection(f"paper WHERE id IN ({having})", "id", parameters)
    if given:  # those that were added last come first: the index is walked from its end, and only as far as needed
        return Selection("paper_search WHERE paper_search MATCH :match", "rowid DESC", parameters, "rowid")
    return Selection("paper WHERE arxiv_id = :arxiv" if parameters else "paper", "slug", parameters)
