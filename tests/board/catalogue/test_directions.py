"""Which direction is better, and how that was found out."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisystudent.board.catalogue import directions
from noisystudent.board.catalogue.directions import HIGHER, LOWER, UNKNOWN, Direction, direction

FALLING = [9.0, 8.0, 7.0, 6.0, 5.0]


def test_known_names_count_before_all_else() -> None:
    assert direction("Top 1 Accuracy") == Direction(True, "known name")
    assert direction(" percentage ERROR ") == Direction(False, "known name")
    assert direction("mCE", FALLING, ranks_table=True) == Direction(False, "known name")


def test_the_order_of_rows_tells_of_the_first_metric_only() -> None:
    assert direction("Vibes", FALLING, ranks_table=True) == Direction(True, "order of rows")
    assert direction("Vibes", FALLING[::-1], ranks_table=True) == Direction(False, "order of rows")
    assert direction("Vibes", FALLING) == UNKNOWN


@pytest.mark.parametrize(
    "values", [FALLING[:4], [5.0] * 9, [1.0, 9.0, 2.0, 8.0, 3.0], [None] * 9, [9.0, None, None, 8.0]]
)
def test_an_order_that_says_nothing_says_nothing(values: list[float | None]) -> None:
    assert direction("Vibes", values, ranks_table=True) == UNKNOWN


def test_words_in_the_name() -> None:
    assert direction("Mean validation loss") == Direction(False, "pattern of name")
    assert direction("Balanced accuracy over all") == Direction(True, "pattern of name")
    assert direction("Accuracy loss") == UNKNOWN  # both
    assert direction("Lossless") == UNKNOWN  # a word, not a part of one


@given(st.text(max_size=50), st.lists(st.none() | st.floats(-1e6, 1e6), max_size=12), st.booleans())
def test_unknown_is_never_defaulted(name: str, values: list[float | None], first: bool) -> None:
    found = direction(name, values, ranks_table=first)
    assert (found.higher_is_better is None) == (found.origin == "unknown")


@given(st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=12, unique=True))
def test_turning_the_rows_round_turns_the_direction(values: list[float]) -> None:
    there = direction("Vibes", values, ranks_table=True).higher_is_better
    back = direction("Vibes", values[::-1], ranks_table=True).higher_is_better
    assert (there is None and back is None) or there is not back


def test_the_table_of_names_holds_each_once() -> None:
    table = tomllib.loads(Path(directions.__file__).with_name("known_metrics.toml").read_text())
    names = table["higher"] + table["lower"]
    assert len(names) == len(set(names)) == len(HIGHER) + len(LOWER)
    assert all(name == name.strip().lower() for name in names)
