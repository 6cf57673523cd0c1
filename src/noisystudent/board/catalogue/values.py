"""Numbers out of the text that a table gave: `88.4%`, `37G`, `95.2 ± 0.3`."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

LONGEST = 200  # characters; what is longer is not one number
# A reader can send any text, so nothing here may be tried twice: blanks are folded before, what is taken is not given back.
_NUMBER = r"[-+]?+(?>\d{1,3}(?:,\d{3})++(?:\.\d++)?+|\d++(?:\.\d++)?+|\.\d++)(?:[eE][-+]?+\d++)?+"
_VALUE = re.compile(
    rf"[*†‡]*+ ?+(?P<number>{_NUMBER}) ?+(?P<unit>%|[a-zA-Zµ]{{1,6}}+(?:/s)?+)?+"
    rf" ?+(?:(?:±|\+/-|\+-|\() ?+(?P<spread>{_NUMBER}) ?+(?P<after>%)?+ ?+\)?+)?+ ?+(?P<last>%)?+ ?+[*†‡]*+"
)


class Value(NamedTuple):
    """What a text says: number and spread as written, in `unit` ("" where none stands). No number, where there is not exactly one."""

    number: float | None
    unit: str = ""
    spread: float | None = None


def parse_value(raw: str) -> Value:
    """Read a value of a results table. Ranges, lists and words have no number; nothing is guessed and nothing is scaled.

    Example:
        >>> parse_value("88.4%"), parse_value("95.2 ± 0.3")
        (Value(number=88.4, unit='%', spread=None), Value(number=95.2, unit='', spread=0.3))
        >>> parse_value("37G").unit, parse_value("7.3 ~ 10").number
        ('G', None)
    """
    found = _VALUE.fullmatch(" ".join(raw.replace("−", "-").split())) if len(raw) <= LONGEST else None
    if not found:
        return Value(None)
    number = float(found["number"].replace(",", ""))
    spread = float(found["spread"].replace(",", "")) if found["spread"] else None
    if not math.isfinite(number) or (spread is not None and not math.isfinite(spread)):
        return Value(None)
    return Value(number, found["unit"] or found["after"] or found["last"] or "", spread)


# More digits than these are what is left of a computation in binary: no table gives so many.
SHOWN_DIGITS = 12
_MANY_DIGITS = re.compile(r"(?<![\d.,])\d++\.\d{10,}+(?![\d.,eE])")


def legible(raw: str | None) -> str:
    """A value as pages show it: as its source gave it, but for the last digits of a number that a computer left there.

    Example:
        >>> legible("77.28999999999999"), legible("0.1 ± 0.30000000000000004"), legible("88.40%")
        ('77.29', '0.1 ± 0.3', '88.40%')
    """
    return _MANY_DIGITS.sub(lambda found: f"{float(found[0]):.{SHOWN_DIGITS}g}", raw or "")


def raw_text(value: Any) -> str:
    """The text of a value that a file gave as text or as a number.

    Example:
        >>> raw_text(88.40), raw_text("88.40")
        ('88.4', '88.40')
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(value)
    return value if isinstance(value, str) else str(value)


SCALES = {"k": 1e3, "K": 1e3, "M": 1e6, "m": 1e6, "B": 1e9, "b": 1e9, "G": 1e9, "T": 1e12}


def scaled(value: Value) -> float | None:
    """A count in ones: `37G` is 37 thousand million. For costs, where the letter is a scale and not a unit.

    Example:
        >>> scaled(parse_value("66.35M"))
        66350000.0
    """
    if value.number is None or (value.unit and value.unit not in SCALES):
        return None
    return round(value.number * SCALES[value.unit], 3) if value.unit else value.number
