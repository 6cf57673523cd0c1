"""The page of one leaderboard: the chart, the table by the chosen metric, and what was measured beside what was claimed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from noisystudent.board.catalogue.change import today
from noisystudent.board.catalogue.history import event_as_of, last_event
from noisystudent.board.catalogue.names import metric_meant
from noisystudent.board.catalogue.values import legible
from noisystudent.board.charts.leaderboard import against_cost, over_time
from noisystudent.board.pages.selection import Selection
from noisystudent.board.queries import leaderboards
from noisystudent.board.queries.points import NO_PLACES
from noisystudent.board.queries.standings import (
    MULTIPLY_ADDS,
    PARAMETERS,
    Claim,
    Counts,
    Standings,
    standings,
    values_of,
)
from noisystudent.board.queries.verdicts import verdicts_of_leaderboard
from noisystudent.board.web.refusal import refuse
from noisystudent.board.web.view import View, Viewing, page
from noisystudent.errors import UserError

router = APIRouter()

SHOWN_ROWS, MOST_ROWS = 100, 1_000  # at first, and when all are asked for: more than that are a file
ORIGINS = {
    "curated": "set by a curator",
    "given": "given by the source",
    "known name": "known name",
    "order of rows": "found from the order of the rows",
    "pattern of name": "found from words in the name",
}


@page(router, "/sota/{slug}")
def leaderboard(view: Viewing, slug: str, selection: Annotated[Selection, Depends()]) -> Response:
    board = view.entry("leaderboard", slug, leaderboards.find)
    try:
        filters = selection.filters()
    except UserError as error:
        return refuse(view.request, 422, "; ".join(error.problems))
    event = event_as_of(view.connection, selection.as_of) if selection.as_of else last_event(view.connection)
    metrics = leaderboards.metrics_of(view.connection, board["id"])
    metric = _chosen(view, metrics, selection.metric)
    found = standings(view.connection, board["id"], metric, event)
    matching, counts = found.only(filters), found.counts(today())
    counts_of_matching = counts if matching == found else matching.counts(today())
    shown = matching.first(MOST_ROWS if selection.rows == "all" else SHOWN_ROWS)
    leader = next((claim for claim in shown if claim.rank == 1), None)
    runs, ranks, verdicts = leaderboards.runs_of(view.connection, board["id"], event), dict[tuple[int, str], int](), []
    if not selection.as_of:  # both are of today
        ranks = leaderboards.ranks_of_runs(view.connection, board["id"])
        verdicts = verdicts_of_leaderboard(view.connection, board["id"])
    if metric:
        runs.sort(key=lambda run: ranks.get((run["id"], metric["name"])) or len(runs) + 1)
    columns = [metric, *(other for other in metrics if other is not metric)] if metric else []
    data = {
        "leaderboard": _about(board),
        "metric": metric["name"] if metric else None,
        "metrics": [_metric(each) for each in columns],
        "filters": selection.chosen,
        "total": counts.total,
        "matching": counts_of_matching.total,
        "rows": _rows(view.connection, shown),
        "run_count": len(runs),
        "runs": _runs(view.connection, runs[:MOST_ROWS], ranks, verdicts),
    }
    name = board["shown"]
    if not view.as_json:
        data |= _for_readers(board, selection, matching, counts_of_matching, metric)
        data |= {"leader": leader, "tags": {tag: selection.query(tag=tag, rows="") for tag in sorted(counts.tags)}}
        data["knows_parameters"] = found.knows(PARAMETERS)
    return view.page(
        "leaderboard.html.jinja",
        data,
        title=name,
        description=_description(board, name, metric, leader),
        feed=f"/feeds/sota/{slug}.atom",
    )


def _chosen(view: View, metrics: Sequence[sqlite3.Row], name: str) -> sqlite3.Row | None:
    """The metric of that name, the first one where no name is given; None where the leaderboard has none at all."""
    if not name:
        return metrics[0] if metrics else None
    metric = metric_meant(metrics, name)
    if metric is None:
        raise view.missing("metric")
    return metric


def _about(board: sqlite3.Row) -> dict[str, Any]:
    return {
        "slug": board["slug"],
        "task": {"slug": board["task_slug"], "name": board["task"]},
        "dataset": {"slug": board["dataset_slug"], "name": board["dataset"]},
        "description": board["description"],
        "links": json.loads(board["links"]),
        "citations": json.loads(board["citations"]),
        "result_count": board["result_count"],
        "paper_count": board["paper_count"],
        "source": {"name": board["source"], "licence": board["source_licence"], "url": board["source_address"]}
        if board["source"]
        else None,
    }


def _metric(row: sqlite3.Row) -> dict[str, Any]:
    higher = row["higher_is_better"]
    return {
        "name": row["name"],
        "description": row["description"],
        "unit": row["unit"],
        "higher_is_better": None if higher is None else bool(higher),
        "direction_origin": row["direction_origin"],
    }


def _rows(connection: sqlite3.Connection, shown: Sequence[Claim]) -> list[dict[str, Any]]:
    values = values_of(connection, [claim.row["id"] for claim in shown])
    return [_row(claim, values[claim.row["id"]]) for claim in shown]


def _row(claim: Claim, values: dict[str, str]) -> dict[str, Any]:
    row = claim.row
    links = json.loads(row["model_links"])
    if row["weights_url"]:
        links = [{"title": "weights", "url": row["weights_url"]}, *links]
    return {
        "id": row["id"],
        "rank": claim.rank,
        "model": row["model"],
        "values": values,
        "comparable": claim.comparable,
        "extra_training_data": None if row["extra_data"] is None else bool(row["extra_data"]),
        "paper": _paper(row),
        "code": _code(claim),
        "result": {"url": row["source_url"], "locator": row["locator"]}
        if row["source_url"] or row["locator"]
        else None,
        "model_links": links,
        "date": claim.day.isoformat() if claim.day else None,
        "tags": json.loads(row["tags"]),
        "parameters": claim.cost(PARAMETERS),
        "multiply_adds": claim.cost(MULTIPLY_ADDS),
    }


def _paper(row: sqlite3.Row) -> dict[str, Any] | None:
    return {"slug": row["paper_slug"], "title": row["paper"], "url": row["paper_url"]} if row["paper"] else None


def _code(claim: Claim) -> dict[str, Any] | None:
    """The first link of the row, else the paper's best repository; how many others there are."""
    links = json.loads(claim.row["code_links"])
    if links:
        return {"title": links[0].get("title") or "code", "url": links[0].get("url", ""), "others": len(links) - 1}
    if claim.code is None:
        return None
    title = "/".join(part for part in (claim.code["owner"], claim.code["name"]) if part) or "code"
    return {"title": title, "url": claim.code["url"], "others": claim.code["number"] - 1}


