"""A file in parts, each of which comes into the catalogue in a change of its own, so that others can write in between.

Where a part ends depends on the file alone. So an import that was killed, when it is given again, meets the same parts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from noisystudent.board.importing import streams
from noisystudent.board.importing.fields import Fields
from noisystudent.board.importing.loss import Loss

LARGEST = 4_000_000  # of the sizes of its objects; of any format, this takes a few tenths of a second
PAUSE = 0.15  # seconds; who waits for SQLite's lock asks for it every 0.1


@dataclass(frozen=True)
class Part:
    """Objects that come into the catalogue together, and what of them cannot be kept."""

    items: list[Fields] = field(default_factory=list)
    report: Loss = field(default_factory=Loss)


def cut(path: Path) -> Iterator[Part]:
    """The parts of a file; none where it has no object.

    Raises:
        UserError: the file is broken, at a place that comes only then.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "tasks.json"
        >>> _ = file.write_text('[{"task": "Parsing"}, {"task": "Chess"}]')
        >>> [[fields.where for fields in part.items] for part in cut(file)]
        [['item 1', 'item 2']]
    """
    part, total = Part(), 0
    for where, item, size in streams.items(path):
        if part.items and total + size > LARGEST:
            yield part
            part, total = Part(), 0
        part.items.append(Fields(item, where, part.report))
        total += size
    if part.items:
        yield part


def at_intervals(parts: Iterator[Part]) -> Iterator[Part]:
    """Parts for one who holds the catalogue's lock while he has one: each comes a moment after the one before was done with."""
    done = -PAUSE
    for part in parts:
        time.sleep(max(0.0, done + PAUSE - time.monotonic()))
        yield part
        done = time.monotonic()
