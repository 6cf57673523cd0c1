"""The claims of a leaderboard as arrays: what its charts and its records are made of, be they 10^5."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Places = NDArray[np.intp]

NO_PLACES: Places = np.empty(0, np.intp)


@dataclass(frozen=True)
class Points:
    """Claims whose values can be compared, in arrays of shape (n,); of equal ones, the lower number of a result comes first.

    Args:
        results: numbers of the results, int64.
        values: float64, to 15 digits.
        days: datetime64[D], NaT for a result that has none.
        costs: of each kind of cost, float64, 0 for a model of which it is not known.
    """

    results: NDArray[np.int64]
    values: Numbers
    days: NDArray[np.datetime64]
    costs: Mapping[str, Numbers]

    def __len__(self) -> int:
        return len(self.results)

    def at(self, places: Places | NDArray[np.bool_]) -> Points:
        """Those at some places, or where an array of bool is true."""
        costs = {kind: of_kind[places] for kind, of_kind in self.costs.items()}
        return Points(self.results[places], self.values[places], self.days[places], costs)

    def until(self, today: str) -> Points:
        """Those with a day, up to this one, by day and number of the result."""
        past = self.at(self.days <= np.datetime64(today))
        return past.at(np.argsort(past.days, kind="stable"))

    def records(self, *, higher_is_better: bool) -> Places:
        """Places of those that were better than all before them, by day; of a day, the best one alone."""
        return _better_than_all_before(self.days, self, higher_is_better=higher_is_better)

    def pareto_front(self, kind: str, *, higher_is_better: bool) -> Places:
        """Places of those that none beats at the same cost or a lower one, from the cheapest on.

        Example:
            >>> none = np.array(["NaT"] * 3, "datetime64[D]")
            >>> points = Points(np.arange(3), np.array([70.0, 80.0, 75.0]), none, {"parameters": np.array([1e6, 2e6, 3e6])})
            >>> points.pareto_front("parameters", higher_is_better=True).tolist()
            [0, 1]
        """
        return _better_than_all_before(self.costs[kind], self, higher_is_better=higher_is_better)


def _better_than_all_before(
    along: NDArray[np.datetime64] | Numbers, points: Points, *, higher_is_better: bool
) -> Places:
    good = points.values if higher_is_better else -points.values
    order = np.lexsort((-good, along))  # of what is equal along the axis, the best comes first
    good = good[order]
    best_before = np.concatenate([[-np.inf], np.maximum.accumulate(good)[:-1]])
    return order[good > best_before]
