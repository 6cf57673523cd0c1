"""The standings of a leaderboard: its claims by one metric, now or as of an event, filtered and ranked.

A leaderboard may have 10^5 claims. All of them are counted, or read as arrays; only those that are shown are read whole.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from noisystudent.board.catalogue.history import last_event
from noisystudent.board.catalogue.ranking import RANKING_FIRST, comparable_in_sql, in_unit, number_in_sql, unit_of
from noisystudent.board.catalogue.values import Value
from noisystudent.board.queries.points import Points

PARAMETERS, MULTIPLY_ADDS = "parameters", "multiply_adds"  # columns of a model
LEAST, MOST = 1e3, 1e18  # fewer is a count of millions of which nobody wrote so, more a slip of the pen
COST = {
    kind: f"CASE WHEN m.{kind} BETWEEN {LEAST} AND {MOST} THEN m.{kind} END" for kind in (PARAMETERS, MULTIPLY_ADDS)
}
HAS_CODE = "(r.code_links <> '[]' OR EXISTS (SELECT 1 FROM paper_repository c WHERE c.paper_id = r.paper_id))"
VERIFIED = "r.verified_by <> ''"  # by an author of its paper
COMPARABLE = comparable_in_sql(":unit")
CAN_RANK = f"AND v.metric_id = :metric AND {COMPARABLE}"
BY_METRIC = "value v INDEXED BY value_of_metric CROSS JOIN result r ON r.id = v.result_id"
STOOD = (
    "r.leaderboard_id = :leaderboard AND r.kind = 'claim' AND r.added_by <= :event "
    "AND (r.retired_by IS NULL OR r.retired_by > :event)"
)
OF_RESULT = "v.result_id = r.id AND v.metric_id = :metric"
OF_GIVEN = "IN (SELECT value FROM json_each(:given))"  # numbers, as a JSON list
CLAIMS = f"""
SELECT r.id, r.extra_data, r.source_url, r.locator, r.code_links, r.model_links, r.tags, r.on_day, r.paper_id, r.paper, r.paper_slug,
  r.paper_url, r.verified_by, r.verified_where, m.name AS model, {COST[PARAMETERS]} AS parameters,
  {COST[MULTIPLY_ADDS]} AS multiply_adds, m.weights_url, v.raw, v.number, v.unit
FROM result_shown r JOIN model m ON m.id = r.model_id LEFT JOIN value v ON {OF_RESULT} WHERE r.id {OF_GIVEN}
"""
# With max(), the other columns are those of the row that has it: the official code comes first, then what has most stars.
CODE = f"""
SELECT pr.paper_id, count(*) AS number, rp.url, rp.owner, rp.name, max(pr.is_official * 1000000000 + coalesce(rp.stars, 0)) AS best
FROM paper_repository pr JOIN repository rp ON rp.id = pr.repository_id WHERE pr.paper_id {OF_GIVEN} GROUP BY pr.paper_id
"""


class Counts(NamedTuple):
    """Of claims: how many they are, have a day, have one until today; all tags that they have; whether an author verified any."""

    total: int
    dated: int
    past: int
    tags: set[str]
    verified: bool


@dataclass(slots=True)
class Claim:
    """What a paper says about one model, with its value of the chosen metric.

    Args:
        row: the columns of `CLAIMS`.
        day: of the result, None where it has none.
        code: the paper's best repository and how many it has.
        number: the value in the unit of the metric's column; None where it cannot stand in one ranking with the others.
        rank: from 1, among those that were ranked together; None where it has none.
    """

    row: sqlite3.Row
    day: date | None
    code: sqlite3.Row | None
    number: float | None
    rank: int | None = None

    @property
    def comparable(self) -> bool:
        """Whether the value can stand in one ranking with the others of its metric."""
        return self.number is not None

    def cost(self, kind: str) -> float | None:
        """The model's `PARAMETERS` or `MULTIPLY_ADDS`; None where they are not known, or cannot be meant."""
        count: float | None = self.row[kind]
        return count


