"""What a run says of a metric over its seeds: the one rule by which the files that are exported and the API tell it.

`board submit` makes one result of runs that differ in their seed: the value is their mean, its spread the standard deviation over them.
"""

from __future__ import annotations

import json
import sqlite3
from typing import NamedTuple


class OverSeeds(NamedTuple):
    """A metric of a run, in the unit of its value.

    Args:
        trainings: how many it is the mean of; of released weights that were only measured, measurements.
        deviation: the standard deviation over them; None of one, and where they do not differ in the digits that are shown.
        interval: 95 %, over seeds and images; None where there is none.
    """

    mean: float
    trainings: int
    deviation: float | None
    interval: tuple[float, float] | None


def over_seeds(run: sqlite3.Row, value: sqlite3.Row) -> OverSeeds | None:
    """What a run says of a metric; None where that is no number.

    Args:
        run: columns `seeds`, `environment` and `intervals` of the table.
        value: `name` of the metric, `number` and `spread`.
    """
    if value["number"] is None:
        return None
    interval = json.loads(run["intervals"] or "{}").get(value["name"])
    alike = json.loads(run["environment"] or "{}").get("runs") or json.loads(run["seeds"] or "[]")
    trainings = max(1, len(alike))
    deviation = value["spread"] if trainings > 1 else None
    return OverSeeds(value["number"], trainings, deviation, (interval[0], interval[1]) if interval else None)