def _runs(
    connection: sqlite3.Connection,
    runs: Sequence[sqlite3.Row],
    ranks: dict[tuple[int, str], int],
    verdicts: Sequence[dict[str, Any]],
) -> list[dict[str, Any]]:
    """What was measured, a row for each value; beside the claim and with a verdict where there is one."""
    said_of = {(said["run_result_id"], said["metric"]): said for said in verdicts}
    values = values_of(connection, [run["id"] for run in runs])
    found = []
    for run in runs:
        intervals = json.loads(run["intervals"] or "{}")
        for name, raw in values[run["id"]].items():
            about = {
                "run_result_id": run["id"],
                "metric": name,
                "rank": ranks.get((run["id"], name)),
                "run": raw,
                "model": run["model"],
                "seeds": json.loads(run["seeds"] or "[]"),
                "images": run["images"],
                "command": run["command"] or "",
                "git_commit": run["git_commit"] or "",
                "interval": intervals.get(name),
                "claim": None,
                "verdict": None,
                "tolerance": None,
                "basis": "",
                "protocol": None,
                "citation": None,
                "objections": [],
            }
            found.append(about | said_of.get((run["id"], name), {}) | {"model": run["model"]})
    return found


def _for_readers(
    board: sqlite3.Row,
    selection: Selection,
    matching: Standings,
    counts: Counts,
    metric: sqlite3.Row | None,
) -> dict[str, Any]:
    """What the page has and its JSON has not: charts, choices, sentences."""
    points, better = matching.points(), matching.higher_is_better
    past, metric_name = points.until(today()), metric["name"] if metric else ""
    best = past.records(higher_is_better=better) if better is not None else NO_PLACES
    chart, off_chart = over_time(matching, counts, past, best, metric=metric_name, name=board["shown"])
    costs = against_cost(matching, points, metric_name, higher_is_better=better) if better is not None else []
    return {
        "selection": selection,
        "most_rows": MOST_ROWS,
        "origins": ORIGINS,
        "chart": chart,
        "off_chart": off_chart,
        "cost_charts": costs,
        "since": str(past.days[best[-1]]) if len(best) else None,
    }


def _description(board: sqlite3.Row, name: str, metric: sqlite3.Row | None, leader: Claim | None) -> str:
    best = f" Best: {leader.row['model']}, {legible(leader.row['raw'])} {metric['name']}." if leader and metric else ""
    return f"{name}: {board['result_count']:,} results of {board['paper_count']:,} papers.{best}"
