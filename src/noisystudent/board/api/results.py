"""The results of an evaluation table: reading, adding, superseding and retiring them."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException

from noisystudent.board.api.access import Write, Writing, named
from noisystudent.board.api.evaluation_models import FilteredResults, Result, ResultCreateRequest, ResultUpdateRequest
from noisystudent.board.api.pages import Paged, page_of, select
from noisystudent.board.api.reading import Read, read
from noisystudent.board.api.refusals import OF_READS, OF_WRITES
from noisystudent.board.api.result_filters import Filtered
from noisystudent.board.api.result_rows import current, results_of
from noisystudent.board.api.superseding import as_wanted, put
from noisystudent.board.catalogue import change as catalogue
from noisystudent.board.catalogue.change import Change
from noisystudent.board.queries.results import whole_result

PATH = "/evaluations/{evaluation_id}/results/"
router = APIRouter(tags=["evaluations"])
reads = APIRouter(responses=OF_READS)
writes = APIRouter(responses=OF_WRITES)


@read(reads, PATH, FilteredResults)
def evaluation_result_list(reading: Read, paging: Paged, filters: Filtered, evaluation_id: str) -> FilteredResults:
    """A table's results, the best first, and the filters that they passed."""
    selection, applied = filters.selection(reading, reading.find("leaderboard", evaluation_id))
    ids, count = select(reading, paging, selection)
    page = page_of(reading, paging, count, results_of(reading.connection, ids))
    return FilteredResults(**page, applied_filters=applied)


@read(reads, PATH + "{result_id}/", Result)
def evaluation_result_get(reading: Read, evaluation_id: str, result_id: str) -> Result:
    """One result; the id of one that was superseded leads to what took its place."""
    number = current(reading.connection, reading.find("leaderboard", evaluation_id), result_id)
    if number is None:
        raise HTTPException(404, f"this table has no result with the id {result_id!r}")
    return results_of(reading.connection, [number])[0]


@writes.post(PATH, status_code=201, operation_id="evaluation_result_add")
def evaluation_result_add(writing: Write, evaluation_id: str, body: ResultCreateRequest) -> Result:
    """Add a result."""
    with writing.changing("add result", f"{body.methodology} on {evaluation_id}") as change:
        blank = catalogue.Result(named(change, "leaderboard", evaluation_id), body.methodology, {})
        number = put(change, as_wanted(change, blank, body), None)
    return _result(writing, number)


@writes.patch(PATH + "{result_id}/", operation_id="evaluation_result_update")
def evaluation_result_update(writing: Write, evaluation_id: str, result_id: str, body: ResultUpdateRequest) -> Result:
    """Put another result in the place of one; the answer has its id."""
    with writing.changing("correct result", f"{result_id} on {evaluation_id}") as change:
        old = _current(change, evaluation_id, result_id)
        number = put(change, as_wanted(change, whole_result(change.connection, old), body), old)
    return _result(writing, number)


@writes.delete(PATH + "{result_id}/", status_code=204, operation_id="evaluation_result_delete")
def evaluation_result_delete(writing: Write, evaluation_id: str, result_id: str) -> None:
    """Retire a result; it stays in the history."""
    with writing.changing("retire result", f"{result_id} on {evaluation_id}") as change:
        change.retire_result(_current(change, evaluation_id, result_id))


def _current(change: Change, evaluation_id: str, result_id: str) -> int:
    number = current(change.connection, named(change, "leaderboard", evaluation_id), result_id)
    if number is None:
        raise HTTPException(404, f"this table has no result with the id {result_id!r}")
    return number


def _result(writing: Writing, number: int) -> Result:
    with writing.store.reading() as connection:
        return results_of(connection, [number])[0]


router.include_router(reads)
router.include_router(writes)
