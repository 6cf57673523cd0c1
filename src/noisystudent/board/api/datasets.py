"""Datasets: reading and changing them."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from noisystudent.board.api import evaluation_rows
from noisystudent.board.api.access import Write, remove
from noisystudent.board.api.evaluation_models import EvaluationTable
from noisystudent.board.api.evaluation_rows import EvaluationRow, IsOpen, evaluation_rows_of
from noisystudent.board.api.filters import Text, containing
from noisystudent.board.api.models import Dataset, DatasetCreateRequest, DatasetUpdateRequest
from noisystudent.board.api.operations import Read, read, write
from noisystudent.board.api.ordering import Asked, DatasetsBy, tables_by
from noisystudent.board.api.pages import Page, Paged, Selection, listed
from noisystudent.board.api.representations import datasets_of, evaluations_of
from noisystudent.board.catalogue import entries
from noisystudent.board.catalogue.change import Change
from noisystudent.board.queries.tasks import with_descendants
from noisystudent.board.queries.trending import IS_OPEN
from noisystudent.board.web.reading import named

router = APIRouter(tags=["datasets"])


@read(router, "/datasets/")
def dataset_list(
    reading: Read,
    paging: Paged,
    order: DatasetsBy,
    q: Text = None,
    name: Text = None,
    full_name: Text = None,
    task: Annotated[
        str | None, Query(max_length=300, description="With a table of this task, by its id or name.")
    ] = None,
    include_descendants: Annotated[bool, Query(description="Or of a task below it.")] = False,
    min_eval_count: Annotated[int | None, Query(ge=0, le=10**9, description="With so many results at least.")] = None,
    is_open: IsOpen = None,
) -> Page[Dataset]:
    """Datasets by a part of any name (q), of the name, of the full name; of a task, with results."""
    found = containing("dataset", {"": q, "name": name, "full_name": full_name})
    conditions, parameters = ["l.dataset_id = dataset.id"], dict[str, Any]()
    if task:
        number = reading.find("task", task)
        tasks = with_descendants(reading.connection, number) if include_descendants else [number]
        conditions.append("l.task_id IN (SELECT value FROM json_each(:tasks))")
        parameters["tasks"] = json.dumps(tasks)
    if is_open is not None:
        conditions.append(
            "EXISTS (SELECT 1 FROM result r JOIN model m ON m.id = r.model_id WHERE r.leaderboard_id = l.id "
            f"AND r.retired_by IS NULL AND {IS_OPEN} = {int(is_open)})"
        )
    if len(conditions) > 1 or min_eval_count:
        joined = " AND ".join(conditions)
        where = f"(SELECT sum(l.result_count) FROM leaderboard l WHERE {joined}) >= :least"
        found = found.and_also(where, **parameters, least=min_eval_count or 0)
    return listed(reading, paging, found.ordered(order), datasets_of)


@read(router, "/datasets/{dataset_id}/")
def dataset_get(reading: Read, dataset_id: str) -> Dataset:
    """One dataset."""
    return datasets_of(reading.connection, [reading.find("dataset", dataset_id)])[0]


@read(router, "/datasets/{dataset_id}/evaluations/")
def dataset_evaluation_list(
    reading: Read, paging: Paged, dataset_id: str, ordering: Asked = None, is_open: IsOpen = None
) -> Page[EvaluationTable] | Page[EvaluationRow]:
    """A dataset's evaluation tables; with an order or a filter of results (`best_rank`, `is_open`), the results on them, each a row."""
    dataset = {"dataset": reading.find("dataset", dataset_id)}
    if is_open is None and ordering not in evaluation_rows.ORDERS:
        tables = Selection("leaderboard WHERE dataset_id = :dataset", "slug", dataset).ordered(tables_by(ordering))
        return listed(reading, paging, tables, evaluations_of)
    there = "r.leaderboard_id IN (SELECT id FROM leaderboard WHERE dataset_id = :dataset)"
    rows = evaluation_rows.of(there, dataset, is_open, evaluation_rows.rows_by(ordering))
    return listed(reading, paging, rows, evaluation_rows_of)


@write(router, "POST", "/datasets/", 201)
def dataset_add(writing: Write, body: DatasetCreateRequest) -> Dataset:
    """Add a dataset."""
    with writing.changing("add dataset", body.name) as change:
        _free(change, body.name)
        given = {"name": body.name, "full_name": body.full_name or "", "homepage": body.url or ""}
        number = entries.write(change, "dataset", None, given)
    return writing.read(datasets_of, number)


@write(router, "PATCH", "/datasets/{dataset_id}/")
def dataset_update(writing: Write, dataset_id: str, body: DatasetUpdateRequest) -> Dataset:
    """Change a dataset; its id stays."""
    with writing.changing("change dataset", dataset_id) as change:
        number = named(change.connection, "dataset", dataset_id)
        if body.name is not None:
            _free(change, body.name, number)
        given = {"name": body.name, "full_name": body.full_name, "homepage": body.url}
        entries.write(change, "dataset", number, {name: text for name, text in given.items() if text is not None})
    return writing.read(datasets_of, number)


@write(router, "DELETE", "/datasets/{dataset_id}/", 204)
def dataset_delete(writing: Write, dataset_id: str) -> None:
    """Take out a dataset that has no evaluation tables, papers and parts."""
    with writing.changing("remove dataset", dataset_id) as change:
        remove(change, "dataset", named(change.connection, "dataset", dataset_id))


def _free(change: Change, name: str, number: int = 0) -> None:
    """That a name is not another's, among the parts of the same dataset."""
    taken = change.connection.execute(
        "SELECT slug FROM dataset WHERE name = ?1 COLLATE NOCASE AND id <> ?2 "
        "AND coalesce(parent_id, 0) = coalesce((SELECT parent_id FROM dataset WHERE id = ?2), 0)",
        (name, number),
    ).fetchone()
    if taken:
        raise HTTPException(409, f"there is a dataset {name!r} already: its id is {taken['slug']!r}")
