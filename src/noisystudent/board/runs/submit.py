"""Putting runs of ours on a leaderboard, beside what a paper claims."""

from __future__ import annotations

import hashlib
import json
import math
import shlex
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from noisystudent.board.catalogue.change import Change, Result
from noisystudent.board.catalogue.names import alike, meant
from noisystudent.board.catalogue.near import near_slugs
from noisystudent.board.catalogue.store import Store
from noisystudent.board.queries.protocols import Kind
from noisystudent.board.queries.verdicts import verdicts_of_leaderboard
from noisystudent.board.runs.columns import COSTS, Column, columns_of
from noisystudent.board.runs.folder import Run, read_run
from noisystudent.errors import UserError


@dataclass(frozen=True)
class Claim:
    """A paper's result that a run can stand beside."""

    id: int
    model: str
    paper: int | None
    paper_title: str


@dataclass(frozen=True)
class Measured:
    """A metric over all runs that were given together: in the column's unit, with its 95 % interval where there is one."""

    raw: str
    interval: tuple[float, float] | None


def submit_run(
    store: Store,
    folders: Sequence[Path],
    *,
    task: str,
    dataset: str,
    paper: str = "",
    claim_model: str = "",
    new: bool = False,
    protocol: Kind | None = None,
    actor: str,
) -> dict[str, Any]:
    """Make one result of a run, or of several that differ in their seed: mean, standard deviation, interval, provenance.

    Args:
        folders: of runs, or files that `noisystudent evaluate --out` wrote.
        task, dataset: name or slug of both: the leaderboard.
        paper, claim_model: whose claim the run stands beside: the paper's slug, address, arXiv number or title, and the model's name;
            both are needed only where one does not say it.
        new: make the leaderboard when there is none.
        protocol: how it was measured beside the claim, where the data set, the classes and the number of images do not tell, or tell
            wrong: "exact" as the claim was, "partial" on a part of its images, "proxy" on others that stand for them.
        actor: who submits.

    Returns:
        `result`, `leaderboard` (its slug), `claim`, `values`, `left_out` (metrics that the leaderboard has no column for), `verdicts`,
        `replaced` (how many results of some of these runs alone it took the place of) and `new`: whether it was not there before.

    Raises:
        UserError: a folder is no finished run, runs do not belong together, or no such leaderboard, paper or claim.
    """
    runs = _read(folders)
    _check_together(runs)
    external_id = _identity(run.digest for run in runs)
    with store.reading() as connection:
        leaderboard = _leaderboard(connection, task, dataset, new=new)
        claim = _claim(connection, leaderboard, paper, claim_model)
        there, parts = _standing(connection, leaderboard, runs)
    same_claim = there is not None and (claim is None or there["claim_id"] == claim.id)
    if there is None or not same_claim or (protocol is not None and there["protocol"] != protocol):
        if there is not None and there["external_id"] != external_id:
            raise UserError(f"{runs[0].name} stands there with runs of other seeds, as one result: give all of them")
        with store.changing(actor, "submit run", ", ".join(run.name for run in runs)) as change:
            if leaderboard is None:
                leaderboard = _new_leaderboard(change, task, dataset)
            replaced = [there["id"]] if there else parts
            for part in replaced[1:]:
                change.retire_result(part)
            result = _add(
                change, runs, leaderboard, claim, external_id, supersedes=next(iter(replaced), None), protocol=protocol
            )
    else:
        result = there["id"]
    assert leaderboard is not None
    with store.reading() as connection:
        told = _told(connection, runs, leaderboard, result, claim)
    return told | {"new": there is None, "replaced": len(parts)}


def _read(folders: Sequence[Path]) -> list[Run]:
    runs, problems = [], []
    for folder in folders:
        try:
            runs.append(read_run(folder))
        except UserError as error:
            problems += error.problems
    if problems:
        raise UserError(problems)
    if not runs:
        raise UserError("no run was given: name the folder of one, or of several seeds")
    return runs


def _check_together(runs: Sequence[Run]) -> None:
    """That runs given together are the same but for their seed."""
    first, problems = runs[0], []
    seen: dict[int, str] = {}
    for run in runs:
        if run.network.seed in seen:
            problems.append(
                f"{run.name} and {seen[run.network.seed]} have the same seed, {run.network.seed}: give one of them"
            )
        seen[run.network.seed] = run.name
        for what in ("model", "split", "n", "classes"):
            mine, others = getattr(run.network, what), getattr(first.network, what)
            if mine != others:
                problems.append(f"{run.name} and {first.name} do not belong together: {what} is {mine} and {others}")
    if problems:
        raise UserError(problems)


# What is there already


