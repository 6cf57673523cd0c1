"""Lists, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import HTTPException, Query

MOST_PAGES = 1_000_000
OF_LISTS = frozenset({"page", "items_per_page", "page_size"})  # what every list of the API takes
Page = Annotated[
    int | None, Query(ge=1, le=MOST_PAGES)
]  # which one an address asks for; the first where it says nothing


@dataclass(frozen=True)
class Paging:
    """Which page of a list is asked for, and how many items are on each.

    Example:
        >>> Paging(3, 50).offset, Paging(3, 50).pages(101)
        (100, 3)
    """

    number: int
    size: int

    @property
    def offset(self) -> int:
        """How many items are on the pages before."""
        return (self.number - 1) * self.size

    def pages(self, count: int) -> int:
        """How many pages so many items take.

        Raises:
            HTTPException: 404, this page lies behind the last one; the first one never does.
        """
        if self.offset and self.offset >= count:
            raise HTTPException(404, f"there is no page {self.number}: {count:,} items at {self.size} a page")
        return -(-count // self.size)
