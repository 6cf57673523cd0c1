"""The results of an evaluation table: reading, adding, superseding and retiring them."""

from __future__ import annotations

import sqlite3

from fastapi import APIRouter, HTTPException

from noisystudent.board.api.access import Write
from noisystudent.board.api.evaluation_models import FilteredResults, Result, ResultCreateRequest, ResultUpdateRequest
from noisystudent.board.api.operations import Read, read, write
from noisystudent.board.api.pages import Paged, listed
from noisystudent.board.api.result_filters import Filtered
from noisystudent.board.api.result_rows import current, results_of
from noisystudent.board.api.superseding import as_wanted, put, question
from noisystudent.board.catalogue import change as catalogue
from noisystudent.board.queries.results import whole_result
from noisystudent.board.web.reading import named

PATH = "/evaluations/{evaluation_id}/results/"
router = APIRouter(tags=["evaluations"])


@read(router, PATH)
def evaluation_result_list(reading: Read, paging: Paged, filters: Filtered, evaluation_id: str) -> FilteredResults:
    """A table's results, the best first, and the filters that they passed."""
    selection, applied = filters.selection(reading, reading.find("leaderboard", evaluation_id))
    return FilteredResults(**dict(listed(reading, paging, selection, results_of)), applied_filters=applied)


@read(router, PATH + "{result_id}/")
def evaluation_result_get(reading: Read, evaluation_id: str, result_id: str) -> Result:
    """One result; the id of one that was superseded leads to what took its place."""
    return results_of(reading.connection, [_current(reading.connection, evaluation_id, result_id)])[0]


@write(router, "POST", PATH, 201)
def evaluation_result_add(writing: Write, evaluation_id: str, body: ResultCreateRequest) -> Result:
    """Add a result."""
    with writing.changing("add result", f"{body.methodology} on {evaluation_id}") as change:
        blank = catalogue.Result(named(change.connection, "leaderboard", evaluation_id), body.methodology, {})
        number = put(change, as_wanted(change, blank, body), None)
        question(change, [] if body.sure or writing.is_sure else [number])
    return writing.read(results_of, number)


@write(router, "PATCH", PATH + "{result_id}/")
def evaluation_result_update(writing: Write, evaluation_id: str, result_id: str, body: ResultUpdateRequest) -> Result:
    """Put another result in the place of one; the answer has its id."""
    with writing.changing("correct result", f"{result_id} on {evaluation_id}") as change:
        old = _current(change.connection, evaluation_id, result_id)
        number = put(change, as_wanted(change, whole_result(change.connection, old), body), old)
        question(change, [] if body.sure or writing.is_sure else [number])
    return writing.read(results_of, number)


@write(router, "DELETE", PATH + "{result_id}/", 204)
def evaluation_result_delete(writing: Write, evaluation_id: str, result_id: str) -> None:
    """Retire a result; it stays in the history."""
    with writing.changing("retire result", f"{result_id} on {evaluation_id}") as change:
        change.retire_result(_current(change.connection, evaluation_id, result_id))


def _current(connection: sqlite3.Connection, evaluation_id: str, result_id: str) -> int:
    number = current(connection, named(connection, "leaderboard", evaluation_id), result_id)
    if number is None:
        raise HTTPException(404, f"this table has no result with the id {result_id!r}")
    return number
