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


_CREATED = "id"  # rows have numbers in the order in which they were made
TASK_PAPERS = "(SELECT count(*) FROM paper_task l WHERE l.task_id = task.id)"
DATASET_PAPERS = "(SELECT coalesce(sum(l.paper_count), 0) FROM leaderboard l WHERE l.dataset_id = dataset.id)"
METHOD_PAPERS = "(SELECT count(*) FROM paper_method l WHERE l.method_id = method.id)"
_NAME, _FULL_NAME = "name COLLATE NOCASE", "full_name COLLATE NOCASE"
TasksBy = Annotated[
    str | None,
    Depends(ordering(name=_NAME, id="slug", created_at="task.id", level="task_level.level", paper_count=TASK_PAPERS)),
]
DatasetsBy = Annotated[
    str | None,
    Depends(ordering(name=_NAME, full_name=_FULL_NAME, id="slug", created_at=_CREATED, paper_count=DATASET_PAPERS)),
]
MethodsBy = Annotated[
    str | None,
    Depends(
        ordering(
            name=_NAME,
            full_name=_FULL_NAME,
            id="slug",
            created_at=_CREATED,
            introduced_year="introduced_year",
            paper_count=METHOD_PAPERS,
        )
    ),
]
ByName = Annotated[str | None, Depends(ordering(name="name COLLATE NOCASE", id="slug"))]
PapersBy = Annotated[str | None, Depends(ordering(published="published", title="title COLLATE NOCASE", id="slug"))]
tables_by = ordering(id="slug", result_count="result_count")
RepositoriesBy = Annotated[str | None, Depends(ordering(stars="stars", name="name", owner="owner", url="url"))]
