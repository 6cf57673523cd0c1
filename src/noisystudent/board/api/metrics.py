"""The metrics of an evaluation table: reading and changing them."""

from __future__ import annotations

import sqlite3

from fastapi import APIRouter, HTTPException

from noisystudent.board.api.access import Write, remove
from noisystudent.board.api.evaluation_models import Metric, MetricCreateRequest, MetricUpdateRequest
from noisystudent.board.api.operations import Read, read, write
from noisystudent.board.api.pages import Page, Paged, Selection, listed
from noisystudent.board.api.representations import metrics_of
from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.ranking import RANKING_FIRST
from noisystudent.board.web.reading import named
from noisystudent.board.web.row_numbers import row_number

PATH = "/evaluations/{evaluation_id}/metrics/"
router = APIRouter(tags=["evaluations"])


@read(router, PATH)
def evaluation_metric_list(reading: Read, paging: Paged, evaluation_id: str) -> Page[Metric]:
    """A table's metrics; the first one ranks it."""
    leaderboard = reading.find("leaderboard", evaluation_id)
    rows = "metric m JOIN leaderboard l ON l.id = m.leaderboard_id WHERE l.id = :leaderboard"
    selection = Selection(rows, RANKING_FIRST, {"leaderboard": leaderboard}, "m.id")
    return listed(reading, paging, selection, metrics_of)


@read(router, PATH + "{metric_id}/")
def evaluation_metric_get(reading: Read, evaluation_id: str, metric_id: str) -> Metric:
    """One metric."""
    leaderboard = reading.find("leaderboard", evaluation_id)
    return metrics_of(reading.connection, [_find(reading.connection, leaderboard, metric_id)])[0]


@write(router, "POST", PATH, 201)
def evaluation_metric_add(writing: Write, evaluation_id: str, body: MetricCreateRequest) -> Metric:
    """Add a metric behind the others."""
    with writing.changing("add metric", f"{body.name} of {evaluation_id}") as change:
        leaderboard = named(change.connection, "leaderboard", evaluation_id)
        _free(change, leaderboard, body.name)
        number = change.metric(
            leaderboard, body.name, higher_is_better=None if body.is_loss is None else not body.is_loss
        )
        change.edit("metric", number, description=body.description)
    return writing.read(metrics_of, number)


@write(router, "PATCH", PATH + "{metric_id}/")
def evaluation_metric_update(writing: Write, evaluation_id: str, metric_id: str, body: MetricUpdateRequest) -> Metric:
    """Change a metric: its name, its description, or which direction is better."""
    with writing.changing("change metric", f"{metric_id} of {evaluation_id}") as change:
        leaderboard = named(change.connection, "leaderboard", evaluation_id)
        number = _find(change.connection, leaderboard, metric_id)
        if body.name is not None:
            _free(change, leaderboard, body.name, number)
            change.edit("metric", number, name=body.name)
        if body.description is not None:
            change.edit("metric", number, description=body.description)
        if body.is_loss is not None:
            change.direct(number, not body.is_loss, "curated")
        change.touched.add(leaderboard)  # a new name can say another direction
    return writing.read(metrics_of, number)


@write(router, "DELETE", PATH + "{metric_id}/", 204)
def evaluation_metric_delete(writing: Write, evaluation_id: str, metric_id: str) -> None:
    """Take out a metric that no result, past ones included, has a value of."""
    with writing.changing("remove metric", f"{metric_id} of {evaluation_id}") as change:
        leaderboard = named(change.connection, "leaderboard", evaluation_id)
        remove(change, "metric", _find(change.connection, leaderboard, metric_id))
        change.touched.add(leaderboard)


def _find(connection: sqlite3.Connection, leaderboard: int, text: str) -> int:
    number = row_number(text) or 0
    row = connection.execute(
        "SELECT id FROM metric WHERE leaderboard_id = ? AND id = ?", (leaderboard, number)
    ).fetchone()
    if row is None:
        raise HTTPException(404, f"this table has no metric with the id {text!r}")
    return int(row["id"])


def _free(change: Change, leaderboard: int, name: str, number: int = 0) -> None:
    taken = change.connection.execute(
        "SELECT id FROM metric WHERE leaderboard_id = ? AND name = ? AND id <> ?", (leaderboard, name, number)
    ).fetchone()
    if taken:
        raise HTTPException(409, f"this table has a metric {name!r} already: its id is {str(taken['id'])!r}")
