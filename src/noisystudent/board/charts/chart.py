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
# Places are shares of the drawing, so that it is as wide and as tall as the page has room for, while letters and points keep their size.
WIDTH, HEIGHT = 1000, 400  # the units of the places
LEFT, RIGHT, TOP, BOTTOM = 45, 985, 44, 360  # of the plot
PIXELS_WIDE, PIXELS_TALL = (
    860,
    384,
)  # of the drawing on the narrowest screen that shows names; on wider ones they are further apart
MOST_TICKS = 6
LETTER = 6.6  # pixels, about the width of one in a label
MOST_LETTERS = 32
DOT = (
    4  # the grid of dots, which are six pixels wide: what is finer is not seen, and makes a page of 10^5 results heavy
)


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
    return _drawn(plane, others, dots, records)


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
    x, y = Scale(first - room, last + room, LEFT, RIGHT), values_scale(low, high, BOTTOM, TOP)
    marks = [(math.log10(value), text) for value, text in cost_ticks(10**x.low, 10**x.high)]
    plane = Plane(x, y, marks, cost, metric, label)
    return _drawn(plane, [], dots, best)


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


def _drawn(plane: Plane, others: Sequence[Point], dots: Dots, best: Sequence[Point]) -> Markup:
    """The chart: grid, axes, the line, the other points, those of the line last and with their names."""
    x, y = plane.x, plane.y
    line = [(x(at), y(value)) for at, value in steps([(point.x, point.y) for point in best], x.high)]
    placed = [(x(point.x), y(point.y), point) for point in best]
    # Those who go by keyboard find the others in the table below; very many stops would bar their way to it.
    links = [_link(point, x(point.x), y(point.y), 3.5, "point", ' tabindex="-1"') for point in others]
    crowd = np.array([[x(point.x), y(point.y)] for point in others]).reshape(-1, 2)
    if len(dots[0]):
        crowd = np.stack([x.places(dots[0]), y.places(dots[1])], axis=1)
    parts = [
        f'<svg class="chart" role="group" aria-label="{escape(plane.label)}">',
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" width="100%" height="100%">',
        *_grid(plane),
        *([] if links else _cloud(plane, dots)),
        f'<path class="best" d="{_path(line)}"/>' if line else "",
        "</svg>",
        *_texts(plane),
        *links,
        *(_link(point, across, down, 5, "record", "") for across, down, point in placed),
        *_names(placed, crowd, rising=not line or line[-1][1] <= line[0][1]),
        "</svg>",
    ]
    return Markup(xml_text("".join(parts)))


def _grid(plane: Plane) -> list[str]:
    """Lines for the ticks of the values, and the axis below."""
    levels = (plane.y(value) for value, _ in ticks(plane.y.low, plane.y.high, MOST_TICKS))
    marks = (plane.x(value) for value, _ in plane.x_ticks)
    lines = "".join(f"M0 {level:.1f}H{WIDTH}" for level in levels)
    axis = "".join(f"M{mark:.1f} {BOTTOM}v6" for mark in marks)
    return [f'<path class="grid" d="{lines}M0 0"/><path class="axis" d="{axis}M0 {BOTTOM}H{WIDTH}"/>']


def _texts(plane: Plane) -> list[str]:
    """What stands at the ticks, the values above their lines; and the names of the axes."""
    values = ticks(plane.y.low, plane.y.high, MOST_TICKS)
    parts = [f'<text class="up" x="0" y="{_down(plane.y(value))}" dy="-4">{text}</text>' for value, text in values]
    below = _down(BOTTOM)
    parts += [
        f'<text class="along" x="{_across(plane.x(value))}" y="{below}" dy="10">{text}</text>'
        for value, text in plane.x_ticks
    ]
    parts.append(f'<text class="name" x="0" y="0">{escape(_short(plane.y_name, 60))}</text>')
    if plane.x_name:
        parts.append(f'<text class="name end" x="100%" y="{below}" dy="-20">{escape(plane.x_name)}</text>')
    return parts


def _across(x: float) -> str:
    return f"{100 * x / WIDTH:.2f}%"


def _down(y: float) -> str:
    return f"{100 * y / HEIGHT:.2f}%"


def _link(point: Point, x: float, y: float, radius: float, kind: str, more: str) -> str:
    href, title = escape(f"{point.href}\0{point.title}").split("\0", 1)  # one call for both: there may be many
    hollow = " extra" if point.extra else ""
    return (
        f'<a href="{href}"{more}><title>{title}</title>'
        f'<circle class="{kind}{hollow}" cx="{_across(x)}" cy="{_down(y)}" r="{radius}"/></a>'
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


def _names(placed: Sequence[tuple[float, float, Point]], crowd: Numbers, *, rising: bool) -> list[str]:
    """Names beside the points of the line; the newest first, and only where they cover no other name and no point.

    Args:
        placed: the points of the line with their places.
        crowd: places of the other points, of shape (n, 2).
        rising: whether the line goes up, so that the side without results is above it.
    """
    pixels = np.array([PIXELS_WIDE / WIDTH, PIXELS_TALL / HEIGHT])
    dots = crowd * pixels
    spots = [(x * pixels[0], y * pixels[1], x, y, point) for x, y, point in placed]
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y, *_ in spots]
    parts = []
    for x, y, across, down, point in reversed(spots):
        text = _short(point.name, MOST_LETTERS)
        width = len(text) * LETTER
        over, under = (-9, 16) if rising else (16, -9)
        for anchor, start, dx, dy in (("end", x - width - 4, -4, over), ("begin", x + 8, 8, under)):
            box = (start, y + dy - 10, start + width, y + dy + 3)
            inside = box[0] >= 0 and box[2] <= PIXELS_WIDE and box[1] >= 14 and box[3] <= BOTTOM * pixels[1]
            if inside and not _overlaps(box, taken) and not _covers(box, dots):
                taken.append(box)
                place = f'x="{_across(across)}" y="{_down(down)}" dx="{dx}" dy="{dy}"'
                parts.append(f'<text class="who {anchor}" {place}>{escape(text)}</text>')
                break
    return parts


Box = tuple[float, float, float, float]


def _overlaps(box: Box, others: Iterable[Box]) -> bool:
    return any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in others)


def _covers(box: Box, dots: Numbers) -> bool:
    inside = (dots > np.array(box[:2]) - 3) & (dots < np.array(box[2:]) + 3)
    return bool(inside.all(axis=1).any())


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _path(corners: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in corners)
