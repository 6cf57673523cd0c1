"""Lists, a page at a time, in the shape of the Django REST framework: count, next, previous, results."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel

from noisystudent.board.queries.sizes import KEPT, number_of
from noisystudent.board.web.kept import Kept
from noisystudent.board.web.paging import MOST_PAGES, Paging
from noisystudent.board.web.reading import Reading

ITEMS_PER_PAGE, MOST_ITEMS_PER_PAGE = 50, 500
COUNTS_KEPT = 4 << 20  # bytes
Item = TypeVar("Item")


Shown = Callable[[sqlite3.Connection, Sequence[int]], list[Item]]  # what the API says of rows, by their numbers


class Page(BaseModel, Generic[Item]):
    """A page of a list: how many there are in all, the addresses of the pages beside it, and what is on it."""

    count: int
    next: str | None
    previous: str | None
    results: list[Item]


def _paging(
    page: Annotated[int, Query(ge=1, le=MOST_PAGES, description="Which page.")] = 1,
    items_per_page: Annotated[
        int, Query(ge=1, le=MOST_ITEMS_PER_PAGE, description="How many items on a page.")
    ] = ITEMS_PER_PAGE,
    page_size: Annotated[
        int | None,
        Query(ge=1, le=MOST_ITEMS_PER_PAGE, description="The same, as newer clients call it; it counts first."),
    ] = None,
) -> Paging:
    return Paging(page, page_size or items_per_page)


Paged = Annotated[Paging, Depends(_paging)]
Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]


@dataclass(frozen=True)
class Selection:
    """Rows of a list, as SQL: `SELECT id FROM rows ORDER BY order`. All of it is ours; what a user gave is in `parameters`.

    Args:
        rows: tables and conditions.
        order: by which no two rows are equal, so that pages do not overlap.
        id: the column that is selected.
        parameters: of `rows`, by name.
    """

    rows: str
    order: str
    parameters: dict[str, Any]
    id: str = "id"

    def and_also(self, condition: str, **parameters: Any) -> Selection:
        """Those of the rows that pass a condition, too; with the parameters of that."""
        rows = f"{self.rows} {'AND' if ' WHERE ' in self.rows else 'WHERE'} {condition}"
        return replace(self, rows=rows, parameters={**self.parameters, **parameters})

    def ordered(self, order: str | None) -> Selection:
        """The same rows in another order, if one is asked for."""
        return replace(self, order=f"{order}, {self.id}") if order else self


def whole(items: list[Item]) -> Page[Item]:
    """A list that has no second page."""
    return Page(count=len(items), next=None, previous=None, results=items)


def listed(reading: Reading, paging: Paging, selection: Selection, shown: Shown[Item]) -> Page[Item]:
    """A page of the rows of a selection.

    Args:
        shown: makes what is on it out of the numbers of rows, in their order.

    Raises:
        HTTPException: 404, the page lies behind the last one.
    """
    count = _count(reading, selection)
    ids = []
    if paging.offset < count:  # looking for the first of none takes as long as counting them
        rows = reading.connection.execute(
            f"SELECT {selection.id} FROM {selection.rows} ORDER BY {selection.order} LIMIT :limit OFFSET :offset",
            {**selection.parameters, "limit": paging.size, "offset": paging.offset},
        )
        ids = [row[0] for row in rows]
    return page_of(reading, paging, count, shown(reading.connection, ids))


def _count(reading: Reading, selection: Selection) -> int:
    """How many rows a selection has: of a whole table what is kept, else counted once for each state of the catalogue."""
    if selection.rows in KEPT:
        return number_of(reading.connection, selection.rows)
    counts: Kept[int] = reading.request.app.state.counts
    key = (reading.event, selection.rows, *sorted(selection.parameters.items()))
    count = counts.get(key)
    if count is None:
        sql = f"SELECT count(*) FROM {selection.rows}"
        count = int(reading.connection.execute(sql, selection.parameters).fetchone()[0])
        counts.put(key, count, sum(len(str(part)) for part in key))
    return count


def page_of(reading: Reading, paging: Paging, count: int, results: list[Item]) -> Page[Item]:
    """A page of a list of so many items, and what is on it.

    Raises:
        HTTPException: 404, it lies behind the last one.
    """
    here, number = reading.request.url, paging.number
    return Page(
        count=count,
        next=str(here.include_query_params(page=number + 1)) if number < paging.pages(count) else None,
        previous=str(here.include_query_params(page=number - 1)) if number > 1 else None,
        results=results,
    )
