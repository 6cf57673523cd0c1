"""One judgement of a metric's name over the whole catalogue: by the name, by what was said of it elsewhere, by what all tables agree on."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from noisystudent.board.catalogue.directions import UNKNOWN, Direction, agreed, by_dates, by_name, by_order, has_none

SAID = ("curated", "given")  # origins of what somebody said of one leaderboard's metric
# Of a metric `m`, in SQL: whether its table's rows stand in the order of their ranks by it, where they do at all (the archive's form).
FIRST_OF_TABLE = "m.position = (SELECT min(position) FROM metric WHERE leaderboard_id = m.leaderboard_id)"


class Opinions(NamedTuple):
    """Whether higher is better by one table's own rows; None where they say nothing."""

    order: bool | None
    dates: bool | None


def judgement(connection: sqlite3.Connection, name: str) -> Direction:
    """The direction of metrics of that name where nobody has said it of the leaderboard itself.

    First what the name says; then what curators, else sources, say of that name on other leaderboards, if they agree; then the order of
    rows in all tables that it ranks, if they agree, and the dates of their results do not say otherwise.
    """
    said = by_name(name)
    if said.higher_is_better is not None or has_none(name):
        return said
    rows = connection.execute(
        f"SELECT m.id, m.higher_is_better, m.direction_origin, {FIRST_OF_TABLE} AS is_first "
        "FROM metric m WHERE m.name = ? COLLATE NOCASE ORDER BY m.id",
        (name,),
    ).fetchall()
    for origin in SAID:
        if of_origin := [bool(row["higher_is_better"]) for row in rows if row["direction_origin"] == origin]:
            elsewhere = agreed(of_origin)
            return UNKNOWN if elsewhere is None else Direction(elsewhere, "known name")
    opinions = [opinions_of(connection, row["id"]) for row in rows if row["is_first"]]
    by_tables = agreed(opinion.order for opinion in opinions)
    if by_tables is None or agreed([by_tables, *(opinion.dates for opinion in opinions)]) is None:
        return UNKNOWN
    return Direction(by_tables, "order of rows")


def opinions_of(connection: sqlite3.Connection, metric: int) -> Opinions:
    """What the claims of a table say of its metric. Their order counts where it is that of ranks in the source (the archive's form)."""
    rows = connection.execute(
        "SELECT v.number, r.in_order, r.on_day FROM value v JOIN result r ON r.id = v.result_id "
        "WHERE v.metric_id = ? AND r.retired_by IS NULL AND r.kind = 'claim' ORDER BY r.position, r.id",
        (metric,),
    ).fetchall()
    ordered = [row["number"] for row in rows if row["in_order"]]
    return Opinions(by_order(ordered), by_dates([row["on_day"] for row in rows], [row["number"] for row in rows]))


def undecided(connection: sqlite3.Connection, leaderboards: Iterable[int]) -> set[str]:
    """The names of those leaderboards' metrics that do not tell their direction themselves."""
    rows = connection.execute(
        "SELECT DISTINCT name FROM metric WHERE leaderboard_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(leaderboards)),),
    )
    return {row["name"] for row in rows if by_name(row["name"]).higher_is_better is None}


def judged_otherwise(connection: sqlite3.Connection, judged: dict[str, Direction]) -> set[int]:
    """The leaderboards whose metrics of those names have another direction than it is judged now, and nobody has said it of them."""
    found: set[int] = set()
    for name, direction in judged.items():
        rows = connection.execute(
            "SELECT leaderboard_id FROM metric WHERE name = ? COLLATE NOCASE AND direction_origin NOT IN (?, ?) "
            "AND (higher_is_better IS NOT ? OR direction_origin <> ?)",
            (name, *SAID, direction.higher_is_better, direction.origin),
        )
        found.update(row["leaderboard_id"] for row in rows)
    return found
