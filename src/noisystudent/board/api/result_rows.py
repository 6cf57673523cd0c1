"""Results as the API shows them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from noisystudent.board.api.evaluation_models import Measured, Measurement, Result
from noisystudent.board.api.representations import OF_GIVEN, in_order
from noisystudent.board.queries.over_seeds import over_seeds
from noisystudent.board.web.row_numbers import row_number


def results_of(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Result]:
    """Results by their numbers, in that order, with their values and ranks."""
    values: dict[int, list[sqlite3.Row]] = {number: [] for number in ids}
    for row in connection.execute(
        "SELECT v.result_id, v.metric_id, v.raw, v.number, v.spread, v.rank, m.name FROM value v JOIN metric m ON m.id = v.metric_id "
        f"WHERE v.result_id {OF_GIVEN} ORDER BY v.result_id, m.position, m.id",
        (json.dumps(list(ids)),),
    ):
        values[row["result_id"]].append(row)
    query = (
        "SELECT r.*, l.slug AS evaluation, l.ranked_by, o.name AS model, o.parameters, "
        "run.seeds, run.images, run.command, run.git_commit, run.environment, run.intervals, "
        "(SELECT json_group_array(c.url) FROM paper_repository pc JOIN repository c ON c.id = pc.repository_id "
        "WHERE pc.paper_id = r.paper_id) AS code_of_paper "
        "FROM result_shown r JOIN leaderboard l ON l.id = r.leaderboard_id JOIN model o ON o.id = r.model_id "
        "LEFT JOIN run ON run.result_id = r.id "
        f"WHERE r.id {OF_GIVEN}"
    )
    return in_order(connection, query, ids, lambda row: _result(row, values[row["id"]]))


def _result(row: sqlite3.Row, values: Sequence[sqlite3.Row]) -> Result:
    best = min((value for value in values if value["rank"] is not None), key=lambda value: value["rank"], default=None)
    first = next((value for value in values if value["metric_id"] == row["ranked_by"]), None)
    own_code: list[dict[str, Any]] = json.loads(row["code_links"])
    return Result(
        id=str(row["id"]),
        evaluation=row["evaluation"],
        best_rank=best["rank"] if best else None,
        best_metric=best["name"] if best else None,
        rank=first["rank"] if first else None,
        metrics={value["name"]: value["raw"] for value in values},
        methodology=row["model"],
        uses_additional_data=bool(row["extra_data"]),
        extra_data=None if row["extra_data"] is None else bool(row["extra_data"]),
        paper=row["paper_slug"],
        paper_url=row["paper_url"] or None,
        evaluated_on=row["evaluated_on"],
        date=row["day"],
        external_source_url=row["source_url"],
        external_id=row["external_id"],
        kind=row["kind"],
        run=_measured(row, values) if row["kind"] == "run" else None,
        parameters=row["parameters"],
        tags=json.loads(row["tags"]),
        code=[link["url"] for link in own_code] or json.loads(row["code_of_paper"]),
        verified_by=row["verified_by"] or None,
        verified_where=row["verified_where"] or None,
    )


def _measured(row: sqlite3.Row, values: Sequence[sqlite3.Row]) -> Measured:
    found = {value["name"]: over_seeds(row, value) for value in values}
    return Measured(
        seeds=json.loads(row["seeds"] or "[]"),
        images=row["images"],
        command=row["command"] or "",
        git_commit=row["git_commit"] or "",
        metrics={name: Measurement(**said._asdict()) for name, said in found.items() if said},
    )


def current(connection: sqlite3.Connection, leaderboard: int, text: str) -> int | None:
    """The result on a leaderboard now that an id names: itself, or what took its place since."""
    row = connection.execute(
        "WITH RECURSIVE line (id) AS (SELECT id FROM result WHERE id = :id AND leaderboard_id = :leaderboard UNION "
        "SELECT r.id FROM line JOIN result r ON r.supersedes = line.id AND r.leaderboard_id = :leaderboard) "
        "SELECT r.id FROM line JOIN result r ON r.id = line.id WHERE r.retired_by IS NULL ORDER BY r.id DESC LIMIT 1",
        {"id": row_number(text), "leaderboard": leaderboard},
    ).fetchone()
    return int(row["id"]) if row else None