def _leaderboard(connection: sqlite3.Connection, task: str, dataset: str, *, new: bool) -> int | None:
    row = connection.execute(
        "SELECT id FROM leaderboard WHERE task_id = ? AND dataset_id = ?",
        (meant(connection, "task", task), meant(connection, "dataset", dataset)),
    ).fetchone()
    if row or new:
        return int(row["id"]) if row else None
    hint = near_slugs(connection, "leaderboard", f"{task} on {dataset}")
    raise UserError(f"there is no leaderboard of {task!r} on {dataset!r}{hint}. --new makes one")


def _new_leaderboard(change: Change, task: str, dataset: str) -> int:
    """The leaderboard of a task and a dataset, of which either may be new."""
    return change.leaderboard(
        meant(change.connection, "task", task) or change.task(task),
        meant(change.connection, "dataset", dataset) or change.dataset(dataset),
    )


def _claim(connection: sqlite3.Connection, leaderboard: int | None, paper: str, model: str) -> Claim | None:
    if not paper and not model:
        return None
    claims = [] if leaderboard is None else _claims(connection, leaderboard)
    found = claims
    if paper:
        number = _paper(connection, paper)
        found = [claim for claim in found if claim.paper == number]
        if not found:
            raise UserError(f"--paper {paper}: it has no result on this leaderboard")
    if model:
        of_paper, found = found, [claim for claim in found if alike(claim.model, model)]
        if not found:
            names = sorted({claim.model for claim in of_paper})
            close = get_close_matches(model, names, n=5, cutoff=0.3) or names[:5]
            raise UserError(f"--claim {model}: there is no such model; there are {'; '.join(close) or 'none at all'}")
    if len(found) > 1:
        which = "; ".join(f"{claim.model} ({claim.paper_title or 'no paper'})" for claim in found[:10])
        raise UserError(f"{len(found)} claims fit, say which with --claim and --paper: {which}")
    return found[0]


def _claims(connection: sqlite3.Connection, leaderboard: int) -> list[Claim]:
    rows = connection.execute(
        "SELECT r.id, m.name, r.paper_id, r.paper FROM result_shown r JOIN model m ON m.id = r.model_id "
        "WHERE r.leaderboard_id = ? AND r.kind = 'claim' AND r.retired_by IS NULL ORDER BY r.position, r.id",
        (leaderboard,),
    )
    return [Claim(row["id"], row["name"], row["paper_id"], row["paper"] or "") for row in rows]


def _paper(connection: sqlite3.Connection, text: str) -> int:
    found = meant(connection, "paper", text)
    if found is None:
        raise UserError(f"--paper {text}: there is no such paper{near_slugs(connection, 'paper', text)}")
    return found


def _identity(digests: Iterable[str]) -> str:
    """What these very runs are known by, in whatever order."""
    return "run:" + hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()[:32]


def _standing(
    connection: sqlite3.Connection, leaderboard: int | None, runs: Sequence[Run]
) -> tuple[sqlite3.Row | None, list[int]]:
    """The result that all of these runs gave before, be it with others; else the results that some of them gave without the others."""
    digests, parts = {run.digest for run in runs}, list[int]()
    together, alone = _identity(digests), {_identity([digest]) for digest in digests}
    for row in connection.execute(
        "SELECT r.id, r.external_id, run.claim_id, run.environment, json_extract(run.environment, '$.protocol') AS protocol "
        "FROM result r JOIN run ON run.result_id = r.id WHERE r.leaderboard_id = ? AND r.retired_by IS NULL ORDER BY r.id",
        (leaderboard,),
    ):
        given = {one.get("digest") for one in json.loads(row["environment"]).get("runs", ())}
        if row["external_id"] == together or digests <= given:
            return row, []
        if row["external_id"] in alone or (given and given < digests):
            parts.append(int(row["id"]))
    return None, parts


# The result


def _add(
    change: Change,
    runs: Sequence[Run],
    leaderboard: int,
    claim: Claim | None,
    external_id: str,
    *,
    supersedes: int | None,
    protocol: Kind | None,
) -> int:
    first = runs[0]
    columns = _columns(change.connection, leaderboard, runs)
    measured = {column.name: measure(column, runs) for column in columns}
    started = max((str(run.environment.get("started", "")) for run in runs), default="")
    result = change.add_result(
        Result(
            leaderboard=leaderboard,
            model=claim.model if claim else first.network.model,
            values={name: one.raw for name, one in measured.items()},
            paper=claim.paper if claim else None,
            kind="run",
            evaluated_on=started[:10] or None,
            locator=", ".join(run.name for run in runs),
            external_id=external_id,
        ),
        supersedes=supersedes,
    )
    commits = dict.fromkeys(str(run.environment["git_commit"]) for run in runs if run.environment.get("git_commit"))
    change.insert(
        "run",
        result_id=result,
        claim_id=claim.id if claim else None,
        folder=", ".join(run.name for run in runs),
        command=shlex.join(map(str, first.environment.get("command", []))),
        git_commit=", ".join(commits),
        config=first.config,
        environment=json.dumps(
            _environment(runs, columns) | _measured(runs, protocol), ensure_ascii=False, sort_keys=True
        ),
        seeds=json.dumps([run.network.seed for run in runs if run.config]),
        images=first.network.n,
        intervals=json.dumps({name: one.interval for name, one in measured.items() if one.interval}),
    )
    return result


