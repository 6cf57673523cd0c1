"""Does a run bear out a claim? One word for each metric that both have, under a tolerance that is stated beside it."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from typing import Any, Literal

from noisystudent.board.catalogue.ranking import PERCENT, in_unit
from noisystudent.board.catalogue.values import Value
from noisystudent.board.queries.protocols import protocol_of

Verdict = Literal["reproduced", "exceeds", "partial", "not reproduced", "pending", "not comparable"]
Interval = tuple[float, float]

# The ten released Noisy Student networks, measured anew by timm, differ from their README by up to 0.15 points; another seed alone moves a
# training of ours by 0.2 to 0.6 (standard deviation, benchmarks/README.md).
POINTS = 0.5
SHARE_OF_REST = 0.1  # of what is left to perfection: half a point of an error of 1.4 % would be a third of it
RELATIVE = 0.02  # of numbers that are no percentages
WIDEST = 4  # tolerances; a wider interval contains what reproduces the claim and what does not
SEEDS_REQUIRED = 3  # of what comes out of a training; weights that were only measured, and costs, have no seed

_PERCENTAGE = re.compile(r"percent|accuracy|error rate|%", re.IGNORECASE)  # of columns without a unit


def verdict(
    claim: float,
    run: float | None,
    *,
    higher_is_better: bool,
    tolerance: float,
    interval: Interval | None = None,
    reference: float | None = None,
    proxy: bool = False,
    seeds: int = 1,
    seeds_required: int = 1,
) -> Verdict:
    """Set what was measured beside what was claimed.

    They are of one kind: what is not comparable (`protocols`) is not handed in here.

    - *pending*: there is no run, or it has fewer seeds than required.
    - *reproduced*: the run is within the tolerance; or better, by more than that but not with its whole interval.
    - *exceeds*: its whole interval is better by more than the tolerance.
    - *partial*, one of three: it is as good or better, but on other images than those of the claim; or its interval reaches into the
      tolerance, but is too wide or lies mostly outside, so that more images or seeds must tell; or it is worse by more than the
      tolerance, but its whole interval is better than the reference: the effect is there, its size is not.
    - *not reproduced*: else.

    Args:
        claim, run: two numbers of one metric, in one unit.
        tolerance: what may lie between them, in that unit.
        interval: the run's own, 95 %; None takes the number as exact.
        reference: what the claimed method must beat for its effect to be there: the run's own baseline.
        proxy: the run was measured on other images than the claim.
        seeds, seeds_required: how many the run has, and how many it takes.

    Example:
        >>> verdict(88.4, 88.2, higher_is_better=True, tolerance=0.5)
        'reproduced'
        >>> verdict(28.3, 31.0, higher_is_better=False, tolerance=0.5, interval=(30.6, 31.4), reference=42.5)
        'partial'
    """
    if run is None or seeds < seeds_required:
        return "pending"
    sign = 1.0 if higher_is_better else -1.0
    low, high = sorted(sign * (end - claim) for end in interval or (run, run))  # how much better than the claim
    gain = sign * (run - claim)
    slack = 1e-9 * max(1.0, abs(claim))  # 88.4 - 87.9 is a little more than 0.5
    least, most = -tolerance - slack, tolerance + slack
    if low > most:
        return "partial" if proxy else "exceeds"
    if gain >= least:
        told = high - low <= WIDEST * tolerance + slack
        return "reproduced" if told and not proxy else "partial"
    if high >= least or (reference is not None and low > sign * (reference - claim)):
        return "partial"
    return "not reproduced"


def tolerance_of(claim: Value, *, percentage: bool, higher_is_better: bool) -> tuple[float, str]:
    """The tolerance of a claim whose metric has none of its own, and why it is that.

    The claim's own spread, where that is larger; else half a point of a percentage, but at most a tenth of what is left to
    perfection; else 2 % of the number.

    Example:
        >>> tolerance_of(Value(88.4, "%"), percentage=True, higher_is_better=True)
        (0.5, 'half a point')
        >>> tolerance_of(Value(37.0), percentage=False, higher_is_better=False)
        (0.74, '2 % of the claim')
    """
    number = claim.number or 0.0
    if percentage:
        rest = max(0.0, 100.0 - number if higher_is_better else number)
        least = min(POINTS, round(SHARE_OF_REST * rest, 6))
        basis = "half a point" if least == POINTS else "a tenth of what is left to perfection"
    else:
        least, basis = round(RELATIVE * abs(number), 6), "2 % of the claim"
    if claim.spread is not None and claim.spread > least:
        return claim.spread, "the claim's own spread"
    return least, basis


def verdicts_of_leaderboard(connection: sqlite3.Connection, leaderboard_id: int) -> list[dict[str, Any]]:
    """A verdict for each metric that a run on a leaderboard has in common with the claim it stands beside.

    Returns:
        in the order of the claims and of the columns: `run_result_id`, `claim_result_id`, `metric`, `claim` and `run` (their raw texts),
        `interval`, `tolerance`, `basis`, `verdict`, `protocol` (`kind` and `basis`), `citation` (where the claim stands: `paper`,
        `address`, `locator`), `objections` (`reason`, `source_url`), `model`, `seeds`, `images`, `command`, `git_commit`,
        `leaderboard_slug`.
    """
    return _verdicts(connection, "r.leaderboard_id = ?", leaderboard_id)


def verdicts_of_paper(connection: sqlite3.Connection, paper_id: int) -> list[dict[str, Any]]:
    """The same for all claims of a paper."""
    return _verdicts(connection, "r.paper_id = ?", paper_id)


# Runs `r` that stand, and the claims beside them; one that was corrected since is followed to what took its place.
PAIRS = """WITH RECURSIVE pair (run_id, claim_id) AS (
  SELECT run.result_id, run.claim_id FROM run JOIN result r ON r.id = run.result_id
  WHERE r.kind = 'run' AND r.retired_by IS NULL AND run.claim_id IS NOT NULL AND {where}
  UNION
  SELECT pair.run_id, later.id FROM pair JOIN result later ON later.supersedes = pair.claim_id
)"""
_VERDICTS = f"""
{PAIRS}
SELECT r.id AS run_result_id, c.id AS claim_result_id, m.name AS metric, m.unit, m.higher_is_better, m.tolerance, m.tolerance_basis,
  cv.raw AS claim, cv.number AS claim_number, cv.unit AS claim_unit, cv.spread AS claim_spread,
  rv.raw AS run, rv.number AS run_number, rv.unit AS run_unit,
  model.name AS model, run.seeds, run.images, run.command, run.git_commit, run.config, run.intervals, run.environment,
  l.slug AS leaderboard_slug, l.dataset, c.paper AS claim_paper, c.locator,
  coalesce(nullif(c.source_url, ''), c.paper_address) AS claim_address
