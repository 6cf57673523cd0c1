"""Charts as SVG, made on the server: results are links, colors come from the style sheet, and nothing needs a script."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from html import escape

import numpy as np
from markupsafe import Markup

from noisystudent.board.charts.axes import NONE, Scale, Tick, cost_ticks, day_ticks, ticks, values_scale
from noisystudent.board.queries.points import Numbers
from noisystudent.board.web.xml_text import xml_text

Dots = tuple[Numbers, Numbers]  # where they stand across, and up

NO_DOTS: Dots = (NONE, NONE)
HEIGHT, LEFT, TOP, BOTTOM = 400, 76, 36, 352  # of the plot, in the units of the drawing
RIGHT, RIGHT_OF_SMALL, MARGIN = 780, 540, 20  # where the plot ends, and what is left beside it
MOST_TICKS = 6
LETTER = 6.6  # about the width of one in a label
MOST_LETTERS = 32
DOT = 2  # the finest grid of dots


@dataclass(frozen=True)
class Point:
    """A result in a chart.

    Args:
        x: the day as its ordinal number, or the cost.
        y: the value.
        name: of the model; stands beside a point of the line where there is room.
        title: what a reader sees who rests on the point.
        href: where it leads.
        extra: drawn hollow: extra training data was used.
    """

    x: float
    y: float
    name: str
    title: str
    href: str
    extra: bool = False


@dataclass(frozen=True)
class Plane:
    """Two axes with their ticks and names, and what the chart shows, for those who do not see it."""

    x: Scale
    y: Scale
    x_ticks: Sequence[Tick]
    x_name: str
    y_name: str
    label: str


def progress(
    records: Sequence[Point],
    others: Sequence[Point],
    dots: Dots = NO_DOTS,
    *,
    metric: str,
    label: str,
) -> Markup:
    """Results over time, with the line of the best so far. Every point is a link.

    Args:
        records: those that were better than all before, by date; none where the direction is not known. `x` is the day's ordinal number.
        others: all other results; or, where there are very many,
        dots: which lead nowhere.
        metric: its name, beside the axis.
        label: what the chart shows.
    """
    first, last, low, high = _extent([*records, *others], dots)
    room = max((last - first) * 0.03, 15)
    x, y = Scale(first - room, last + room, LEFT, RIGHT), values_scale(low, high, BOTTOM, TOP)
    plane = Plane(x, y, day_ticks(x.low, x.high), "", metric, label)
    # Those who go by keyboard find the others in the table below; a thousand stops would bar their way to it.
    links = [_link(point, x(point.x), y(point.y), 3.5, "point", ' tabindex="-1"') for point in others]
    return _drawn(plane, links or _cloud(plane, dots), records)


def trade_off(front: Sequence[Point], others: Dots, *, metric: str, cost: str, label: str) -> Markup:
    """Values against cost, which stands on a logarithmic axis, with the line of those that no cheaper one equals.

    Args:
        front: the points of the line, from the cheapest on; `x` is the cost, above zero.
        others: cost and value of all other results.
        metric: name of the value.
        cost: name of the cost.
        label: what the chart shows.
    """
    dots = np.log10(others[0]), others[1]
    best = [replace(point, x=math.log10(point.x)) for point in front]
    first, last, low, high = _extent(best, dots)
    room = max((last - first) * 0.05, 0.2)
    x, y = Scale(first - room, last + room, LEFT, RIGHT_OF_SMALL), values_scale(low, high, BOTTOM, TOP)
    marks = [(math.log10(value), text) for value, text in cost_ticks(10**x.low, 10**x.high)]
    plane = Plane(x, y, marks, cost, metric, label)
    return _drawn(plane, _cloud(plane, dots), best)


def sparkline(records: Sequence[tuple[float, float]]) -> Markup:
    """The line of the best so far, small and without axes; it adds to what stands beside it and is not read out."""
    if len(records) < 2:
        return Markup("")
    days, values = zip(*records, strict=True)
    x, y = Scale(days[0], days[-1], 2, 110), Scale(min(values), max(values), 30, 4)
    line = _path([(x(at), y(value)) for at, value in steps(records, days[-1])])
    end = f'<circle class="record" cx="110" cy="{y(values[-1]):.1f}" r="2.5"/>'
    return Markup(
        f'<svg class="spark" viewBox="0 0 114 34" aria-hidden="true"><path class="best" d="{line}"/>{end}</svg>'
    )


def steps(records: Sequence[tuple[float, float]], end: float) -> list[tuple[float, float]]:
    """The corners of a line that keeps each record's value until the next one, and the last one's until the end.

    Example:
        >>> steps([(1, 70), (4, 80)], 6)
        [(1, 70), (4, 70), (4, 80), (6, 80)]
    """
    corners: list[tuple[float, float]] = []
    for at, value in records:
        if corners:
            corners.append((at, corners[-1][1]))
        corners.append((at, value))
    return [*corners, (end, corners[-1][1])] if corners else []


def _extent(points: Sequence[Point], dots: Dots) -> tuple[float, float, float, float]:
    """From where to where points and dots reach: the least and the greatest x, then y."""
    across = [point.x for point in points]
    up = [point.y for point in points]
    for found, drawn in ((across, dots[0]), (up, dots[1])):
        found += [float(drawn.min()), float(drawn.max())] if len(drawn) else []
    return min(across), max(across), min(up), max(up)


def _drawn(plane: Plane, others: Iterable[str], best: Sequence[Point]) -> Markup:
    """The chart: grid, axes, the line, the other points, those of the line last and with their names."""
    x, y = plane.x, plane.y
    line = [(x(at), y(value)) for at, value in steps([(point.x, point.y) for point in best], x.high)]
    placed = [(x(point.x), y(point.y), point) for point in best]
    parts = [
        f'<svg class="chart" viewBox="0 0 {x.end + MARGIN} {HEIGHT}" role="group" aria-label="{escape(plane.label)}">',
        *_grid(plane),
        f'<path class="best" d="{_path(line)}"/>' if line else "",
        *others,
        *(_link(point, across, down, 5, "record", "") for across, down, point in placed),
        *_names(placed, x.end, rising=not line or line[-1][1] <= line[0][1]),
        "</svg>",
    ]
    return Markup(xml_text("".join(parts)))


def _grid(plane: Plane) -> list[str]:
    x, y = plane.x, plane.y
    parts = []
    for value, text in ticks(y.low, y.high, MOST_TICKS):
        at = f"{y(value):.1f}"
        parts.append(
            f'<path class="grid" d="M{LEFT} {at}H{x.end}"/><text class="up" x="{LEFT - 8}" y="{at}">{text}</text>'
        )
    for value, text in plane.x_ticks:
        at = f"{x(value):.1f}"
        parts.append(
            f'<path class="axis" d="M{at} {BOTTOM}v5"/><text class="along" x="{at}" y="{BOTTOM + 9}">{text}</text>'
        )
    parts.append(f'<path class="axis" d="M{LEFT} {BOTTOM}H{x.end}"/>')
    parts.append(f'<text class="name" x="4" y="6">{escape(_short(plane.y_name, 60))}</text>')
    if plane.x_name:
        parts.append(f'<text class="name end" x="{x.end}" y="{HEIGHT - 18}">{escape(plane.x_name)}</text>')
    return parts


def _link(point: Point, x: float, y: float, radius: float, kind: str, more: str) -> str:
    href, title = escape(f"{point.href}\0{point.title}").split("\0", 1)  # one call for both: there may be thousands
    hollow = " extra" if point.extra else ""
    return (
        f'<a href="{href}"{more}><title>{title}</title>'
        f'<circle class="{kind}{hollow}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/></a>'
    )


def _cloud(plane: Plane, dots: Dots) -> list[str]:
    """Mere dots, in cells of a grid: one for each cell, and a stroke for those of a column that touch. So there is an end to how many can
    be drawn."""
    if not len(dots[0]):
        return []
    columns, rows = plane.x.cells(dots[0], DOT), plane.y.cells(dots[1], DOT)
    cells = np.unique(columns * HEIGHT + rows)  # a column has fewer than `HEIGHT`
    ends = np.flatnonzero(np.diff(cells) != 1)
    first, last = cells[np.concatenate([[0], ends + 1])].tolist(), cells[np.concatenate([ends, [-1]])].tolist()
    strokes = zip(first, last, strict=True)
    path = "".join(f"M{DOT * (one // HEIGHT)} {DOT * (one % HEIGHT)}v{DOT * (other - one)}" for one, other in strokes)
    return [f'<path class="cloud" d="{path}"/>']


def _names(placed: Sequence[tuple[float, float, Point]], right: float, *, rising: bool) -> list[str]:
    """Names beside the points of the line, on the side where no results are; the newest first, and only where there is room."""
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y, _ in placed]
    parts = []
    for x, y, point in reversed(placed):
        text = _short(point.name, MOST_LETTERS)
        width = len(text) * LETTER
        left, over = x - width - 4, (y - 9 if rising else y + 16)
        right_of, under = x + 8, (y + 16 if rising else y - 9)
        for anchor, start, line in (("end", left, over), ("begin", right_of, under)):
            box = (start, line - 10, start + width, line + 3)
            inside = box[0] >= LEFT and box[2] <= right and box[1] >= TOP - 14 and box[3] <= BOTTOM
            if inside and not _overlaps(box, taken):
                taken.append(box)
                at = x - 4 if anchor == "end" else start
                parts.append(f'<text class="who {anchor}" x="{at:.1f}" y="{line:.1f}">{escape(text)}</text>')
                break
    return parts


def _overlaps(box: tuple[float, float, float, float], others: Iterable[tuple[float, float, float, float]]) -> bool:
    return any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in others)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _path(corners: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in corners)
