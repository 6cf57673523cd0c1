"""The axes of a chart: which values they reach, and where their ticks stand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from noisystudent.board.queries.points import Numbers

NONE = np.empty(0)
LARGEST = 1e15  # what lies beyond has no readable axis
FAR = 3.0  # times the middle half's width from it: Tukey's outer fences
FEW = 8  # of so few, none is far from the others


@dataclass(frozen=True)
class Scale:
    """From values to places in the drawing."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def places(self, values: Numbers) -> Numbers:
        """The places of many."""
        return self.start + (values - self.low) / (self.high - self.low) * (self.end - self.start)

    def cells(self, values: Numbers, size: int) -> NDArray[np.int64]:
        """Of each value, the cell of a grid that it lies in."""
        return np.rint(self.places(values) / size).astype(np.int64)


Tick = tuple[float, str]


def reach(values: Numbers, seen: Numbers = NONE) -> tuple[float, float]:
    """From where to where an axis goes: values far from all others would press the rest into a line, so they stay off.

    Args:
        values: of all points.
        seen: of those that must be on it.

    Example:
        >>> reach(np.array([60.0, 70, 71, 72, 73, 74, 75, 76, 2]))
        (60.0, 76.0)
    """
    near = values[np.abs(values) <= LARGEST]
    if len(near) >= FEW:
        first, third = np.quantile(near, (0.25, 0.75), method="weibull")
        room = FAR * (third - first)
        near = near[(near >= first - room) & (near <= third + room)] if room else near
    shown = np.concatenate([near, seen[np.abs(seen) <= LARGEST]])
    return (float(shown.min()), float(shown.max())) if len(shown) else (0.0, 0.0)


def values_scale(low: float, high: float, start: float, end: float) -> Scale:
    """A scale on which the values from low to high have room."""
    room = (high - low) * 0.06
    if room <= max(1e-9 * max(abs(low), abs(high)), 1e-13):
        room = max(abs(high) * 0.05, 1e-6) if high else 1.0
    return Scale(low - room, high + room, start, end)


def ticks(low: float, high: float, most: int) -> list[Tick]:
    """Round values from low to high, at most so many, evenly spaced.

    Example:
        >>> ticks(63.2, 91.5, 6)
        [(65.0, '65'), (70.0, '70'), (75.0, '75'), (80.0, '80'), (85.0, '85'), (90.0, '90')]
    """
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(power * factor for factor in (1, 2, 5, 10) if (high - low) / (power * factor) <= most)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    places = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return [(place * step, _number(place * step, decimals)) for place in places]


def day_ticks(low: float, high: float) -> list[Tick]:
    """First days of years, or of months where the time is short, at most eight."""
    first, last = (date.fromordinal(int(min(max(day, 1), date.max.toordinal()))) for day in (low, high))
    if last.year - first.year >= 3:
        years = next(
            step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 2000) if (last.year - first.year) / step <= 8
        )
        start = -(-(first.year + 1) // years) * years
        return [(date(year, 1, 1).toordinal(), str(year)) for year in range(start, last.year + 1, years)]
    months = (last.year - first.year) * 12 + last.month - first.month
    step = next(step for step in (1, 2, 3, 6, 12) if months / step <= 6)
    every = range(
        first.year * 12 + first.month, last.year * 12 + last.month, step
    )  # from the month after the first day
    return [(date(month // 12, month % 12 + 1, 1).toordinal(), f"{month // 12}-{month % 12 + 1:02}") for month in every]


def cost_ticks(low: float, high: float) -> list[Tick]:
    """Powers of ten, with some of their multiples where those are few, for a logarithmic axis of a third of a power at least.

    Example:
        >>> cost_ticks(4e6, 2e7)
        [(5000000.0, '5M'), (7000000.0, '7M'), (10000000.0, '10M'), (20000000.0, '20M')]
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        found = [factor * 10.0**power for power in powers for factor in factors]
        found = [value for value in found if low <= value <= high * (1 + 1e-9)]
        if len(found) <= 7:
            break
    every = -(-len(found) // 7)
    return [(value, count_text(value)) for value in found[::every]]


def count_text(count: float) -> str:
    """A count with a letter for its scale, to three digits.

    Example:
        >>> count_text(480e6), count_text(37e9), count_text(1.5e12), count_text(950)
        ('480M', '37B', '1.5T', '950')
    """
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if count >= size * 0.9995:
            return f"{count / size:.3g}{letter}" if count < size * 999.5 else f"{count / size:.0f}{letter}"
    return f"{count:.3g}"


def _number(value: float, decimals: int) -> str:
    if abs(value) >= 1e6:
        return ("−" if value < 0 else "") + count_text(abs(value))
    return (f"{value:,.{decimals}f}" if decimals <= 4 else f"{value:.3g}").replace("-", "−")