FROM pair
JOIN result r ON r.id = pair.run_id
JOIN result_shown c ON c.id = pair.claim_id AND c.retired_by IS NULL AND c.leaderboard_id = r.leaderboard_id
JOIN value rv ON rv.result_id = r.id
JOIN value cv ON cv.result_id = c.id AND cv.metric_id = rv.metric_id
JOIN metric m ON m.id = rv.metric_id
JOIN run ON run.result_id = r.id
JOIN model ON model.id = c.model_id
JOIN leaderboard_shown l ON l.id = r.leaderboard_id
ORDER BY l.slug, c.position, c.id, r.id, m.position, m.id
"""


def _verdicts(connection: sqlite3.Connection, where: str, key: int) -> list[dict[str, Any]]:
    rows = connection.execute(_VERDICTS.format(where=where), (key,)).fetchall()
    against = objections_to(connection, [row["run_result_id"] for row in rows])
    return [_row(row) | {"objections": against.get(row["run_result_id"], [])} for row in rows]


def objections_to(connection: sqlite3.Connection, runs: Sequence[int]) -> dict[int, list[dict[str, str]]]:
    """What curators let stand against some runs: of each that has any, `reason` and `source_url`."""
    found: dict[int, list[dict[str, str]]] = {}
    rows = connection.execute(
        "SELECT * FROM objection WHERE result_id IN (SELECT value FROM json_each(?)) ORDER BY result_id, position",
        (json.dumps(list(runs)),),
    )
    for row in rows:
        found.setdefault(row["result_id"], []).append({"reason": row["reason"], "source_url": row["source_url"]})
    return found


def _row(row: sqlite3.Row) -> dict[str, Any]:
    seeds: Sequence[int] = json.loads(row["seeds"])
    interval = json.loads(row["intervals"]).get(row["metric"])
    about = json.loads(row["environment"])
    is_cost = row["metric"] in about.get("costs", ())
    protocol = protocol_of(
        row["dataset"],
        images=row["images"],
        classes=about.get("classes"),
        said=about.get("protocol"),
        is_cost=is_cost,
    )
    found = {
        **{key: row[key] for key in ("run_result_id", "claim_result_id", "metric", "claim", "run")},
        "interval": interval,
        **{key: row[key] for key in ("model", "images", "command", "git_commit", "leaderboard_slug")},
        "seeds": list(seeds),
        "protocol": protocol._asdict(),
        "citation": {"paper": row["claim_paper"], "address": row["claim_address"], "locator": row["locator"]},
    }
    if protocol.kind is None:
        return found | {"tolerance": None, "basis": protocol.basis, "verdict": "not comparable"}
    claim = Value(row["claim_number"], row["claim_unit"], row["claim_spread"])
    run = Value(row["run_number"], row["run_unit"])
    if row["higher_is_better"] is None:
        return found | {"tolerance": None, "basis": "nobody has said which direction is better", "verdict": "pending"}
    claimed, measured = in_unit(claim, row["unit"]), in_unit(run, row["unit"])
    if claimed is None or measured is None:
        return found | {"tolerance": None, "basis": "the units differ", "verdict": "pending"}
    better = bool(row["higher_is_better"])
    tolerance, basis = row["tolerance"], row["tolerance_basis"]
    if tolerance is None:
        percentage = row["unit"] == PERCENT or (bool(_PERCENTAGE.search(row["metric"])) and 1 < claimed <= 100)
        tolerance, basis = tolerance_of(claim._replace(number=claimed), percentage=percentage, higher_is_better=better)
    proxy = about.get("proxies", {}).get(row["metric"]) or (None if protocol.kind == "exact" else protocol.basis)
    if proxy is not None and protocol.kind == "exact":
        found["protocol"] = {"kind": "proxy", "basis": proxy}
    said = verdict(
        claimed,
        measured,
        higher_is_better=better,
        tolerance=tolerance,
        interval=tuple(interval) if interval else None,
        reference=about.get("baseline", {}).get(row["metric"]),
        proxy=proxy is not None,
        seeds=len(seeds),
        seeds_required=SEEDS_REQUIRED if row["config"] and not is_cost else 0,
    )
    return found | {"tolerance": tolerance, "basis": f"{basis}; {proxy}" if proxy else basis, "verdict": said}
