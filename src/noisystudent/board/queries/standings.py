"""The standings of a leaderboard: its claims by one metric, now or as of an event, filtered and ranked; the records; the Pareto front."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from noisystudent.board.catalogue.ranking import column_unit, comparable, ranks
from noisystudent.board.catalogue.values import Value

PARAMETERS, MULTIPLY_ADDS = "parameters", "multiply_adds"  # columns of a model
LEAST, MOST = 1e3, 1e18  # fewer is a count of millions of which nobody wrote so, more a slip of the pen
CLAIMS = """
SELECT r.id, r.position, r.extra_data, r.source_url, r.locator, r.code_links, r.model_links, r.tags, r.day,
  r.paper_id, r.paper, r.paper_slug, r.paper_url, m.name AS model, m.parameters, m.multiply_adds, m.weights_url,
  v.raw, v.number, v.unit, v.spread
FROM result_shown r JOIN model m ON m.id = r.model_id LEFT JOIN value v ON v.result_id = r.id AND v.metric_id = :metric
WHERE r.leaderboard_id = :leaderboard AND r.kind = 'claim' AND r.added_by <= :event AND (r.retired_by IS NULL OR r.retired_by > :event)
ORDER BY r.position, r.id
"""
# With max(), the other columns are those of the row that has it: the official code comes first, then what has most stars.
CODE = """
SELECT pr.paper_id, count(*) AS number, rp.url, rp.owner, rp.name, max(pr.is_official * 1000000000 + coalesce(rp.stars, 0)) AS best
FROM paper_repository pr JOIN repository rp ON rp.id = pr.repository_id
WHERE pr.paper_id IN (SELECT paper_id FROM result WHERE leaderboard_id = ?) GROUP BY pr.paper_id
"""


@dataclass(slots=True)
class Claim:
    """What a paper says about one model, with its value of the chosen metric.

    Args:
        row: the columns of `CLAIMS`.
        value: what was read from the value's text.
        day: of the result, None where it has none that is a day.
        code: the paper's best repository and how many it has, where the row names none itself.
        comparable: whether the value can stand in one ranking with the others of its metric.
        rank: from 1, among those that were ranked together; None where it has none.
    """

    row: sqlite3.Row
    value: Value
    day: date | None
    code: sqlite3.Row | None
    comparable: bool = False
    rank: int | None = None

    def cost(self, kind: str) -> float | None:
        """The model's `PARAMETERS` or `MULTIPLY_ADDS`; None where they are not known, or cannot be meant."""
        count: float | None = self.row[kind]
        return count if count is not None and LEAST <= count <= MOST else None

    @property
    def has_code(self) -> bool:
        return self.code is not None or self.row["code_links"] != "[]"


@dataclass(frozen=True)
class Filters:
    """Which claims to show; what is None or empty leaves all of them in."""

    extra_data: bool | None = None
    has_code: bool = False
    parameters_at_most: float | None = None
    year_from: int | None = None
    year_to: int | None = None
    tag: str = ""

    def match(self, claim: Claim) -> bool:
        """Whether a claim stays. Of one about which the catalogue does not say it, nothing is assumed: it goes."""
        year = claim.day.year if claim.day else None
        return (
            (self.extra_data is None or claim.row["extra_data"] == int(self.extra_data))
            and (not self.has_code or claim.has_code)
            and (self.parameters_at_most is None or (claim.cost(PARAMETERS) or math.inf) <= self.parameters_at_most)
            and (self.year_from is None or (year is not None and year >= self.year_from))
            and (self.year_to is None or (year is not None and year <= self.year_to))
            and (not self.tag or self.tag in json.loads(claim.row["tags"]))
        )


def claims(connection: sqlite3.Connection, leaderboard: int, metric: int | None, event: int) -> list[Claim]:
    """All claims that stood on a leaderboard after an event, in the order of their source; not ranked yet.

    Args:
        metric: the one whose values to read; None where the leaderboard has none.
    """
    parameters = {"leaderboard": leaderboard, "metric": metric, "event": event}
    rows = connection.execute(CLAIMS, parameters).fetchall()
    codes = {row["paper_id"]: row for row in connection.execute(CODE, (leaderboard,))}
    found = [
        Claim(
            row,
            Value(row["number"], row["unit"] or "", row["spread"]),
            day_of(row["day"]),
            codes.get(row["paper_id"]),
        )
        for row in rows
    ]
    unit = column_unit(claim.value for claim in found)
    for claim in found:
        claim.comparable = comparable(claim.value, unit)
    return found


def standings(found: Iterable[Claim], *, higher_is_better: bool | None) -> list[Claim]:
    """Rank claims among each other and put them in order: equal ones by date with the undated last, then those without a rank."""
    found = list(found)
    places = ranks(
        {claim.row["id"]: claim.value for claim in found if claim.comparable}, higher_is_better=higher_is_better
    )
    for claim in found:
        claim.rank = places.get(claim.row["id"])
    return sorted(found, key=_order)


def records(found: Iterable[Claim], *, higher_is_better: bool, today: date) -> list[Claim]:
    """The claims that were better than all before them, by date; of equal ones the first. What lies after today is left out."""
    dated = [claim for claim in found if claim.comparable and claim.day is not None and claim.day <= today]
    better = 1 if higher_is_better else -1
    best: list[Claim] = []
    for claim in sorted(dated, key=lambda claim: (claim.day, -better * (claim.value.number or 0), claim.row["id"])):
        if not best or better * (claim.value.number or 0) > better * (best[-1].value.number or 0):
            best.append(claim)
    return best


def pareto_front(points: Sequence[tuple[float, float]], *, higher_is_better: bool) -> list[int]:
    """Which points (cost, value) no other beats: places in the list, from the cheapest on.

    Example:
        >>> pareto_front([(1.0, 70.0), (2.0, 80.0), (3.0, 75.0)], higher_is_better=True)
        [0, 1]
    """
    better = 1 if higher_is_better else -1
    front: list[int] = []
    for place in sorted(range(len(points)), key=lambda place: (points[place][0], -better * points[place][1])):
        if not front or better * points[place][1] > better * points[front[-1]][1]:
            front.append(place)
    return front


def values_of(connection: sqlite3.Connection, results: Sequence[int]) -> dict[int, dict[str, str]]:
    """Of each of some results, the text of its values by the metric's name."""
    found: dict[int, dict[str, str]] = {result: {} for result in results}
    rows = connection.execute(
        "SELECT v.result_id, m.name, v.raw FROM value v JOIN metric m ON m.id = v.metric_id "
        "WHERE v.result_id IN (SELECT value FROM json_each(?)) ORDER BY m.position, m.id",
        (json.dumps(list(results)),),
    )
    for row in rows:
        found[row["result_id"]][row["name"]] = row["raw"]
    return found


def day_of(text: str | None) -> date | None:
    """The day that a date of the catalogue names, if it names one.

    Example:
        >>> day_of("2019-11-11"), day_of("2019"), day_of(None)
        (datetime.date(2019, 11, 11), None, None)
    """
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None


def _order(claim: Claim) -> tuple[bool, int, date, int, int]:
    when = (claim.day or date.max) if claim.rank else date.min
    return (claim.rank is None, claim.rank or 0, when, claim.row["position"], claim.row["id"])
