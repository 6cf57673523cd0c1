"""Lists, a page at a time, in the shape of the Django REST framework: count, next, previous, results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, HTTPException, Query
from pydantic import BaseModel
from starlette.datastructures import URL

from noisystudent.board.api.reading import Reading
from noisystudent.board.web.kept import Kept

ITEMS_PER_PAGE, MOST_ITEMS_PER_PAGE = 50, 500
COUNTS_KEPT = 4 << 20  # bytes
Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """A page of a list: how many there are in all, the addresses of the pages beside it, and what is on it."""

    count: int
    next: str | None
    previous: str | None
    results: list[Item]


class Paging:
    """Which page of a list was asked for."""

    def __init__(
        self,
        page: Annotated[int, Query(ge=1, le=1_000_000, description="Which page.")] = 1,
        items_per_page: Annotated[
            int, Query(ge=1, le=MOST_ITEMS_PER_PAGE, description="How many items on a page.")
        ] = ITEMS_PER_PAGE,
    ) -> None:
        self.number, self.size = page, items_per_page


Paged = Annotated[Paging, Depends(Paging)]


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


def select(reading: Reading, paging: Paging, selection: Selection) -> tuple[list[int], int]:
    """The numbers of the rows on a page, in order, and the count of all.

    Raises:
        HTTPException: 404, the page lies behind the last one.
    """
    count, before = _count(reading, selection), (paging.number - 1) * paging.size
    if before and before >= count:
        raise no_page(paging, count)
    if not count:
        return [], 0  # looking for the first of none takes as long as counting them
    rows = reading.connection.execute(
        f"SELECT {selection.id} FROM {selection.rows} ORDER BY {selection.order} LIMIT :limit OFFSET :offset",
        {**selection.parameters, "limit": paging.size, "offset": before},
    )
    return [row[0] for row in rows], count


def _count(reading: Reading, selection: Selection) -> int:
    """How many rows a selection has, counted once for each state of the catalogue."""
    counts: Kept[int] = reading.request.app.state.counts
    key = (reading.event, selection.rows, *sorted(selection.parameters.items()))
    count = counts.get(key)
    if count is None:
        sql = f"SELECT count(*) FROM {selection.rows}"
        count = int(reading.connection.execute(sql, selection.parameters).fetchone()[0])
        counts.put(key, count, sum(len(str(part)) for part in key))
    return count


def no_page(paging: Paging, count: int) -> HTTPException:
    """To raise where a page lies behind the last one."""
    return HTTPException(404, f"there is no page {paging.number}: {count} items at {paging.size} a page")


def page_of(reading: Reading, paging: Paging, count: int, results: Sequence[Any]) -> dict[str, Any]:
    """The fields of a `Page`."""
    return {
        "count": count,
        "next": _address(reading, paging.number + 1) if paging.number * paging.size < count else None,
        "previous": _address(reading, paging.number - 1) if paging.number > 1 else None,
        "results": results,
    }


def _address(reading: Reading, page: int) -> str:
    """This list's address with another page's number."""
    url = URL(reading.address).replace(query=reading.request.url.query)
    return str(url.include_query_params(page=page))
