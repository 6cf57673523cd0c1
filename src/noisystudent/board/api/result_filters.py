"""Narrowing the results of an evaluation table: by metrics, training data and code."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Query

from noisystudent.board.api.evaluation_models import AppliedFilters
from noisystudent.board.api.pages import Selection
from noisystudent.board.catalogue.names import metric_meant
from noisystudent.board.catalogue.ranking import comparable_in_sql, in_unit, number_in_sql
from noisystudent.board.catalogue.values import SCALES, parse_value
from noisystudent.board.queries.leaderboards import metrics_of
from noisystudent.board.queries.standings import HAS_CODE, VERIFIED
from noisystudent.board.web.reading import Reading

MOST = 20  # filters of a kind
_AGAIN = "Can be given several times."
_BOUND = "As `METRIC=NUMBER`, in the metric's unit. "
_Several = Annotated[tuple[str, ...], Query(max_length=MOST)]


class Filters:
    """What a reader asks of the results."""

    def __init__(
        self,
        require: Annotated[_Several, Query(description="Only rows that have a value of this metric. " + _AGAIN)] = (),
        least: Annotated[_Several, Query(alias="min", description=_BOUND + _AGAIN)] = (),
        most: Annotated[_Several, Query(alias="max", description=_BOUND + _AGAIN)] = (),
        uses_additional_data: Annotated[bool | None, Query(description="Trained with other data, or not so.")] = None,
        has_code: Annotated[bool | None, Query(description="With code, of its own or its paper's.")] = None,
        verified: Annotated[bool | None, Query(description="Verified by an author of its paper, or not.")] = None,
        sort: Annotated[str | None, Query(description="By the ranks of this metric instead of the first one.")] = None,
    ) -> None:
        self.require, self.least, self.most = require, least, most
        self.uses_additional_data, self.has_code, self.verified = uses_additional_data, has_code, verified
        self.sort = sort

    def selection(self, reading: Reading, leaderboard: int) -> tuple[Selection, AppliedFilters]:
        """The rows of a leaderboard that pass, the best first.

        Raises:
            HTTPException: 422, the table has no such metric, or a bound is no number.
        """
        metrics = _Metrics(reading, leaderboard)
        conditions = ["r.leaderboard_id = :leaderboard", "r.retired_by IS NULL"]
        parameters: dict[str, Any] = {"leaderboard": leaderboard, "sort": metrics.sorting(self.sort)}
        least, most = metrics.bounds("min", self.least), metrics.bounds("max", self.most)
        for name in self.require:
            _value(conditions, parameters, metrics.number("require", name))
        for comparison, bounds in ((">=", least), ("<=", most)):
            for name, number in bounds.items():
                _value(conditions, parameters, metrics.number("min", name), comparison, number, metrics.unit(name))
        if self.uses_additional_data is not None:
            conditions.append(f"coalesce(r.extra_data, 0) = {int(self.uses_additional_data)}")
        if self.has_code is not None:
            conditions.append(HAS_CODE if self.has_code else f"NOT {HAS_CODE}")
        if self.verified is not None:
            conditions.append(VERIFIED if self.verified else f"NOT {VERIFIED}")
        rows = "result r LEFT JOIN value s ON s.result_id = r.id AND s.metric_id = :sort WHERE "
        order = "s.rank IS NULL, s.rank, r.position, r.id"
        applied = AppliedFilters(
            require=list(self.require),
            min=least,
            max=most,
            uses_additional_data=self.uses_additional_data,
            has_code=self.has_code,
            verified=self.verified,
            sort=self.sort,
        )
        return Selection(rows + " AND ".join(conditions), order, parameters, "r.id"), applied


Filtered = Annotated[Filters, Depends(Filters)]


class _Metrics:
    """A table's metrics by name, as filters name them."""

    def __init__(self, reading: Reading, leaderboard: int) -> None:
        self.metrics = metrics_of(reading.connection, leaderboard)

    def number(self, filter_name: str, name: str) -> int:
        metric = metric_meant(self.metrics, name)
        if metric is None:
            has = ", ".join(repr(known["name"]) for known in self.metrics) or "none"
            raise HTTPException(422, f"{filter_name}: this table has no metric {name[:100]!r}; it has {has}")
        return int(metric["id"])

    def unit(self, name: str) -> str:
        metric = metric_meant(self.metrics, name)
        return str(metric["unit"]) if metric else ""

    def sorting(self, name: str | None) -> int | None:
        if name is None:
            return self.metrics[0]["id"] if self.metrics else None
        return self.number("sort", name)

    def bounds(self, filter_name: str, texts: Sequence[str]) -> dict[str, float]:
        found: dict[str, float] = {}
        for text in texts:
            name, sign, bound = text.rpartition("=")
            self.number(filter_name, name if sign else text)
            value, unit = parse_value(bound), self.unit(name if sign else text)
            number = in_unit(value, unit) if value.unit in SCALES else value.number
            if not sign or number is None or not math.isfinite(number):
                raise HTTPException(422, f"{filter_name}: {text[:100]!r} is not METRIC=NUMBER")
            found[name] = number
        return found


def _value(
    conditions: list[str],
    parameters: dict[str, Any],
    metric: int,
    comparison: str = "",
    number: float = 0.0,
    unit: str = "",
) -> None:
    """Add that a row has a value of a metric, or one within a bound, as far as it can be compared (`ranking.comparable`)."""
    place = len(conditions)
    parameters[f"metric{place}"] = metric
    bound = ""
    if comparison:
        parameters[f"number{place}"] = number
        bound = f" AND {number_in_sql(unit)} {comparison} :number{place} AND {comparable_in_sql('m.unit')}"
    conditions.append(
        "EXISTS (SELECT 1 FROM value v JOIN metric m ON m.id = v.metric_id "
        f"WHERE v.result_id = r.id AND v.metric_id = :metric{place}{bound})"
    )
