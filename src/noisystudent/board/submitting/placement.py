"""Where a submitted result belongs: its leaderboard, its paper, the row that it supersedes, and the ranks that it would have."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from noisystudent.board.catalogue import names
from noisystudent.board.catalogue.change import Change, Result
from noisystudent.board.catalogue.doubts import doubt, numbers_beside
from noisystudent.board.catalogue.fields import ResultFields
from noisystudent.board.catalogue.judging import judgement
from noisystudent.board.catalogue.ranking import ranks
from noisystudent.board.catalogue.values import Value, parse_value
from noisystudent.board.queries.leaderboards import metrics_of
from noisystudent.board.queries.results import whole_result


@dataclass(frozen=True)
class Rank:
    """The rank that a value would have among `of` that can be compared, and the one that the superseded row has; None: it has none."""

    metric: str
    value: str
    rank: int | None
    of: int
    before: int | None


@dataclass(frozen=True)
class Placement:
    """Where a result belongs. `leaderboard` and `paper` are None where they would be made, `paper` also where there is none.

    `before` is what the superseded row says, by field, and empty without one; `after` is what the result would say.
    """

    title: str
    address: str | None
    leaderboard: int | None
    paper: int | None
    superseded: int | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    ranks: tuple[Rank, ...]
    notes: tuple[str, ...]
    doubts: tuple[str, ...]
    problems: Mapping[str, list[str]]


def place(connection: sqlite3.Connection, payload: ResultFields) -> Placement:
    """Find out where a result belongs now, and what stands in its way."""
    problems: dict[str, list[str]] = {}
    notes: list[str] = []
    leaderboard, title, address = _leaderboard(connection, payload, notes, problems)
    paper = _paper(connection, payload, notes, problems)
    superseded = _superseded(connection, payload, leaderboard, paper, problems)
    old = whole_result(connection, superseded) if superseded else None
    if old and not payload.paper and not payload.paper_title:
        paper = old.paper
    wanted = _wanted(connection, payload, leaderboard or 0, paper, old)
    _check_directions(connection, payload, leaderboard, notes, problems)
    return Placement(
        title=title,
        address=address,
        leaderboard=leaderboard,
        paper=paper,
        superseded=superseded,
        before=_says(connection, old) if old else {},
        after=_says(connection, wanted),
        ranks=_ranks(connection, payload, leaderboard, superseded, wanted.values),
        notes=tuple(notes),
        doubts=tuple(_doubts(connection, payload, leaderboard, superseded)),
        problems=problems,
    )


def add(change: Change, payload: ResultFields) -> int:
    """Put a result on its leaderboard, which is made where there is none, in the place of the row that it supersedes."""
    placement = place(change.connection, payload)
    leaderboard = placement.leaderboard
    if leaderboard is None:
        leaderboard = change.leaderboard(
            names.meant(change.connection, "task", payload.task) or change.task(payload.task),
            names.meant(change.connection, "dataset", payload.dataset) or change.dataset(payload.dataset),
        )
    for name in payload.metrics:
        change.metric(leaderboard, name, higher_is_better=payload.higher_is_better.get(name))
    paper = placement.paper
    if paper is None and payload.paper:
        paper = change.paper(title=payload.paper_title, url=payload.paper, published=payload.paper_date or None)
    old = whole_result(change.connection, placement.superseded) if placement.superseded else None
    wanted = _wanted(change.connection, payload, leaderboard, paper, old)
    return change.add_result(wanted, supersedes=placement.superseded)


def _leaderboard(
    connection: sqlite3.Connection, payload: ResultFields, notes: list[str], problems: dict[str, list[str]]
) -> tuple[int | None, str, str | None]:
    """Number, title and address of the leaderboard; what would be made goes to `notes`."""
    number = None
    titles = [payload.task, payload.dataset]
    if payload.leaderboard:
        number = names.meant(connection, "leaderboard", payload.leaderboard)
        if number is None:
            problems["leaderboard"] = [f"there is no leaderboard {payload.leaderboard!r}"]
            return None, payload.leaderboard, None
    else:
        task = names.meant(connection, "task", payload.task)
        dataset = names.meant(connection, "dataset", payload.dataset)
        for place, (kind, number_of_it) in enumerate((("task", task), ("dataset", dataset))):
            if number_of_it is None:
                notes.append(f"the {kind} {titles[place]} would be new")
            else:
                titles[place] = names.name_of(connection, kind, number_of_it)
        if task and dataset:
            row = connection.execute(
                "SELECT id FROM leaderboard WHERE task_id = ? AND dataset_id = ?", (task, dataset)
            ).fetchone()
            number = row["id"] if row else None
    if number is None:
        notes.append("the leaderboard would be new")
        return None, " on ".join(titles), None
    row = connection.execute("SELECT slug, shown FROM leaderboard_shown WHERE id = ?", (number,)).fetchone()
    return number, row["shown"], f"/sota/{row['slug']}"


def _paper(
    connection: sqlite3.Connection, payload: ResultFields, notes: list[str], problems: dict[str, list[str]]
) -> int | None:
    if not payload.paper and not payload.paper_title:
        return None
    found = names.meant(connection, "paper", payload.paper or payload.paper_title)
    if found is not None:
        return found
    if not payload.paper:
        problems["paper"] = [f"there is no paper {payload.paper_title!r} here: give its address, too"]
    elif not payload.paper.startswith(("http://", "https://")):
        problems["paper"] = [f"there is no paper {payload.paper!r} here: give its slug or its address"]
    elif not payload.paper_title:
        problems["paper_title"] = ["must be given, since the paper is not here yet"]
    else:
        notes.append(f"the paper {payload.paper_title} would be new")
    return None


def _superseded(
    connection: sqlite3.Connection,
    payload: ResultFields,
    leaderboard: int | None,
    paper: int | None,
    problems: dict[str, list[str]],
) -> int | None:
    """The row that a result takes the place of: the one that it names, or the only one of the same model, paper and extra data."""
    if payload.corrects is not None:
        row = connection.execute("SELECT * FROM result WHERE id = ?", (payload.corrects,)).fetchone()
        if row is None or row["leaderboard_id"] != leaderboard:
            problems["corrects"] = [f"result {payload.corrects} is not on this leaderboard"]
        elif row["kind"] != "claim":
            problems["corrects"] = [f"result {payload.corrects} was measured: it cannot be corrected by hand"]
        elif row["retired_by"] is not None:
            problems["corrects"] = [f"result {payload.corrects} has been superseded or taken off already"]
        else:
            return payload.corrects
        return None
    rows = connection.execute(
        "SELECT r.id FROM result r JOIN model m ON m.id = r.model_id WHERE r.leaderboard_id = ? AND r.retired_by IS NULL "
        "AND r.kind = 'claim' AND m.name = ? AND r.paper_id IS ? AND (? IS NULL OR r.extra_data IS NULL OR r.extra_data = ?)",
        (leaderboard, payload.model, paper, payload.extra_data, payload.extra_data),
    ).fetchall()
    if len(rows) > 1:
        numbers = ", ".join(str(row["id"]) for row in rows)
        problems["model"] = [
            f"there are several results of this model and paper ({numbers}): say which one it corrects"
        ]
    return int(rows[0]["id"]) if len(rows) == 1 else None


def _says(connection: sqlite3.Connection, result: Result) -> dict[str, Any]:
    """What a result says, by field, as the difference shows it."""
    return {
        "model": result.model,
        **{f"metric {name}": raw for name, raw in result.values.items()},
        "extra_data": result.extra_data,
        "evaluated_on": result.evaluated_on or "",
        "paper": _title(connection, result.paper) or result.paper_title,
        "source_url": result.source_url or "",
        "locator": result.locator,
        "code_links": [link["url"] for link in result.code_links],
        "tags": list(result.tags),
    }


def _title(connection: sqlite3.Connection, paper: int | None) -> str:
    row = connection.execute("SELECT title FROM paper WHERE id = ?", (paper,)).fetchone()
    return str(row["title"]) if row else ""


def _check_directions(
    connection: sqlite3.Connection,
    payload: ResultFields,
    leaderboard: int | None,
    notes: list[str],
    problems: dict[str, list[str]],
) -> None:
    """New metrics are noted; a direction against what a curator or the source said is a mistake, since that is a submission of its own."""
    metrics = metrics_of(connection, leaderboard) if leaderboard else []
    for name in payload.metrics:
        metric, said = names.metric_meant(metrics, name), payload.higher_is_better.get(name)
        if metric is None:
            notes.append(f"the metric {name} would be new")
        elif metric["name"] != name:
            problems.setdefault("metrics", []).append(f"{name!r} is written {metric['name']!r} on this leaderboard")
        elif (
            said is not None
            and metric["direction_origin"] in ("curated", "given")
            and said != bool(metric["higher_is_better"])
        ):
            problems.setdefault("higher_is_better", []).append(
                f"{name!r} has the other direction here: send a submission of the kind direction"
            )


def _doubts(
    connection: sqlite3.Connection, payload: ResultFields, leaderboard: int | None, superseded: int | None
) -> Iterator[str]:
    """What is odd about the given values, beside those of the same columns."""
    metrics = metrics_of(connection, leaderboard) if leaderboard else []
    for name, raw in payload.metrics.items():
        metric = names.metric_meant(metrics, name)
        others = numbers_beside(connection, metric["id"], superseded) if metric else []
        if said := doubt(name, raw, parse_value(raw), others):
            yield said


def _ranks(
    connection: sqlite3.Connection,
    payload: ResultFields,
    leaderboard: int | None,
    old: int | None,
    values: Mapping[str, str],
) -> tuple[Rank, ...]:
    found = []
    for name, raw in values.items():
        metric = connection.execute(
            "SELECT id, higher_is_better FROM metric WHERE leaderboard_id = ? AND name = ?", (leaderboard, name)
        ).fetchone()
        better = payload.higher_is_better.get(name)
        if better is None and metric:
            better = None if metric["higher_is_better"] is None else bool(metric["higher_is_better"])
        if better is None:
            better = judgement(connection, name).higher_is_better
        others = _others(connection, metric["id"]) if metric else {}
        superseded = ranks(others, higher_is_better=better).get(old) if old else None
        if old:
            others.pop(old, None)
        ranked = ranks({**others, 0: parse_value(raw)}, higher_is_better=better)
        found.append(Rank(name, raw, ranked.get(0), len(ranked), superseded))
    return tuple(found)


def _others(connection: sqlite3.Connection, metric: int) -> dict[int, Value]:
    rows = connection.execute(
        "SELECT v.result_id, v.number, v.unit, v.spread FROM value v JOIN result r ON r.id = v.result_id "
        "WHERE v.metric_id = ? AND r.retired_by IS NULL AND r.kind = 'claim'",
        (metric,),
    )
    return {row["result_id"]: Value(row["number"], row["unit"], row["spread"]) for row in rows}


def _wanted(
    connection: sqlite3.Connection, payload: ResultFields, leaderboard: int, paper: int | None, old: Result | None
) -> Result:
    """The result to add: what was given, and for the rest what the superseded one says."""
    row = connection.execute("SELECT title, url_abs, published FROM paper WHERE id = ?", (paper,)).fetchone()
    if old and old.paper == paper and not (paper is None and payload.paper_title):
        title, url, published = old.paper_title, old.paper_url, old.paper_date
    elif row:
        title, url, published = row["title"], row["url_abs"] or "", row["published"]
    else:
        title, url, published = payload.paper_title, "", None
    kept = old or Result(leaderboard, payload.model, {})
    return replace(
        kept,
        model=payload.model,
        values={**kept.values, **payload.metrics},
        paper=paper,
        extra_data=kept.extra_data if payload.extra_data is None else payload.extra_data,
        evaluated_on=payload.evaluated_on or kept.evaluated_on,
        paper_title=title,
        paper_url=url,
        paper_date=payload.paper_date or published,
        source_url=payload.source_url or kept.source_url,
        locator=payload.locator or kept.locator,
        code_links=[{"title": "", "url": url} for url in payload.code_links] or kept.code_links,
        tags=payload.tags or kept.tags,
    )
