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
from noisystudent.board.charts.leaderboard import against_cost, costs_of, over_time
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
from noisystudent.board.web.paging import Paging
from noisystudent.board.web.refusal import refuse
from noisystudent.board.web.view import View, Viewing, page
from noisystudent.errors import UserError

router = APIRouter()

PAGE_ROWS = 100
MOST_RUNS = 100  # that stand on the page; more are in the JSON of the API
MEDIUM, WIDE = 2, 6  # metrics beside the one that ranks, on a screen of 900 pixels and on one of 1,400
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
    found, day = standings(view.connection, board["id"], metric, event), today()
    matching, counts = found.only(filters), found.counts(day)
    counts_of_matching = counts if matching == found else matching.counts(day)
    paging = _paging(matching, selection)
    pages = paging.pages(counts_of_matching.total)
    shown = matching.part(paging.offset, paging.size)
    leader = next((claim for claim in (matching.part(0, 1) if paging.offset else shown[:1]) if claim.rank == 1), None)
    runs, ranks, verdicts = leaderboards.runs_of(view.connection, board["id"], event), dict[tuple[int, str], int](), []
    if not selection.as_of:  # both are of today
        ranks = leaderboards.ranks_of_runs(view.connection, board["id"])
        verdicts = verdicts_of_leaderboard(view.connection, board["id"])
    if metric:
        runs.sort(key=lambda run: ranks.get((run["id"], metric["name"])) or len(runs) + 1)
    columns = [metric, *(other for other in metrics if other is not metric)] if metric else []
    data: dict[str, Any] = {
        "leaderboard": _about(board),
        "metric": metric["name"] if metric else None,
        "metrics": [_metric(each) for each in columns],
        "filters": selection.chosen,
        "total": counts.total,
        "matching": counts_of_matching.total,
        "page": paging.number,
        "pages": pages,
        "rows": _rows(view.connection, shown),
        "run_count": len(runs),
        "runs": _runs(view.connection, runs[:MOST_RUNS], ranks, verdicts),
    }
    name = board["shown"]
    if not view.as_json:
        data |= _drawings(board, selection, matching, counts_of_matching, metric, day)
        data["own"] = (
            [] if counts.total else _own(data["runs"])
        )  # a board of one's own work alone is a leaderboard, too
        data |= _columns(data["metrics"], data["rows"] or data["own"], everything=selection.columns == "all")
        data |= {"selection": selection, "origins": ORIGINS, "most_runs": MOST_RUNS, "leader": leader}
        data["beside"] = _beside(verdicts, metric)
        data["tags"] = {tag: selection.query(tag=tag) for tag in sorted(counts.tags)}
        data["knows_parameters"] = found.knows(PARAMETERS)
        data["has_verified"] = counts.verified
    return view.page(
        "leaderboard.html.jinja",
        data,
        title=name,
        description=_description(board, name, metric, leader),
        feed=f"/feeds/sota/{slug}.atom",
    )


def _paging(matching: Standings, selection: Selection) -> Paging:
    """The page that was asked for, by its number or by a result that it has."""
    if selection.at:
        place = matching.place_of(int(selection.at))
        return Paging(1 if place is None else place // PAGE_ROWS + 1, PAGE_ROWS)
    return Paging(int(selection.page or 1), PAGE_ROWS)


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
        "verified": {"by": row["verified_by"], "where": row["verified_where"]} if row["verified_by"] else None,
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
                "leaderboard_slug": run["slug"],
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


def _beside(verdicts: Sequence[dict[str, Any]], metric: sqlite3.Row | None) -> dict[int, list[dict[str, Any]]]:
    """By the number of a claim, what was measured of the metric that ranks."""
    found: dict[int, list[dict[str, Any]]] = {}
    for said in verdicts:
        if metric and said["metric"] == metric["name"]:
            found.setdefault(said["claim_result_id"], []).append(said)
    return found


def _columns(metrics: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]], *, everything: bool) -> dict[str, Any]:
    """Which metrics have a column, beside the one that ranks: those that most rows have, as many as a screen has room for.

    Returns:
        `others`, pairs of a metric's name and the class of its column; `unseen`, by kind of screen, the names that have none there.
    """
    filled = {each["name"]: sum(1 for row in rows if row["values"].get(each["name"])) for each in metrics[1:]}
    named = [name for name, count in filled.items() if count]
    by_use = sorted(named, key=lambda name: -filled[name])
    if everything:
        return {"others": [(name, "") for name in named], "unseen": {}}
    classes = {name: "medium" if place < MEDIUM else "wide" for place, name in enumerate(by_use[:WIDE])}
    unseen = {"narrow": named, "medium": by_use[MEDIUM:], "wide": by_use[WIDE:]}
    return {"others": [(name, classes[name]) for name in named if name in classes], "unseen": unseen}


def _own(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Runs as rows of a leaderboard, in the order that they have: each with its rank by the metric of its first value, and all values."""
    rows: dict[int, dict[str, Any]] = {}
    for run in runs:
        row = rows.setdefault(run["run_result_id"], run | {"values": {}, "intervals": {}})
        row["values"][run["metric"]] = run["run"]
        row["intervals"][run["metric"]] = run["interval"]
    return list(rows.values())


def _drawings(
    board: sqlite3.Row,
    selection: Selection,
    matching: Standings,
    counts: Counts,
    metric: sqlite3.Row | None,
    day: str,
) -> dict[str, Any]:
    """The chart that was chosen, and between which one can choose; until which day who leads has led."""
    points, better, name = matching.points(), matching.higher_is_better, metric["name"] if metric else ""
    past = points.until(day)
    best = past.records(higher_is_better=better) if better is not None else NO_PLACES
    costs = costs_of(points, name) if better is not None else []
    off_chart = list[str]()
    if better is not None and selection.chart in dict(costs):
        chart = against_cost(matching, points, selection.chart, name, higher_is_better=better)
    else:
        chart, off_chart = over_time(matching, counts, past, best, metric=name, name=board["shown"])
    return {
        "charts": [("", "time"), *((kind, words.lower()) for kind, words in costs)] if costs else [],
        "drawn": selection.chart if selection.chart in dict(costs) else "",
        "chart": chart,
        "off_chart": off_chart,
        "since": str(past.days[best[-1]]) if len(best) else None,
    }


def _description(board: sqlite3.Row, name: str, metric: sqlite3.Row | None, leader: Claim | None) -> str:
    best = f" Best: {leader.row['model']}, {legible(leader.row['raw'])} {metric['name']}." if leader and metric else ""
    return f"{name}: {board['result_count']:,} results of {board['paper_count']:,} papers.{best}"
