"""Mirroring an evaluation table that is kept elsewhere: the same call again changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace

from fastapi import APIRouter

from noisystudent.board.api.access import Write, Writing, meant
from noisystudent.board.api.evaluation_models import (
    EvaluationTableSyncRequest,
    EvaluationTableSyncResponse,
    MetricSyncRequest,
    ResultSyncRequest,
    ResultSyncResponse,
)
from noisystudent.board.api.operations import write
from noisystudent.board.api.representations import evaluations_of, metrics_of
from noisystudent.board.api.result_rows import results_of
from noisystudent.board.api.superseding import as_wanted, put, question
from noisystudent.board.catalogue import change as catalogue
from noisystudent.board.catalogue.change import Change
from noisystudent.board.queries import leaderboards
from noisystudent.board.queries.results import whole_result

router = APIRouter(tags=["evaluations"])


@write(router, "POST", "/rpc/evaluation-synchronize/")
def evaluation_synchronize(writing: Write, body: EvaluationTableSyncRequest) -> EvaluationTableSyncResponse:
    """Make a table as it is elsewhere. Rows are known by their `external_id`. Of a mirror that says which one it is (`external_id` or
    `mirror_url` of the table), rows that it named before and names no more are retired; all others stay, and so do all without rows."""
    with writing.changing("synchronize", f"{body.task} on {body.dataset}") as change:
        leaderboard = _table(change, body)
        _metrics(change, leaderboard, body.metrics)
        results = [_row(change, leaderboard, row) for row in body.results]
        if (mirror := body.external_id or body.mirror_url) and results:
            change.report["mirror"] = mirror
            _retire_dropped(change, leaderboard, mirror, results)
        unsure = {number for number, row in zip(results, body.results, strict=True) if not row.sure}
        question(change, set() if writing.is_sure else unsure)
    return _answer(writing, leaderboard, results)


def _table(change: Change, body: EvaluationTableSyncRequest) -> int:
    leaderboard = change.leaderboard(meant(change, "task", body.task), meant(change, "dataset", body.dataset))
    given = {"description": body.description, "mirror_url": body.mirror_url, "external_id": body.external_id}
    columns = {name: text for name, text in given.items() if text}  # what is left out stays
    if columns:
        change.edit("leaderboard", leaderboard, **columns)
    return leaderboard


def _metrics(change: Change, leaderboard: int, given: list[MetricSyncRequest]) -> None:
    """The given metrics come first, in their order: the first one ranks the table, if it is no cost."""
    first = []
    for metric in given:
        lower = metric.is_loss
        number = change.metric(leaderboard, metric.name, higher_is_better=None if lower is None else not lower)
        if metric.description:
            change.edit("metric", number, description=metric.description)
        first.append(number)
    metrics = sorted(
        leaderboards.metrics_of(change.connection, leaderboard), key=lambda row: (row["position"], row["id"])
    )
    others = [row["id"] for row in metrics if row["id"] not in first]
    for position, number in enumerate([*first, *others]):
        change.edit("metric", number, position=position)


def _row(change: Change, leaderboard: int, row: ResultSyncRequest) -> int:
    blank = catalogue.Result(leaderboard, row.methodology, {}, external_id=row.external_id or None)
    fresh = as_wanted(change, blank, row)
    old = _same_row(change, fresh)
    wanted = fresh if old is None else as_wanted(change, whole_result(change.connection, old), row)
    return put(change, replace(wanted, external_id=fresh.external_id), old)


def _retire_dropped(change: Change, leaderboard: int, mirror: str, named: list[int]) -> None:
    """Retire what came from a mirror before and is none of the rows that it names now."""
    dropped = change.connection.execute(
        "SELECT r.id FROM result r JOIN event e ON e.id = r.added_by WHERE r.leaderboard_id = ? AND r.retired_by IS NULL "
        "AND e.action = 'synchronize' AND json_extract(e.detail, '$.report.mirror') = ? "
        "AND r.id NOT IN (SELECT value FROM json_each(?))",
        (leaderboard, mirror, json.dumps(named)),
    )
    for row in dropped.fetchall():
        change.retire_result(row["id"])


def _same_row(change: Change, wanted: catalogue.Result) -> int | None:
    """The row that a request means: that of its external id, or without one the claim of the model and paper."""
    if wanted.external_id is not None:
        found = change.connection.execute(
            "SELECT id FROM result WHERE leaderboard_id = ? AND external_id = ? AND retired_by IS NULL",
            (wanted.leaderboard, wanted.external_id),
        ).fetchone()
    else:
        found = change.connection.execute(
            "SELECT r.id FROM result r JOIN model m ON m.id = r.model_id WHERE r.leaderboard_id = ? AND r.retired_by IS NULL "
            "AND r.kind = 'claim' AND r.external_id IS NULL AND m.name = ? AND r.paper_id IS ? "
            "AND (r.paper_id IS NOT NULL OR r.paper_url = ?) ORDER BY r.id LIMIT 1",
            (wanted.leaderboard, wanted.model, wanted.paper, wanted.paper_url),
        ).fetchone()
    return found["id"] if found else None


def _answer(writing: Writing, leaderboard: int, results: list[int]) -> EvaluationTableSyncResponse:
    with writing.store.reading(unveiled=True) as connection:
        table = evaluations_of(connection, [leaderboard])[0]
        metrics = leaderboards.metrics_of(connection, leaderboard)
        external = connection.execute("SELECT external_id FROM leaderboard WHERE id = ?", (leaderboard,)).fetchone()
        rows = [
            ResultSyncResponse(**result.model_dump(include=set(ResultSyncResponse.model_fields)))
            for result in results_of(connection, results)
        ]
        return EvaluationTableSyncResponse(
            **table.model_dump(exclude={"result_count"}),
            external_id=external["external_id"],
            metrics=metrics_of(connection, [row["id"] for row in metrics]),
            results=rows,
        )
