"""The charts of a leaderboard: which of its claims are drawn, and what stands for each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from markupsafe import Markup

from noisystudent.board.catalogue.costs import multiply_adds, parameters
from noisystudent.board.charts.axes import reach
from noisystudent.board.charts.chart import Point, progress, trade_off
from noisystudent.board.queries.standings import MULTIPLY_ADDS, PARAMETERS, Claim, Day, Standings, pareto_front
from noisystudent.board.web.web_address import web_address

MOST_LINKS = 1_000  # points that lead somewhere; more are dots
LEAST_COSTS = 3  # fewer points make no chart
COSTS = ((PARAMETERS, "Parameters", parameters), (MULTIPLY_ADDS, "Multiply-adds", multiply_adds))


def over_time(
    found: Standings, days: Sequence[Day], best: Sequence[tuple[str, float]], today: str, *, metric: str, name: str
) -> tuple[Markup, list[str]]:
    """The chart of claims over time, and in words what is not in it.

    Args:
        found: the claims to draw.
        days: what `found.days` says.
        best: the records among them.
        metric: its name.
        name: of the leaderboard.

    Returns:
        no chart where not even one claim has a day and a value.
    """
    sound = sum(len(day.values) for day in days)
    claims = found.until(today) if sound - len(best) <= MOST_LINKS else []
    values = [claim.row["number"] for claim in claims] or [value for day in days for value in day.values]
    low, high = reach(values, [value for _, value in best])
    drawn = sum(low <= value <= high for value in values)
    count, dated, past = found.dated(today)
    left_out = [
        f"{number:,} {words}"
        for number, words in (
            (count - dated, "without a date"),
            (dated - past, "dated in the future"),
            (past - sound, "without a value that can be compared"),
            (sound - drawn, "far from all others"),
        )
        if number
    ]
    if not drawn:
        return Markup(""), left_out
    line = found.of_records((day, value) for day, value in best if low <= value <= high)
    on_line = {claim.row["id"] for claim in line}
    others = [claim for claim in claims if low <= claim.row["number"] <= high and claim.row["id"] not in on_line]
    dots = [(_ordinal(day.day), [value for value in day.values if low <= value <= high]) for day in days]
    drawing = progress(
        [_at_day(claim, metric) for claim in line],
        [_at_day(claim, metric) for claim in others],
        [] if claims else dots,
        metric=metric,
        label=f"{metric} of {name} over time: {drawn} results, {len(line)} records",
    )
    return drawing, left_out


def against_cost(found: Standings, metric: str, *, higher_is_better: bool) -> list[Markup]:
    """A chart for each kind of cost that enough claims have; none for a cost against itself."""
    charts = []
    costs = found.costs()
    for kind, name, count_of in COSTS:
        rows = costs[kind]
        low, high = reach([value for _, _, value in rows])
        drawn = [row for row in rows if low <= row[2] <= high]
        if len(drawn) < LEAST_COSTS or count_of(metric, "1M") is not None:
            continue
        points = [(cost, value) for _, cost, value in drawn]
        front = pareto_front(points, higher_is_better=higher_is_better)
        on_line = set(front)
        claims = found.claims([drawn[place][0] for place in front])
        charts.append(
            trade_off(
                [_point(claim, points[place][0], metric) for claim, place in zip(claims, front, strict=True)],
                [point for place, point in enumerate(points) if place not in on_line],
                metric=metric,
                cost=name,
                label=f"{metric} against {name.lower()}: {len(points)} results, of which {len(front)} are on the line",
            )
        )
    return charts


def _at_day(claim: Claim, metric: str) -> Point:
    return _point(claim, claim.day.toordinal() if claim.day else 0, metric)


def _ordinal(day: str) -> float:
    return date.fromisoformat(day).toordinal()


def _point(claim: Claim, x: float, metric: str) -> Point:
    row = claim.row
    when = f", {claim.day.isoformat()}" if claim.day else ""
    href = f"/paper/{row['paper_slug']}" if row["paper_slug"] else web_address(row["paper_url"]) or "#results"
    title = f"{row['model']}: {row['raw']} {metric}{when}"
    return Point(x, row["number"], row["model"], title, href, extra=row["extra_data"] == 1)
