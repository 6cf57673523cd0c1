"""Orders of lists, as the Django REST framework has them: `?ordering=name`, or `-name` from the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, HTTPException, Query

Asked = Annotated[
    str | None,
    Query(max_length=50, description="By what; with - before it, from the end. A wrong one is told which there are."),
]


def ordering(**columns: str) -> Callable[..., str | None]:
    """What makes SQL of the order that is asked for; None where none is.

    Args:
        columns: SQL by the name of the order.
    """

    def chosen(ordering: Asked = None) -> str | None:
        if not ordering:
            return None
        column = columns.get(ordering.removeprefix("-"))
        if column is None:
            raise HTTPException(422, f"ordering: there is no {ordering!r} here; there are {', '.join(columns)}")
        return f"{column} DESC" if ordering.startswith("-") else column

    return chosen


ByName = Annotated[str | None, Depends(ordering(name="name COLLATE NOCASE", id="slug"))]
PapersBy = Annotated[str | None, Depends(ordering(published="published", title="title COLLATE NOCASE", id="slug"))]
TablesBy = Annotated[str | None, Depends(ordering(id="slug", result_count="result_count"))]
RepositoriesBy = Annotated[str | None, Depends(ordering(stars="stars", name="name", owner="owner", url="url"))]