@dataclass(frozen=True)
class Filters:
    """Which claims to show; what is None or empty leaves all of them in."""

    extra_data: bool | None = None
    has_code: bool = False
    parameters_at_most: float | None = None
    year_from: int | None = None
    year_to: int | None = None
    tag: str = ""
    verified: bool = False

    def where(self) -> tuple[str, dict[str, Any]]:
        """The condition in SQL on a result `r`, with its parameters. What the catalogue does not say of a claim is not assumed: it goes."""
        conditions, parameters = ["1"], dict[str, Any]()
        if self.extra_data is not None:
            conditions.append("r.extra_data = :extra_data")
            parameters["extra_data"] = int(self.extra_data)
        if self.has_code:
            conditions.append(HAS_CODE)
        if self.parameters_at_most is not None:
            of_model = f"SELECT 1 FROM model m WHERE m.id = r.model_id AND {COST[PARAMETERS]} <= :parameters_at_most"
            conditions.append(f"EXISTS ({of_model})")
            parameters["parameters_at_most"] = self.parameters_at_most
        if self.year_from is not None:
            conditions.append("r.on_day >= :first_day")
            parameters["first_day"] = f"{self.year_from:04}-01-01"
        if self.year_to is not None:
            conditions.append("r.on_day <= :last_day")
            parameters["last_day"] = f"{self.year_to:04}-12-31"
        if self.tag:
            conditions.append("EXISTS (SELECT 1 FROM json_each(r.tags) WHERE value = :tag)")
            parameters["tag"] = self.tag
        if self.verified:
            conditions.append(VERIFIED)
        return " AND ".join(conditions), parameters


@dataclass(frozen=True)
class Standings:
    """The claims that stood on a leaderboard after an event and pass the filters. `standings` makes them.

    Args:
        connection: to the catalogue.
        leaderboard: its number.
        metric: number of the one to rank by; None where the leaderboard has none.
        unit: in which the metric's values are compared.
        higher_is_better: None where it is not known; then nothing is ranked.
        event: the last one that counts.
        filters: which claims are left.
    """

    connection: sqlite3.Connection
    leaderboard: int
    metric: int | None
    unit: str
    higher_is_better: bool | None
    event: int
    filters: Filters = Filters()

    def only(self, filters: Filters) -> Standings:
        """Those of them that pass these filters, ranked among each other."""
        return replace(self, filters=filters)

    def counts(self, today: str) -> Counts:
        """How many they are, which tags they have and whether an author verified any, in one walk of an index."""
        dated, past = "count(r.on_day)", "count(CASE WHEN r.on_day <= :today THEN 1 END)"
        columns = f"count(*), {dated}, {past}, json_group_array(DISTINCT r.tags), max({VERIFIED})"
        total, with_day, until_today, tags, verified = self._select(columns, "result r", today=today).fetchone()
        return Counts(
            total, with_day, until_today, {tag for text in json.loads(tags) for tag in json.loads(text)}, bool(verified)
        )

    def knows(self, kind: str) -> bool:
        """Whether that cost of any model is known."""
        models = "result r CROSS JOIN model m ON m.id = r.model_id"
        return self._select("1", models, f"AND {COST[kind]} IS NOT NULL LIMIT 1").fetchone() is not None

    def part(self, offset: int, most: int) -> list[Claim]:
        """Some of them in order, with their ranks: best first, equal ones by date with the undated last, then those without a rank.

        Args:
            offset: how many come before.
            most: how many at most.
        """
        ids, ranked = self._order(offset, most)
        found = self.claims(ids)
        place = self._rank_of(found[0]) if ranked else 0
        for index, claim in enumerate(found[:ranked]):
            if index and claim.number != found[index - 1].number:
                place = offset + index + 1
            claim.rank = place
        return found

    def place_of(self, result: int) -> int | None:
        """How many of them come before a result; None where it is none of them."""
        ids, _ = self._order(0, -1)  # SQLite's word for all
        return ids.index(result) if result in ids else None

    def _order(self, offset: int, most: int) -> tuple[list[int], int]:
        """Numbers of results in order, and how many of these can be ranked."""
        ranked, behind, rest = list[int](), offset, ""
        if self.higher_is_better is not None:
            best = "DESC" if self.higher_is_better else "ASC"
            order = f"{number_in_sql(self.unit)} {best}, r.on_day IS NULL, r.on_day, r.position, r.id"
            ranked = self._ids(BY_METRIC, f"{CAN_RANK} ORDER BY {order}", most, offset)
            rest = f"AND NOT {COMPARABLE} "
            if offset and not ranked:
                behind -= self._select("count(*)", BY_METRIC, CAN_RANK).fetchone()[0]
            else:
                behind = 0
        unranked = list[int]()
        if most < 0 or len(ranked) < most:
            results = f"result r LEFT JOIN value v ON {OF_RESULT}"
            left = most if most < 0 else most - len(ranked)
            unranked = self._ids(results, f"{rest}ORDER BY r.position, r.id", left, behind)
        return [*ranked, *unranked], len(ranked)

    def _rank_of(self, claim: Claim) -> int:
        """The rank of one that has one: how many are better, and one."""
        number, sign = number_in_sql(self.unit), ">" if self.higher_is_better else "<"
        its = f"(SELECT {number} FROM value v WHERE v.result_id = :result AND v.metric_id = :metric)"
        better = f"{CAN_RANK} AND {number} {sign} {its}"
        return int(self._select("count(*)", BY_METRIC, better, result=claim.row["id"]).fetchone()[0]) + 1

    def points(self) -> Points:
        """Those of them that can be compared, to be drawn: one walk along the metric's values, in the order of the results."""
        values = f"value v INDEXED BY value_of_metric_and_result CROSS JOIN result r ON {OF_RESULT}"
        columns = ("r.id", number_in_sql(self.unit), "r.on_day", *(f"coalesce({cost}, 0)" for cost in COST.values()))
        lists = ", ".join(f"json_group_array({column})" for column in columns)  # in one row: 10^5 take longer
        tables = f"{values} CROSS JOIN model m ON m.id = r.model_id"
        found = self._select(lists, tables, CAN_RANK).fetchone()
        results, numbers, days, *costs = map(json.loads, found)
        return Points(
            np.array(results, np.int64),
            np.array(numbers, np.float64),
            np.array(days, "datetime64[D]"),
            {kind: np.array(of_kind, np.float64) for kind, of_kind in zip(COST, costs, strict=True)},
        )

    def claims(self, results: Sequence[int]) -> list[Claim]:
        """Results of the leaderboard as claims, in the order in which their numbers are given; not ranked."""
        given = json.dumps(list(results))
        rows = {row["id"]: row for row in self.connection.execute(CLAIMS, {"metric": self.metric, "given": given})}
        papers = json.dumps([row["paper_id"] for row in rows.values() if row["paper_id"]])
        codes = {row["paper_id"]: row for row in self.connection.execute(CODE, {"given": papers})}
        return [self._claim(rows[number], codes) for number in results]

    def _claim(self, row: sqlite3.Row, codes: dict[int, sqlite3.Row]) -> Claim:
        day = date.fromisoformat(row["on_day"]) if row["on_day"] else None
        return Claim(row, day, codes.get(row["paper_id"]), in_unit(_value(row), self.unit))

    def _ids(self, tables: str, more: str, most: int, offset: int) -> list[int]:
        rows = self._select("r.id", tables, f"{more} LIMIT :most OFFSET :offset", most=most, offset=offset)
        return [number for (number,) in rows]

    def _select(self, columns: str, tables: str, more: str = "", **parameters: Any) -> sqlite3.Cursor:
        """Columns of all of them, as plain tuples: 10^5 rows with names would take twice as long."""
        where, chosen = self.filters.where()
        about = {"leaderboard": self.leaderboard, "metric": self.metric, "unit": self.unit, "event": self.event}
        cursor = self.connection.cursor()
        cursor.row_factory = None
        sql = f"SELECT {columns} FROM {tables} WHERE {STOOD} AND {where} {more}"
        return cursor.execute(sql, {**about, **chosen, **parameters})


