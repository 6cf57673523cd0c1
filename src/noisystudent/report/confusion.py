"""Which classes a network takes for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

SHOWN = 30  # classes in the matrix
PAIRS = 10


@dataclass(frozen=True)
class ClassRow:
    """A row of the matrix: what the images of one class were taken for.

    Attributes:
        name: the true class.
        images: how many there are.
        right: percent taken for what they are.
        cells: for each class shown, (images, percent of this row).
        elsewhere: images taken for a class that is not shown.
    """

    name: str
    images: int
    right: float
    cells: list[tuple[int, float]]
    elsewhere: int


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix and its most frequent mistakes.

    Attributes:
        rows: of the classes shown.
        classes: how many there are in all.
        images: how many were evaluated.
        pairs: the most frequent mistakes as (true class, taken for, images, images of the true class).
    """

    rows: list[ClassRow]
    classes: int
    images: int
    pairs: list[tuple[str, str, int, int]]

    @property
    def longest(self) -> int:
        """The length of the longest name shown."""
        return max((len(row.name) for row in self.rows), default=0)

    @property
    def elsewhere(self) -> bool:
        """Whether a row needs a column for classes that are not shown."""
        return any(row.elsewhere for row in self.rows)


def read_confusion(path: Path, names: Sequence[str]) -> Confusion | None:
    """The confusion of the predictions in a file of `evaluation/`; None when it is not there.

    Of more than `SHOWN` classes, those with the most mistakes are shown, whether made on their images or in their name.

    Args:
        path: a table with `label` and `predicted`.
        names: of the classes.
    """
    if not path.exists():
        return None
    table = pq.read_table(path, columns=["label", "predicted"])
    counts = _pairs(table["label"].to_numpy(), table["predicted"].to_numpy(), len(names))
    totals = np.zeros(len(names), dtype=np.int64)
    mistakes = np.zeros(len(names), dtype=np.int64)
    for (truth, predicted), images in counts.items():
        totals[truth] += images
        if truth != predicted:
            mistakes[[truth, predicted]] += images
    shown = sorted(np.argsort(-mistakes, kind="stable")[:SHOWN].tolist())
    wrong = sorted((-images, pair) for pair, images in counts.items() if pair[0] != pair[1])
    return Confusion(
        rows=[_row(truth, counts, shown, names, int(totals[truth])) for truth in shown],
        classes=len(names),
        images=table.num_rows,
        pairs=[(names[a], names[b], -images, int(totals[a])) for images, (a, b) in wrong[:PAIRS]],
    )


def _pairs(labels: np.ndarray, predicted: np.ndarray, classes: int) -> dict[tuple[int, int], int]:
    """How often each pair occurs. With many classes nearly none do, so there is no K x K matrix."""
    codes, counts = np.unique(labels.astype(np.int64) * classes + predicted, return_counts=True)
    return {divmod(code, classes): count for code, count in zip(codes.tolist(), counts.tolist(), strict=True)}


def _row(
    truth: int, counts: dict[tuple[int, int], int], shown: list[int], names: Sequence[str], images: int
) -> ClassRow:
    cells = [counts.get((truth, predicted), 0) for predicted in shown]
    share = 100 / max(images, 1)
    return ClassRow(
        name=names[truth],
        images=images,
        right=share * counts.get((truth, truth), 0),
        cells=[(cell, share * cell) for cell in cells],
        elsewhere=images - sum(cells),
    )
