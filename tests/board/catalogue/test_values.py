"""Numbers out of the texts that tables give."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisystudent.board.catalogue.values import Value, parse_value, raw_text, scaled


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("88.4", Value(88.4)),
        ("88.4%", Value(88.4, "%")),
        (" 88.4 % ", Value(88.4, "%")),
        ("1,656", Value(1656.0)),
        ("37G", Value(37.0, "G")),
        ("66.35M", Value(66.35, "M")),
        ("-3", Value(-3.0)),
        ("−3", Value(-3.0)),  # the sign as typographers set it
        (".5", Value(0.5)),
        ("1e-3", Value(0.001)),
        ("95.2 ± 0.3", Value(95.2, "", 0.3)),
        ("95.2 +/- 0.3", Value(95.2, "", 0.3)),
        ("95.2 (0.3)", Value(95.2, "", 0.3)),
        ("95.2 ± 0.3%", Value(95.2, "%", 0.3)),
        ("95.2% ± 0.3%", Value(95.2, "%", 0.3)),
        ("*88.4*", Value(88.4)),
        ("88.4†", Value(88.4)),
        ("12 img/s", Value(12.0, "img/s")),
        ("95.2 \n  ±\t 0.3", Value(95.2, "", 0.3)),
    ],
)
def test_what_has_one_number(raw: str, value: Value) -> None:
    assert parse_value(raw) == value


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "-",
        "n/a",
        "7.3 ~ 10",
        "1-2",
        "(7.3, 13.8)",
        "88.4 / 97.1",
        "1,23",
        "1e999",
        "nan",
        "inf",
        "88.4 88.5",
        "1" * 300,
    ],
)
def test_what_has_none_is_not_guessed(raw: str) -> None:
    assert parse_value(raw).number is None


@given(st.text(max_size=40))
def test_no_text_breaks_it_and_numbers_are_finite(text: str) -> None:
    value = parse_value(text)
    assert value.number is None or math.isfinite(value.number)
    assert value.spread is None or math.isfinite(value.spread)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_a_number_survives_being_written(number: float) -> None:
    assert parse_value(raw_text(number)).number == number


def test_counts_in_ones() -> None:
    assert scaled(Value(66.35, "M")) == 66_350_000
    assert scaled(Value(37.0)) == 37
    assert scaled(Value(3.0, "%")) is None
    assert scaled(Value(None)) is None
