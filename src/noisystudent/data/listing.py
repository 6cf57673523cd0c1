"""What a reader of one kind of source hands back, before labels become numbers."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import pyarrow as pa


@dataclass
class Listing:
    """The images of a source.

    Attributes:
        ids: an id each, valid UTF-8.
        uris: an address each, in the same order.
        labels: int64 or string, null where an image has none; None: the source has no labels at all.
        class_names: given by the source itself for int64 labels, by number; (): the labels name their classes.
        advice: how a user gives labels in this kind of source.
        problems: what is wrong with the source.
        label_problems: what is wrong only for those who need its labels.
        notes: what is not wrong, but may not be what the user meant: what was left out.
    """

    ids: list[str] = field(default_factory=list)
    uris: list[str] = field(default_factory=list)
    labels: pa.Array | pa.ChunkedArray | None = None
    class_names: tuple[str, ...] = ()
    advice: str = ""
    problems: list[str] = field(default_factory=list)
    label_problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def as_text(name: str) -> str:
    """A file name as valid UTF-8: bytes that are not are shown as \\xNN."""
    return name if name.isascii() else os.fsencode(name).decode("utf-8", "backslashreplace")


def as_texts(names: list[str]) -> list[str]:
    """`as_text` of many."""
    return names if all(map(str.isascii, names)) else [as_text(name) for name in names]


def short_names(paths: list[str]) -> list[str]:
    """The paths relative to the folder that they share: file names, where they lie in one folder."""
    shared = os.path.commonpath([os.path.dirname(path) for path in paths]) if paths else ""
    return [as_text(os.path.relpath(path, shared)) for path in paths]