def standings(connection: sqlite3.Connection, leaderboard: int, metric: sqlite3.Row | None, event: int) -> Standings:
    """All claims that stood on a leaderboard after an event, by a metric of it; None where it has none."""
    if metric is None:
        return Standings(connection, leaderboard, None, "", None, event)
    better = None if metric["higher_is_better"] is None else bool(metric["higher_is_better"])
    now = Standings(connection, leaderboard, metric["id"], metric["unit"], better, event)
    return now if event == last_event(connection) else replace(now, unit=_unit_then(now))


def _unit_then(past: Standings) -> str:
    """The unit of the column as it was: the catalogue keeps today's only."""
    values = (
        "SELECT v.unit, v.number, row_number() OVER (ORDER BY r.position, r.id) AS place "
        f"FROM result r CROSS JOIN value v ON {OF_RESULT} WHERE {STOOD} AND v.number IS NOT NULL"
    )
    rows = past.connection.execute(
        f"SELECT unit, count(*) AS number, max(number) AS highest FROM ({values}) GROUP BY unit ORDER BY min(place)",
        {"leaderboard": past.leaderboard, "metric": past.metric, "event": past.event},
    ).fetchall()
    plain_above_1 = any(row["highest"] > 1 for row in rows if not row["unit"])
    return unit_of(Counter({row["unit"]: row["number"] for row in rows}), plain_above_1=plain_above_1)


def values_of(connection: sqlite3.Connection, results: Sequence[int]) -> dict[int, dict[str, str]]:
    """Of each of some results, the text of its values by the metric's name; first that of the metric that ranks the leaderboard."""
    found: dict[int, dict[str, str]] = {result: {} for result in results}
    rows = connection.execute(
        "SELECT v.result_id, m.name, v.raw FROM value v JOIN metric m ON m.id = v.metric_id "
        f"JOIN leaderboard l ON l.id = m.leaderboard_id WHERE v.result_id {OF_GIVEN} ORDER BY {RANKING_FIRST}",
        {"given": json.dumps(list(results))},
    )
    for row in rows:
        found[row["result_id"]][row["name"]] = row["raw"]
    return found


def _value(row: sqlite3.Row) -> Value:
    return Value(row["number"], row["unit"] or "")
