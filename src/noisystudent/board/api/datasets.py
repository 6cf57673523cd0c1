"""Datasets: reading and changing them."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException

from noisystudent.board.api.access import Write, remove
from noisystudent.board.api.evaluation_models import EvaluationTable
from noisystudent.board.api.filters import Text, containing
from noisystudent.board.api.models import Dataset, DatasetCreateRequest, DatasetUpdateRequest
from noisystudent.board.api.operations import Read, read, write
from noisystudent.board.api.ordering import ByName
from noisystudent.board.api.pages import Page, Paged, Selection, listed
from noisystudent.board.api.representations import datasets_of, evaluations_of
from noisystudent.board.catalogue import entries
from noisystudent.board.catalogue.change import Change
from noisystudent.board.web.reading import named

router = APIRouter(tags=["datasets"])


@read(router, "/datasets/")
def dataset_list(
    reading: Read, paging: Paged, order: ByName, q: Text = None, name: Text = None, full_name: Text = None
) -> Page[Dataset]:
    """Datasets by a part of any name (q), of the name, of the full name."""
    return listed(
        reading,
        paging,
        containing("dataset", {"": q, "name": name, "full_name": full_name}).ordered(order),
        datasets_of,
    )


@read(router, "/datasets/{dataset_id}/")
def dataset_get(reading: Read, dataset_id: str) -> Dataset:
    """One dataset."""
    return datasets_of(reading.connection, [reading.find("dataset", dataset_id)])[0]


@read(router, "/datasets/{dataset_id}/evaluations/")
def dataset_evaluation_list(reading: Read, paging: Paged, dataset_id: str) -> Page[EvaluationTable]:
    """A dataset's evaluation tables."""
    dataset = reading.find("dataset", dataset_id)
    selection = Selection("leaderboard WHERE dataset_id = :dataset", "slug", {"dataset": dataset})
    return listed(reading, paging, selection, evaluations_of)


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
