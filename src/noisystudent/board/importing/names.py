"""Names and texts of results tables, which are kept as they stand but on one line."""

from __future__ import annotations

import re
from typing import Any

from noisystudent.board.importing.fields import Fields

LONGEST = 500  # characters; what is longer is no name


def one_line(fields: Fields, key: str) -> str:
    """The text of a field on one line. Two names that differ in a blank are two names, as they were on the old site.

    Example:
        >>> from noisystudent.board.importing.loss import Loss
        >>> one_line(Fields({"task": " Visual  Dialog\\n"}, "item 1", Loss()), "task")
        'Visual  Dialog'
    """
    return re.sub(r"\s", " ", fields.text(key))


def is_name(text: str, kind: str, fields: Fields) -> bool:
    """Whether a text is short enough for a name; if it is not, it is reported."""
    if len(text) > LONGEST:
        fields.report.lost(kind, fields.where, f"{len(text)} characters are no name: {text}")
    return len(text) <= LONGEST


def name(fields: Fields, key: str) -> str:
    """The name in a field; "" where it is missing or none, which is reported."""
    found = one_line(fields, key)
    if not found:
        fields.report.lost(key, fields.where, "it has no name, so what stands under it is lost, too")
    return found if is_name(found, key, fields) else ""


def names(fields: Fields, key: str) -> list[str]:
    """A list of names, each once."""
    value = fields.item.get(key)
    if value and not isinstance(value, list):
        fields.report.lost(key, fields.where, f"{str(value)[:60]!r} is not a list")
    parts = [Fields({key: part}, fields.where, fields.report) for part in value] if isinstance(value, list) else []
    return [
        text for text in dict.fromkeys(one_line(part, key) for part in parts) if text and is_name(text, key, fields)
    ]


def values(metrics: dict[str, Any], fields: Fields) -> dict[str, str]:
    """The text of each value by the name of its metric. Null says nothing; it is how a Parquet file fills its columns."""
    found: dict[str, str] = {}
    for metric, value in metrics.items():
        if value is None:
            continue
        cell = Fields({"metric": metric, "value": value}, fields.where, fields.report)
        of, raw = name(cell, "metric"), one_line(cell, "value")
        if of and not raw and isinstance(value, str):
            fields.report.lost("value", fields.where, f"that of {of} is empty")
        elif of and raw and is_name(raw, "value", fields):
            found.setdefault(of, raw)
    return found
