"""Charts: the line of the best so far against a closed form, the Pareto front against brute force, and drawings that are well-formed."""

from __future__ import annotations

import random
import re
from datetime import date
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisystudent.board.charts.axes import Scale, cost_ticks, count_text, day_ticks, reach, ticks, values_scale
from noisystudent.board.charts.chart import BOTTOM, DOT, LEFT, RIGHT, TOP, Point, progress, sparkline, steps, trade_off
from noisystudent.board.queries.points import Points

NUMBERS = st.floats(-1e15, 1e15, allow_nan=False)


def point(x: float, y: float, name: str = "m") -> Point:
    return Point(x, y, name, f"{name}: {y}", f"/paper/{name}")


def test_the_line_keeps_each_value_until_the_next_record() -> None:
    records = [(0, 1.0), (10, 2.0), (15, 5.0)]
    corners = steps(records, 20)
    for day in range(21):
        best_so_far = max(value for at, value in records if at <= day)
        below = [value for at, value in corners if at <= day]
        assert below[-1] == best_so_far


def test_the_drawn_line_is_horizontal_and_vertical_only() -> None:
    svg = progress([point(730000, 70), point(730400, 80), point(730900, 85)], [], metric="Accuracy", label="chart")
    line = re.search(r'class="best" d="M([^"]+)"', svg)
    assert line
    corners = [tuple(float(number) for number in pair.split()) for pair in line.group(1).split("L")]
    assert len(corners) == 6
    for (x, y), (next_x, next_y) in pairwise(corners):
        assert (x == next_x) != (y == next_y)
        assert next_x >= x
        assert next_y <= y  # up is down in a drawing


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(0, 20)), max_size=30), st.booleans())
def test_the_front_is_what_no_other_point_beats(points: list[tuple[int, int]], higher: bool) -> None:
    sign = 1 if higher else -1

    def beats(one: tuple[int, int], other: tuple[int, int]) -> bool:
        no_worse = one[0] <= other[0] and sign * one[1] >= sign * other[1]
        return no_worse and one != other

    expected = {one for one in points if not any(beats(other, one) for other in points)}
    costs, values = np.array(points, np.float64).reshape(-1, 2).T
    none = np.full(len(points), "NaT", "datetime64[D]")
    drawn = Points(np.arange(len(points)), values, none, {"parameters": costs})
    front = drawn.pareto_front("parameters", higher_is_better=higher).tolist()
    assert {points[place] for place in front} == expected
    assert len(front) == len(expected)


@given(NUMBERS, NUMBERS)
def test_ticks_are_few_inside_and_in_order(one: float, other: float) -> None:
    scale = values_scale(min(one, other), max(one, other), 0, 100)
    found = ticks(scale.low, scale.high, 6)
    assert 1 <= len(found) <= 7
    slack = (scale.high - scale.low) * 1e-6
    assert all(scale.low - slack <= value <= scale.high + slack for value, _ in found)
    assert [value for value, _ in found] == sorted(value for value, _ in found)


@given(st.dates(), st.dates())
def test_day_ticks_are_few_and_inside(one: date, other: date) -> None:
    low, high = sorted((one.toordinal() - 15, other.toordinal() + 15))
    found = day_ticks(low, high)
    assert len(found) <= 9
    assert all(low <= day <= high for day, _ in found)


@given(st.floats(3, 18), st.floats(0.4, 15))
def test_cost_ticks_are_few_and_inside(power: float, width: float) -> None:
    low, high = 10**power, 10 ** (power + width)
    found = cost_ticks(low, high)
    assert 1 <= len(found) <= 7
    assert all(low <= value <= high * 1.001 for value, _ in found)


@pytest.mark.parametrize(
    ("count", "text"), [(999.9e6, "1B"), (66.36e6, "66.4M"), (1e3, "1k"), (2.1e9, "2.1B"), (0.5, "0.5")]
)
def test_counts_are_short(count: float, text: str) -> None:
    assert count_text(count) == text


def test_far_values_stay_off_but_records_do_not() -> None:
    values = np.array([88.0, 88.1, 88.2, 88.3, 88.4, 88.5, 88.6, 88.7, 2.0, 1e300])
    assert reach(values) == (88.0, 88.7)
    assert reach(values, np.array([2.0])) == (2.0, 88.7)
    assert reach(np.array([1e300])) == (0.0, 0.0)


def test_every_point_is_a_link_with_a_title() -> None:
    svg = progress([point(730000, 70, "first")], [point(730100, 60, "second")], metric="A & <B>", label='x "y" <z>')
    root = ElementTree.fromstring(svg)
    links = root.findall("a")
    assert [link.get("href") for link in links] == ["/paper/second", "/paper/first"]
    assert all(link.find("title") is not None and link.find("circle") is not None for link in links)
    assert root.get("aria-label") == 'x "y" <z>'
    assert links[0].get("tabindex") == "-1"
    assert links[1].get("tabindex") is None
    assert "style=" not in svg


@given(st.text(max_size=60), st.text(max_size=60), NUMBERS, st.integers(1, date.max.toordinal()))
def test_any_text_and_number_gives_a_well_formed_drawing(name: str, metric: str, value: float, day: int) -> None:
    drawn = Point(day, value, name, name, name)
    ElementTree.fromstring(progress([drawn], [drawn], metric=metric, label=name))
    cost = Point(float(day) * 1e3, value, name, name, name)
    ElementTree.fromstring(
        trade_off([cost], (np.array([1e6]), np.array([2.0])), metric=metric, cost=metric, label=name)
    )


def test_one_record_has_no_sparkline() -> None:
    assert sparkline([(1, 2)]) == ""
    ElementTree.fromstring(sparkline([(1, 2), (5, 3)]))


def test_very_many_dots_have_an_end() -> None:
    draw = random.Random(1)
    days = [730_000.0 + day for day in range(5_000) for _ in range(20)]
    values = [draw.gauss(70, 8) for _ in days]
    line = [Point(730_000, 70, "A", "A: 70", "/paper/a")]
    drawing = str(progress(line, [], (np.array(days), np.array(values)), metric="Accuracy", label="many"))
    assert len(drawing) < 50_000
    assert drawing.count("<a ") == 1  # the record leads to its paper
    cloud = re.search(r'class="cloud" d="([^"]+)"', drawing)
    assert cloud
    strokes = re.findall(r"M(\d+) (\d+)v(\d+)", cloud.group(1))
    drawn = {(int(x), int(y) + step) for x, y, length in strokes for step in range(0, int(length) + 1, DOT)}
    assert len(drawn) == sum(int(length) // DOT + 1 for _, _, length in strokes)  # none twice
    room = max((days[-1] - days[0]) * 0.03, 15)
    x, y = Scale(days[0] - room, days[-1] + room, LEFT, RIGHT), values_scale(min(values), max(values), BOTTOM, TOP)
    assert drawn == {
        (DOT * round(x(at) / DOT), DOT * round(y(value) / DOT)) for at, value in zip(days, values, strict=True)
    }
