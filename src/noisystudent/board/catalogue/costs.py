"""What a model costs, out of the columns of results tables that say it: `Number of params`, `PARAMS (M)`, `GFLOPs`."""

from __future__ import annotations

import re

from noisystudent.board.catalogue.values import parse_value, scaled

_IN_BRACKETS = r" ?+(?:\( ?+(?P<scale>[kmbgt]|million|billion)s? ?+\))?+"  # of a name whose blanks are folded
_PARAMETERS = re.compile(
    rf"#? ?+(?:(?:number|num\.?|no\.?|#) of )?(?:model )?(?:params?\.?|parameters){_IN_BRACKETS}", re.IGNORECASE
)
_OPERATIONS = re.compile(
    rf"(?P<letter>[kmgt])?(?:flops?|macs?){_IN_BRACKETS}|(?:multiply|mult)-adds{_IN_BRACKETS.replace('scale', 'scale_of_adds')}"
    r"|operations per network pass",
    re.IGNORECASE,
)
MOST = 1e18  # more is a slip of the pen, or a count of whole trainings


def parameters(name: str, raw: str) -> float | None:
    """The number of parameters that a metric of this name gives; None for other metrics.

    Example:
        >>> parameters("Number of params", "66M"), parameters("PARAMS (M)", "66.35"), parameters("Accuracy", "66")
        (66000000.0, 66350000.0, None)
    """
    found = _PARAMETERS.fullmatch(" ".join(name.split()))
    return _count(raw, found["scale"] or "") if found else None


def multiply_adds(name: str, raw: str) -> float | None:
    """The operations of one pass of the network that a metric of this name gives; None for other metrics.

    Example:
        >>> multiply_adds("GFLOPs", "37"), multiply_adds("FLOPs (M)", "300"), multiply_adds("FLOPs", "4.2G")
        (37000000000.0, 300000000.0, 4200000000.0)
    """
    found = _OPERATIONS.fullmatch(" ".join(name.split()))
    return _count(raw, found["letter"] or found["scale"] or found["scale_of_adds"] or "") if found else None


def _count(raw: str, scale: str) -> float | None:
    """A count in ones; the letter behind the number is stronger than the one in the name."""
    value = parse_value(raw)
    count = scaled(value if value.unit else value._replace(unit=scale[:1].upper()))
    return float(round(count)) if count is not None and 1 <= count < MOST else None
