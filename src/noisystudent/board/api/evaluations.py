"""Evaluation tables, which the pages call leaderboards: reading and changing them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from noisystudent.board.api import evaluation_rows
from noisystudent.board.api.access import Write, meant, remove
from noisystudent.board.api.evaluation_models import (
    EvaluationTable,
    EvaluationTableCreateRequest,
    EvaluationTableUpdateRequest,
)
from noisystudent.board.api.evaluation_rows import EvaluationRow, evaluation_rows_of
from noisystudent.board.api.operations import Read, read, write
from noisystudent.board.api.ordering import Asked, tables_by
from noisystudent.board.api.pages import Page, Paged, Selection, listed
from noisystudent.board.api.representations import evaluations_of
from noisystudent.board.catalogue.change import Change
from noisystudent.board.web.reading import named

router = APIRouter(tags=["evaluations"])


@read(router, "/evaluations/")
def evaluation_list(
    reading: Read,
    paging: Paged,
    ordering: Asked = None,
    paper_id: Annotated[str | None, Query(max_length=2_000, description="The rows of this paper, not tables.")] = None,
) -> Page[EvaluationTable] | Page[EvaluationRow]:
    """All evaluation tables; with `paper_id` the results of that paper on all of them, each a row."""
    if paper_id is None:
        return listed(
            reading, paging, Selection("leaderboard", "slug", {}).ordered(tables_by(ordering)), evaluations_of
        )
    paper = {"paper": reading.find("paper", paper_id)}
    rows = evaluation_rows.of("r.paper_id = :paper", paper, None, evaluation_rows.rows_by(ordering))
    return listed(reading, paging, rows, evaluation_rows_of)


@read(router, "/evaluations/{evaluation_id}/")
def evaluation_get(reading: Read, evaluation_id: str) -> EvaluationTable:
    """One evaluation table."""
    return evaluations_of(reading.connection, [reading.find("leaderboard", evaluation_id)])[0]


@write(router, "POST", "/evaluations/", 201)
def evaluation_create(writing: Write, body: EvaluationTableCreateRequest) -> EvaluationTable:
    """Add an evaluation table of a task on a dataset."""
    with writing.changing("add evaluation table", f"{body.task} on {body.dataset}") as change:
        task, dataset = meant(change, "task", body.task), meant(change, "dataset", body.dataset)
        _free(change, task, dataset)
        number = change.leaderboard(task, dataset)
        change.edit("leaderboard", number, description=body.description, mirror_url=body.mirror_url or None)
    return writing.read(evaluations_of, number)


@write(router, "PATCH", "/evaluations/{evaluation_id}/")
def evaluation_update(writing: Write, evaluation_id: str, body: EvaluationTableUpdateRequest) -> EvaluationTable:
    """Change an evaluation table; its id stays."""
    with writing.changing("change evaluation table", evaluation_id) as change:
        number = named(change.connection, "leaderboard", evaluation_id)
        row = change.connection.execute("SELECT * FROM leaderboard WHERE id = ?", (number,)).fetchone()
        task = row["task_id"] if body.task is None else meant(change, "task", body.task)
        dataset = row["dataset_id"] if body.dataset is None else meant(change, "dataset", body.dataset)
        if (task, dataset) != (row["task_id"], row["dataset_id"]):
            _free(change, task, dataset)
        change.edit(
            "leaderboard",
            number,
            task_id=task,
            dataset_id=dataset,
            description=row["description"] if body.description is None else body.description,
            mirror_url=row["mirror_url"] if body.mirror_url is None else body.mirror_url or None,
        )
    return writing.read(evaluations_of, number)


@write(router, "DELETE", "/evaluations/{evaluation_id}/", 204)
def evaluation_delete(writing: Write, evaluation_id: str) -> None:
    """Take out an evaluation table that never had a result. Any other stays for its history: DELETE its results, one by one."""
    with writing.changing("remove evaluation table", evaluation_id) as change:
        remove(change, "leaderboard", named(change.connection, "leaderboard", evaluation_id))


def _free(change: Change, task: int, dataset: int) -> None:
    taken = change.connection.execute(
        "SELECT slug FROM leaderboard WHERE task_id = ? AND dataset_id = ?", (task, dataset)
    ).fetchone()
    if taken:
        raise HTTPException(409, f"there is a table of that task and dataset already: its id is {taken['slug']!r}")