def _columns(connection: sqlite3.Connection, leaderboard: int, runs: Sequence[Run]) -> list[Column]:
    """The columns that these runs fill.

    Raises:
        UserError: there is none.
    """
    metrics = _metrics(runs)
    columns = columns_of(connection, leaderboard, metrics)
    if all(column.metric in COSTS for column in columns):
        row = connection.execute(
            "SELECT l.slug, group_concat(m.name, ', ') AS names FROM leaderboard l LEFT JOIN metric m ON m.leaderboard_id = l.id "
            "WHERE l.id = ?",
            (leaderboard,),
        ).fetchone()
        raise UserError(
            f"{row['slug']} has the columns {row['names'] or '(none yet)'}, of which the run has none; it has {', '.join(metrics)}"
        )
    return columns


def _metrics(runs: Sequence[Run]) -> list[str]:
    """What all of the runs have."""
    return [name for name in runs[0].network.metrics if all(name in run.network.metrics for run in runs)]


def measure(column: Column, runs: Sequence[Run]) -> Measured:
    """A metric of one run with its own interval; of several, their mean, and an interval for both the seeds and the images.

    The half widths of Student's interval over the seeds and of the runs' mean interval over the images are added as independent errors are.
    """
    values = [run.network.metrics[column.metric] for run in runs]
    mean = float(np.mean(values))
    intervals = [run.network.ci95[column.metric] for run in runs if column.metric in run.network.ci95]
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    if len(intervals) < len(runs):
        return Measured(column.text(mean, spread), None)
    below, above = (
        float(np.mean([abs(value - interval[end]) for value, interval in zip(values, intervals, strict=True)]))
        for end in (0, 1)
    )
    if spread is not None:
        over_seeds = float(stats.t.ppf(0.975, len(values) - 1)) * spread / math.sqrt(len(values))
        below, above = math.hypot(below, over_seeds), math.hypot(above, over_seeds)
    return Measured(column.text(mean, spread), column.interval(mean - below, mean + above))


def _environment(runs: Sequence[Run], columns: Sequence[Column]) -> dict[str, Any]:
    """Where the runs were made, and what a verdict needs to know of them."""
    kept = ("seed", "started", "python", "packages", "git_commit", "machine", "weights")
    baselines = [run.baseline.metrics for run in runs if run.baseline]
    return {
        "runs": [
            {"folder": run.name, "model": run.network.model, "network": run.network.name, "digest": run.digest}
            | {key: run.environment[key] for key in kept if key in run.environment}
            for run in runs
        ],
        "baseline": {
            column.name: column.number(float(np.mean([one[column.metric] for one in baselines])))
            for column in columns
            if len(baselines) == len(runs)
            and column.metric not in COSTS
            and all(column.metric in one for one in baselines)
        },
        "costs": [column.name for column in columns if column.metric in COSTS],
        "proxies": {
            column.name: runs[0].proxies[column.metric] for column in columns if column.metric in runs[0].proxies
        },
    }


def _measured(runs: Sequence[Run], protocol: Kind | None) -> dict[str, Any]:
    """What a verdict needs to know of how the runs were measured, as far as they or the operator say it."""
    found = {"classes": runs[0].network.classes, "protocol": protocol}
    return {name: value for name, value in found.items() if value is not None}


def _told(
    connection: sqlite3.Connection, runs: Sequence[Run], leaderboard: int, result: int, claim: Claim | None
) -> dict[str, Any]:
    slug = connection.execute("SELECT slug FROM leaderboard WHERE id = ?", (leaderboard,)).fetchone()["slug"]
    values = {
        row["name"]: row["raw"]
        for row in connection.execute(
            "SELECT m.name, v.raw FROM value v JOIN metric m ON m.id = v.metric_id WHERE v.result_id = ? ORDER BY m.position, m.id",
            (result,),
        )
    }
    taken = {column.metric for column in columns_of(connection, leaderboard, _metrics(runs))}
    verdicts = [row for row in verdicts_of_leaderboard(connection, leaderboard) if row["run_result_id"] == result]
    return {
        "result": result,
        "leaderboard": slug,
        "claim": {"model": claim.model, "paper": claim.paper_title} if claim else None,
        "values": values,
        "left_out": [metric for metric in _metrics(runs) if metric not in taken],
        "verdicts": verdicts,
    }
