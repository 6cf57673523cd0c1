"""Datasets: reading and changing them."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException

from noisystudent.board.api.access import Write, Writing, named
from noisystudent.board.api.evaluation_models import EvaluationTable
from noisystudent.board.api.filters import Text, containing
from noisystudent.board.api.models import Dataset, DatasetCreateRequest, DatasetUpdateRequest
from noisystudent.board.api.pages import Page, Paged, Selection, page_of, select
from noisystudent.board.api.reading import Read, read
from noisystudent.board.api.refusals import OF_READS, OF_WRITES
from noisystudent.board.api.removal import remove
from noisystudent.board.api.representations import datasets_of, evaluations_of
from noisystudent.board.catalogue import entries
from noisystudent.board.catalogue.change import Change

router = APIRouter(tags=["datasets"])
reads = APIRouter(responses=OF_READS)
writes = APIRouter(responses=OF_WRITES)


@read(reads, "/datasets/", Page[Dataset])
def dataset_list(
    reading: Read, paging: Paged, q: Text = None, name: Text = None, full_name: Text = None
) -> Page[Dataset]:
    """Datasets by a part of any name (q), of the name, of the full name."""
    ids, count = select(reading, paging, containing("dataset", {"": q, "name": name, "full_name": full_name}))
    return Page[Dataset](**page_of(reading, paging, count, datasets_of(reading.connection, ids)))


@read(reads, "/datasets/{dataset_id}/", Dataset)
def dataset_get(reading: Read, dataset_id: str) -> Dataset:
    """One dataset."""
    return datasets_of(reading.connection, [reading.find("dataset", dataset_id)])[0]


@read(reads, "/datasets/{dataset_id}/evaluations/", Page[EvaluationTable])
def dataset_evaluation_list(reading: Read, paging: Paged, dataset_id: str) -> Page[EvaluationTable]:
    """A dataset's evaluation tables."""
    dataset = reading.find("dataset", dataset_id)
    selection = Selection("leaderboard WHERE dataset_id = :dataset", "slug", {"dataset": dataset})
    ids, count = select(reading, paging, selection)
    return Page[EvaluationTable](**page_of(reading, paging, count, evaluations_of(reading.connection, ids)))


@writes.post("/datasets/", status_code=201, operation_id="dataset_add")
def dataset_add(writing: Write, body: DatasetCreateRequest) -> Dataset:
    """Add a dataset."""
    with writing.changing("add dataset", body.name) as change:
        _free(change, body.name)
        given = {"name": body.name, "full_name": body.full_name or "", "homepage": body.url or ""}
        number = entries.write(change, "dataset", None, given)
    return _dataset(writing, number)


@writes.patch("/datasets/{dataset_id}/", operation_id="dataset_update")
def dataset_update(writing: Write, dataset_id: str, body: DatasetUpdateRequest) -> Dataset:
    """Change a dataset; its id stays."""
    with writing.changing("change dataset", dataset_id) as change:
        number = named(change, "dataset", dataset_id)
        if body.name is not None:
            _free(change, body.name, number)
        given = {"name": body.name, "full_name": body.full_name, "homepage": body.url}
        entries.write(change, "dataset", number, {name: text for name, text in given.items() if text is not None})
    return _dataset(writing, number)


@writes.delete("/datasets/{dataset_id}/", status_code=204, operation_id="dataset_delete")
def dataset_delete(writing: Write, dataset_id: str) -> None:
    """Take out a dataset that has no evaluation tables, papers and parts."""
    with writing.changing("remove dataset", dataset_id) as change:
        remove(change, "dataset", named(change, "dataset", dataset_id))


def _free(change: Change, name: str, number: int = 0) -> None:
    """That a name is not another's, among the parts of the same dataset."""
    taken = change.connection.execute(
        "SELECT slug FROM dataset WHERE name = ?1 COLLATE NOCASE AND id <> ?2 "
        "AND coalesce(parent_id, 0) = coalesce((SELECT parent_id FROM dataset WHERE id = ?2), 0)",
        (name, number),
    ).fetchone()
    if taken:
        raise HTTPException(409, f"there is a dataset {name!r} already: its id is {taken['slug']!r}")


def _dataset(writing: Writing, number: int) -> Dataset:
    with writing.store.reading() as connection:
        return datasets_of(connection, [number])[0]


router.include_router(reads)
router.include_router(writes)
