"""Labels as people and programs write them, made comparable: what looks the same is the same class."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

_WHOLE = r"^(0|-?[1-9][0-9]{0,17})(\.0+)?$"  # not 007, which is a name
Column: TypeAlias = "pa.Array | pa.ChunkedArray"


def class_name(text: str) -> str:
    """A name without spaces around it, its accents composed: two ways to store a name that look alike give one class.

    Example:
        >>> class_name(" re\\u0301sine ") == "r\\u00e9sine"
        True
    """
    return unicodedata.normalize("NFC", text).strip()


def class_names(names: Column) -> Column:
    """`class_name` of a whole column; "" becomes null."""
    names = pc.utf8_trim_whitespace(pc.utf8_normalize(names, form="NFC"))
    return pc.if_else(pc.equal(names, ""), None, names)


def plain_labels(labels: Column) -> Column:
    """Labels as int64, or as names, whatever kind of column they came in: text 0, text 0.0, 0 and 0.0 are one class.

    Args:
        labels: text, whole numbers in any type, or such a dictionary. Text becomes numbers if all of it is written as whole
            numbers are.

    Returns:
        int64 or string; null where there is none.

    Raises:
        pa.ArrowException: it holds something else.

    Example:
        >>> plain_labels(pa.array(["1.0", "0"])).to_pylist()
        [1, 0]
    """
    labels = _without_dictionary(labels)
    if pa.types.is_floating(labels.type):
        labels = pc.if_else(pc.is_nan(labels), None, labels)  # as pandas writes a whole number that is missing
    if not _is_text(labels):
        return labels.cast(pa.int64())
    names = class_names(labels.cast(pa.string()))
    if pc.all(pc.match_substring_regex(names, _WHOLE)).as_py() is False:
        return names
    return pc.replace_substring_regex(names, r"\.0+$", "").cast(pa.int64())


def joined_labels(columns: list[pa.ChunkedArray]) -> pa.ChunkedArray:
    """`plain_labels` of the parts of one column, whose types may differ a little.

    Raises:
        pa.ArrowException: some hold numbers and others names.
    """
    columns = [_without_dictionary(column) for column in columns]
    if all(_is_text(column) for column in columns):  # they are numbers only if all of them are
        return plain_labels(_concatenated([column.cast(pa.string()) for column in columns]))
    return _concatenated([plain_labels(column) for column in columns])


def _concatenated(columns: list[pa.ChunkedArray]) -> pa.ChunkedArray:
    return pa.chunked_array([chunk for column in columns for chunk in column.chunks])


def _without_dictionary(labels: Column) -> Column:
    return labels.cast(labels.type.value_type) if pa.types.is_dictionary(labels.type) else labels


def _is_text(labels: Column) -> bool:
    return bool(pa.types.is_string(labels.type) or pa.types.is_large_string(labels.type))


def twins(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Classes whose names differ in capitals, spaces, hyphens or invisible signs alone: likely one class, written in two ways.

    Example:
        >>> twins(["Dog", "cat", "dog", "polar bear", "polar_bear"])
        [('Dog', 'dog'), ('polar bear', 'polar_bear')]
    """
    alike: dict[str, list[str]] = {}
    for name in names:
        signs = (sign for sign in unicodedata.normalize("NFKC", name).casefold() if not _is_filler(sign))
        alike.setdefault("".join(signs) or name, []).append(name)
    return [tuple(found) for found in alike.values() if len(found) > 1]


def _is_filler(sign: str) -> bool:
    return sign in "-_" or unicodedata.category(sign) in ("Zs", "Cf", "Cc", "Pd")
