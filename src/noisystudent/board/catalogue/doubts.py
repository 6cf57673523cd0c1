"""Values that cannot be, or hardly: said at the door, before an approval, and by `check`."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from noisystudent.board.catalogue.directions import SHARES, says_any_of
from noisystudent.board.catalogue.values import Value, legible

LEAST_OTHERS = 3  # values that a column must have for one to be odd among them
LEAST_PERCENT = 20.0  # of a column's median, from which on 0.9 is a fraction: of errors around 1 %, 0.9 is one of them
_COUNTS = "r.kind = 'claim' AND v.unit IN ('', '%')"  # among the others of a column


@dataclass(frozen=True)
class Doubtful:
    """A value of which something is odd: numbers of its result and metric, whose they are, and what is said of it."""

    result: int
    metric: int
    model: str
    leaderboard: str
    said: str


@lru_cache(maxsize=4096)
def is_share(name: str) -> bool:
    """Whether a metric is a share of a whole, which lies between 0 and 100 %.

    Example:
        >>> is_share("Top 1 Accuracy"), is_share("mIoU (val)"), is_share("Relative accuracy"), is_share("CIDEr")
        (True, True, False, False)
    """
    words, but = SHARES
    return says_any_of(name, words) and not says_any_of(name, but, whole=True)


def doubt(name: str, raw: str, value: Value, others: Sequence[float] = ()) -> str:
    """What is odd about a value of a metric, in words; "" where nothing is.

    Args:
        others: the numbers of the same column in the same unit or without one, in ascending order.

    Example:
        >>> from noisystudent.board.catalogue.values import parse_value
        >>> doubt("Top 1 Accuracy", "123.4%", parse_value("123.4%"))
        'Top 1 Accuracy is 123.4%, which cannot be: it is a share of 100'
        >>> doubt("Accuracy", "0.913", parse_value("0.913"), [91.0, 92.5, 93.1])
        'Accuracy is 0.913 among values around 92.5: is 91.3 meant?'
    """
    number, shown = value.number, legible(raw)
    if number is None:
        return ""
    if abs(number) > 1.7e308 or (value.spread is not None and value.spread < 0):
        return f"{name} is {shown}, which cannot be"
    if not is_share(name) or value.unit not in ("", "%"):
        return ""
    if number < 0 or number > 100:
        return f"{name} is {shown}, which cannot be: it is a share of 100"
    if len(others) < LEAST_OTHERS:
        return ""
    middle = (others[(len(others) - 1) // 2] + others[len(others) // 2]) / 2
    if value.unit == "" and 0 < number <= 1 and middle >= LEAST_PERCENT:
        return f"{name} is {shown} among values around {middle:g}: is {_rounded(100 * number)} meant?"
    if number > 1 and others[-1] <= 1:
        return f"{name} is {shown} among values around {middle:g}: is {_rounded(number / 100)} meant?"
    return ""


def numbers_beside(connection: sqlite3.Connection, metric: int, result: int | None = None) -> list[float]:
    """The numbers that claims have in a column, in percent or without a unit, but for one result, in ascending order."""
    rows = connection.execute(
        "SELECT v.number FROM value v JOIN result r ON r.id = v.result_id WHERE v.metric_id = ? AND r.id IS NOT ? "
        f"AND r.retired_by IS NULL AND v.number IS NOT NULL AND {_COUNTS} ORDER BY v.number",
        (metric, result),
    )
    return [row["number"] for row in rows]


def doubtful(connection: sqlite3.Connection, results: Collection[int] | None = None) -> Iterator[Doubtful]:
    """The odd values that stand in the catalogue, each beside the others of its column, by leaderboard and result.

    Args:
        results: whose values are looked at; without them, all.
    """
    query = "SELECT m.id, m.name, l.slug FROM metric m JOIN leaderboard l ON l.id = m.leaderboard_id"
    if results is not None:
        query += " WHERE m.id IN (SELECT metric_id FROM value WHERE result_id IN (SELECT value FROM json_each(?)))"
    given = () if results is None else (json.dumps(list(results)),)
    for metric in connection.execute(f"{query} ORDER BY l.slug, m.position, m.id", given).fetchall():
        found = _of_column(connection, metric)
        yield from sorted(
            (one for one in found if results is None or one.result in results), key=lambda one: one.result
        )


def _of_column(connection: sqlite3.Connection, metric: sqlite3.Row) -> Iterator[Doubtful]:
    rows = connection.execute(
        f"SELECT r.id, mo.name AS model, v.raw, v.number, v.unit, v.spread, {_COUNTS} AS counts FROM value v "
        "JOIN result r ON r.id = v.result_id JOIN model mo ON mo.id = r.model_id "
        "WHERE v.metric_id = ? AND r.retired_by IS NULL AND v.number IS NOT NULL ORDER BY v.number, r.id",
        (metric["id"],),
    ).fetchall()
    column = [row["number"] for row in rows if row["counts"]]
    others, place = column[1:], 0  # the column but for the number at that place, without a copy for each
    for row in rows:
        beside = others if row["counts"] else column
        if said := doubt(metric["name"], row["raw"], Value(row["number"], row["unit"], row["spread"]), beside):
            yield Doubtful(row["id"], metric["id"], row["model"], metric["slug"], said)
        if row["counts"]:
            others[place : place + 1] = column[place : place + 1]
            place += 1


def _rounded(number: float) -> str:
    return f"{number:.{6 if math.isfinite(number) else 1}g}"
