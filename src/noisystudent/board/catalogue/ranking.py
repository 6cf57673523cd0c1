"""Who is first: which values of a metric can be compared, and their ranks."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping

from noisystudent.board.catalogue.directions import Direction, by_name, ranking_first
from noisystudent.board.catalogue.judging import SAID, judged_otherwise, judgement, undecided
from noisystudent.board.catalogue.values import SCALES, Value

PERCENT = "%"
FILLED = "result_count > 0"  # of a leaderboard, in SQL: one without a result is in no list
RANKING_FIRST = "m.id IS NOT l.ranked_by, m.position, m.id"  # the order of the metrics `m` of a leaderboard `l`, in SQL
SCALED_DIGITS = 12  # behind the point, of a number that was brought from one scale to another


def column_unit(values: Iterable[Value]) -> str:
    """The unit of a column: `%` where any value has it beside plain numbers above 1, else what most values have.

    Example:
        >>> column_unit([Value(88.4, "%"), Value(88.3), Value(87.1)])
        '%'
    """
    numbers = [value for value in values if value.number is not None]
    units = Counter(value.unit for value in numbers)
    return unit_of(units, plain_above_1=any(value.number > 1 for value in numbers if not value.unit and value.number))


def unit_of(units: Counter[str], *, plain_above_1: bool) -> str:
    """The same from how many numbers have each unit; of units that equally many have, the first.

    Args:
        units: in the order in which a column has them.
        plain_above_1: whether any number without a unit is above 1.

    Example:
        >>> unit_of(Counter({"": 2, "%": 1}), plain_above_1=True)
        '%'
    """
    if set(units) == {"", PERCENT} and plain_above_1:
        return PERCENT
    counts = Counter({unit: count for unit, count in units.items() if unit in SCALES})
    if counts and counts.total() >= max(units.values()):  # 220k and 2.8m and 1G are on one scale
        return counts.most_common(1)[0][0]
    return units.most_common(1)[0][0] if units else ""


def in_unit(value: Value, unit: str) -> float | None:
    """The number of a value in the unit of its column; None where the two cannot be compared.

    A plain number above 1 counts as percent; a fraction does not. Letters for thousands, millions and the like are one scale.

    Example:
        >>> in_unit(Value(88.3), "%"), in_unit(Value(0.883), "%"), in_unit(Value(66.0, "M"), "")
        (88.3, None, None)
        >>> in_unit(Value(220.0, "k"), "m")
        0.22
    """
    if value.number is None:
        return None
    if value.unit != unit and value.unit in SCALES and unit in SCALES:
        return round(value.number * SCALES[value.unit] / SCALES[unit], SCALED_DIGITS)
    same = value.unit == unit or (unit == PERCENT and value.unit == "" and value.number > 1)
    return value.number if same else None


def comparable(value: Value, unit: str) -> bool:
    """Whether a value may stand in a ranking of that unit."""
    return in_unit(value, unit) is not None


def comparable_in_sql(unit: str) -> str:
    """The same as a condition on the row `v` of `value`; true or false where there is no such row, too.

    Args:
        unit: where the unit stands: a column, a parameter.
    """
    plain = f"{unit} = '{PERCENT}' AND v.unit = '' AND v.number > 1"
    letters = "', '".join(SCALES)
    scaled = f"{unit} IN ('{letters}') AND v.unit IN ('{letters}')"
    return f"(v.number IS NOT NULL AND (v.unit = {unit} OR ({plain}) OR ({scaled})))"


def number_in_sql(unit: str) -> str:
    """The number of the row `v` of `value` in a unit, where it can be compared; where it can, as it stands: an index has it in order."""
    if unit not in SCALES:
        return "v.number"
    ones = " ".join(f"WHEN '{letter}' THEN {factor}" for letter, factor in SCALES.items())
    scaled = f"round(v.number * CASE v.unit {ones} END / {SCALES[unit]}, {SCALED_DIGITS})"
    return f"CASE WHEN v.unit = '{unit}' THEN v.number ELSE {scaled} END"


def ranks(values: Mapping[int, Value], *, higher_is_better: bool | None) -> dict[int, int]:
    """Ranks from 1, equal values sharing one, of those values of a metric that can be compared; none without a direction.

    Example:
        >>> ranks({1: Value(3.0), 2: Value(2.5), 3: Value(3.0)}, higher_is_better=False)
        {2: 1, 1: 2, 3: 2}
    """
    if higher_is_better is None:
        return {}
    unit = column_unit(values.values())
    in_units = {key: in_unit(value, unit) for key, value in values.items()}
    numbers = {key: number for key, number in in_units.items() if number is not None}
    ordered = sorted(numbers, key=lambda key: -numbers[key] if higher_is_better else numbers[key])
    found: dict[int, int] = {}
    for place, key in enumerate(ordered, 1):
        tied = place > 1 and numbers[key] == numbers[ordered[place - 2]]
        found[key] = found[ordered[place - 2]] if tied else place
    return found


def refresh(connection: sqlite3.Connection, leaderboards: Collection[int]) -> None:
    """Bring up to date what is kept of leaderboards: directions that were found out, units, ranks, who leads since when.

    A metric's name has one judgement wherever it stands: where these tables change it, the others that have it are ranked anew as well.
    """
    judged = {name: judgement(connection, name) for name in sorted(undecided(connection, leaderboards))}
    for leaderboard in sorted({*leaderboards, *judged_otherwise(connection, judged)}):
        _refresh(connection, leaderboard, judged)


def out_of_date(connection: sqlite3.Connection) -> set[int]:
    """The leaderboards that older rules ranked: by another metric or direction than now, or without values of another scale."""
    rows = connection.execute("SELECT DISTINCT name FROM metric WHERE direction_origin NOT IN (?, ?)", SAID)
    turned = judged_otherwise(connection, {row["name"]: judgement(connection, row["name"]) for row in rows.fetchall()})
    letters = "', '".join(SCALES)
    scaled = connection.execute(
        "SELECT DISTINCT m.leaderboard_id FROM value v JOIN metric m ON m.id = v.metric_id JOIN result r ON r.id = v.result_id "
        f"WHERE v.unit IN ('{letters}') AND m.unit IN ('{letters}') AND v.rank IS NULL AND m.higher_is_better IS NOT NULL "
        "AND r.kind = 'claim' AND r.retired_by IS NULL"
    )
    return turned | _ranked_by_another(connection) | {row["leaderboard_id"] for row in scaled}


def _ranked_by_another(connection: sqlite3.Connection) -> set[int]:
    metrics: dict[int, list[sqlite3.Row]] = defaultdict(list)
    for row in connection.execute(
        "SELECT m.id, m.name, m.leaderboard_id, l.ranked_by FROM metric m JOIN leaderboard l ON l.id = m.leaderboard_id "
        "ORDER BY m.leaderboard_id, m.position, m.id"
    ):
        metrics[row["leaderboard_id"]].append(row)
    return {
        leaderboard
        for leaderboard, rows in metrics.items()
        if rows[ranking_first([row["name"] for row in rows])]["id"] != rows[0]["ranked_by"]
    }


def _refresh(connection: sqlite3.Connection, leaderboard: int, judged: Mapping[str, Direction]) -> None:
    """Bring one leaderboard up to date.

    Claims are ranked among claims; a run stands beside a claim and has no rank. Where nobody claims anything, as on a board for one's own
    work, runs are ranked among runs.
    """
    results = connection.execute(
        "SELECT id, kind, paper_id, day FROM result_shown WHERE leaderboard_id = ? AND retired_by IS NULL "
        "AND id NOT IN (SELECT id FROM hidden_result) ORDER BY position, id",
        (leaderboard,),
    ).fetchall()
    ranking = [row["id"] for row in results if row["kind"] == "claim"] or [row["id"] for row in results]
    best = None
    metrics = connection.execute(
        "SELECT * FROM metric WHERE leaderboard_id = ? ORDER BY position, id", (leaderboard,)
    ).fetchall()
    ranked_by = metrics[ranking_first([metric["name"] for metric in metrics])]["id"] if metrics else None
    for metric in metrics:
        values = _values(connection, metric["id"])
        found = _direction(metric, judged)
        of_ranking = {result: values[result] for result in ranking if result in values}
        connection.execute(
            "UPDATE metric SET higher_is_better = ?, direction_origin = ?, unit = ? WHERE id = ?",
            (found.higher_is_better, found.origin, column_unit(of_ranking.values()), metric["id"]),
        )
        ranked = ranks(of_ranking, higher_is_better=found.higher_is_better)
        connection.executemany(
            "UPDATE value SET rank = ? WHERE result_id = ? AND metric_id = ? AND rank IS NOT ?",
            ((ranked.get(result), result, metric["id"], ranked.get(result)) for result in values),
        )
        if metric["id"] == ranked_by and ranked:
            first = [result for result, rank in ranked.items() if rank == 1]
            best = min(
                (row for row in results if row["id"] in first), key=lambda row: (row["day"] or "9999", row["id"])
            )
    connection.execute(
        "UPDATE leaderboard SET ranked_by = ?, best_result_id = ?, best_since = ?, result_count = ?, paper_count = ? WHERE id = ?",
        (
            ranked_by,
            best["id"] if best else None,
            best["day"] if best else None,
            len(results),
            len({row["paper_id"] for row in results} - {None}),
            leaderboard,
        ),
    )


def _values(connection: sqlite3.Connection, metric: int) -> dict[int, Value]:
    rows = connection.execute(
        "SELECT v.result_id, v.number, v.unit, v.spread FROM value v JOIN result r ON r.id = v.result_id "
        "WHERE v.metric_id = ? AND r.retired_by IS NULL",
        (metric,),
    )
    return {row["result_id"]: Value(row["number"], row["unit"], row["spread"]) for row in rows}


def _direction(metric: sqlite3.Row, judged: Mapping[str, Direction]) -> Direction:
    if metric["direction_origin"] in SAID:
        return Direction(bool(metric["higher_is_better"]), metric["direction_origin"])
    return judged.get(metric["name"]) or by_name(metric["name"])
