"""The charts of a leaderboard: which of its claims are drawn, and what stands for each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from markupsafe import Markup

from noisystudent.board.catalogue.costs import multiply_adds, parameters
from noisystudent.board.charts.axes import reach
from noisystudent.board.charts.chart import Point, progress, trade_off
from noisystudent.board.queries.standings import MULTIPLY_ADDS, PARAMETERS, Claim, pareto_front
from noisystudent.board.web.web_address import web_address

MOST_LINKS = 1_000  # points that lead somewhere; more are dots
LEAST_COSTS = 3  # fewer points make no chart
COSTS = ((PARAMETERS, "Parameters", parameters), (MULTIPLY_ADDS, "Multiply-adds", multiply_adds))


def over_time(
    matching: Sequence[Claim], best: Sequence[Claim], today: date, *, metric: str, name: str
) -> tuple[Markup, list[str]]:
    """The chart of claims over time, and in words what is not in it.

    Args:
        matching: the claims to draw, in any order.
        best: the records among them, by date.
        metric: its name.
        name: of the leaderboard.

    Returns:
        no chart where not even one claim has a day and a value.
    """
    dated = [claim for claim in matching if claim.day is not None]
    past = [claim for claim in dated if claim.day is not None and claim.day <= today]
    sound = [claim for claim in past if claim.comparable]
    drawn = _near(sound, best)
    left_out = [
        f"{number:,} {words}"
        for number, words in (
            (len(matching) - len(dated), "without a date"),
            (len(dated) - len(past), "dated in the future"),
            (len(past) - len(sound), "without a value that can be compared"),
            (len(sound) - len(drawn), "far from all others"),
        )
        if number
    ]
    if not drawn:
        return Markup(""), left_out
    there, on_line = {claim.row["id"] for claim in drawn}, {claim.row["id"] for claim in best}
    line = [_at_day(claim, metric) for claim in best if claim.row["id"] in there]
    others = [claim for claim in drawn if claim.row["id"] not in on_line]
    links = [_at_day(claim, metric) for claim in others] if len(others) <= MOST_LINKS else []
    dots = [(float(_day(claim)), claim.value.number or 0.0) for claim in others] if not links else []
    label = f"{metric} of {name} over time: {len(drawn)} results, {len(line)} records"
    return progress(line, links, dots, metric=metric, label=label), left_out


def against_cost(matching: Sequence[Claim], metric: str, *, higher_is_better: bool) -> list[Markup]:
    """A chart for each kind of cost that enough claims have; none for a cost against itself."""
    charts = []
    for kind, name, count_of in COSTS:
        drawn = _near([claim for claim in matching if claim.comparable and claim.cost(kind)])
        if len(drawn) < LEAST_COSTS or count_of(metric, "1M") is not None:
            continue
        points = [(claim.cost(kind) or 0.0, claim.value.number or 0.0) for claim in drawn]
        front = pareto_front(points, higher_is_better=higher_is_better)
        on_line = set(front)
        charts.append(
            trade_off(
                [_point(drawn[place], points[place][0], metric) for place in front],
                [point for place, point in enumerate(points) if place not in on_line],
                metric=metric,
                cost=name,
                label=f"{metric} against {name.lower()}: {len(points)} results, of which {len(front)} are on the line",
            )
        )
    return charts


def _near(found: Sequence[Claim], seen: Sequence[Claim] = ()) -> list[Claim]:
    """The claims within reach of the axis; those in `seen` must be."""
    low, high = reach([claim.value.number or 0.0 for claim in found], [claim.value.number or 0.0 for claim in seen])
    return [claim for claim in found if low <= (claim.value.number or 0.0) <= high]


def _at_day(claim: Claim, metric: str) -> Point:
    return _point(claim, _day(claim), metric)


def _day(claim: Claim) -> int:
    return claim.day.toordinal() if claim.day else 0


def _point(claim: Claim, x: float, metric: str) -> Point:
    row = claim.row
    when = f", {claim.day.isoformat()}" if claim.day else ""
    href = f"/paper/{row['paper_slug']}" if row["paper_slug"] else web_address(row["paper_url"]) or "#results"
    title = f"{row['model']}: {row['raw']} {metric}{when}"
    return Point(x, claim.value.number or 0.0, row["model"], title, href, extra=row["extra_data"] == 1)
