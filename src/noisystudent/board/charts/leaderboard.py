"""The charts of a leaderboard: which of its claims are drawn, and what stands for each."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from noisystudent.board.catalogue.costs import multiply_adds, parameters
from noisystudent.board.catalogue.values import legible
from noisystudent.board.charts.axes import reach
from noisystudent.board.charts.chart import NO_DOTS, Point, progress, trade_off
from noisystudent.board.queries.points import Numbers, Places, Points
from noisystudent.board.queries.standings import MULTIPLY_ADDS, PARAMETERS, Claim, Counts, Standings
from noisystudent.board.web.web_address import web_address

MOST_LINKS = 150  # points that lead somewhere, about 200 bytes each; of more, the records do, and the others are dots
LEAST_COSTS = 3  # fewer points make no chart
COSTS = ((PARAMETERS, "Parameters", parameters), (MULTIPLY_ADDS, "Multiply-adds", multiply_adds))


def over_time(
    found: Standings, counts: Counts, past: Points, best: Places, *, metric: str, name: str
) -> tuple[Markup, list[str]]:
    """The chart of claims over time, and in words what is not in it.

    Args:
        found: the claims to draw.
        counts: of them.
        past: those of `found.points` until today.
        best: places of the records among them.
        metric: its name.
        name: of the leaderboard.

    Returns:
        no chart where not even one claim has a day and a value.
    """
    low, high = reach(past.values, past.values[best])
    near = (past.values >= low) & (past.values <= high)
    drawn = int(near.sum())
    left_out = [
        f"{number:,} {words}"
        for number, words in (
            (counts.total - counts.dated, "without a date"),
            (counts.dated - counts.past, "dated in the future"),
            (counts.past - len(past), "without a value that can be compared"),
            (len(past) - drawn, "far from all others"),
        )
        if number
    ]
    if not drawn:
        return Markup(""), left_out
    line = best[near[best]]
    near[line] = False
    others, links = past.at(near), len(past) - len(best) <= MOST_LINKS
    drawing = progress(
        [_at_day(claim, metric) for claim in found.claims(past.results[line].tolist())],
        [_at_day(claim, metric) for claim in found.claims(others.results.tolist())] if links else [],
        NO_DOTS if links else (_ordinals(others.days), others.values),
        metric=metric,
        label=f"{metric} of {name} over time: {drawn} results, {len(line)} records",
    )
    return drawing, left_out


def costs_of(points: Points, metric: str) -> list[tuple[str, str]]:
    """The kinds of cost that enough of the points have for a chart, each with its name; none for a cost against itself."""
    return [
        (kind, name)
        for kind, name, count_of in COSTS
        if int((points.costs[kind] > 0).sum()) >= LEAST_COSTS and count_of(metric, "1M") is None
    ]


def against_cost(found: Standings, points: Points, kind: str, metric: str, *, higher_is_better: bool) -> Markup:
    """The chart of a metric against a cost, of the points of which both are known and which are not far from all others."""
    name = next(name for each, name, _ in COSTS if each == kind)
    known = points.at(points.costs[kind] > 0)
    low, high = reach(known.values)
    drawn = known.at((known.values >= low) & (known.values <= high))
    front = drawn.pareto_front(kind, higher_is_better=higher_is_better)
    claims = found.claims(drawn.results[front].tolist())
    others = drawn.at(~np.isin(np.arange(len(drawn)), front))
    return trade_off(
        [_point(claim, at, metric) for claim, at in zip(claims, drawn.costs[kind][front].tolist(), strict=True)],
        (others.costs[kind], others.values),
        metric=metric,
        cost=name,
        label=f"{metric} against {name.lower()}: {len(drawn)} results, of which {len(front)} are on the line",
    )


def _at_day(claim: Claim, metric: str) -> Point:
    return _point(claim, claim.day.toordinal() if claim.day else 0, metric)


def _ordinals(days: NDArray[np.datetime64]) -> Numbers:
    return (days - np.datetime64("0001-01-01")).astype(np.float64) + 1


def _point(claim: Claim, x: float, metric: str) -> Point:
    row = claim.row
    when = f", {claim.day.isoformat()}" if claim.day else ""
    href = f"/paper/{row['paper_slug']}" if row["paper_slug"] else web_address(row["paper_url"]) or "#results"
    title = f"{row['model']}: {legible(row['raw'])} {metric}{when}"
    return Point(x, claim.number or 0.0, row["model"], title, href, extra=row["extra_data"] == 1)
