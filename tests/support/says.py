"""A teacher without a network, for tests of what is done with its answers."""

from __future__ import annotations

import numpy as np

from noisystudent.data.images import Skipped
from noisystudent.pseudo.label import Labeler, Predicted


class Says:
    """A teacher that says always the same of images called by their row, and cannot read some."""

    image_size = 8

    def __init__(self, probabilities: list[list[float]], *, unreadable: tuple[int, ...] = ()) -> None:
        self.probabilities, self.unreadable = np.array(probabilities), unreadable

    def __len__(self) -> int:
        return len(self.probabilities)

    def read(self, rows: np.ndarray) -> list[int]:
        return rows.tolist()

    def __call__(self, rows: np.ndarray, given: list[int]) -> Predicted:
        assert given == rows.tolist()
        read = [row for row in rows.tolist() if row not in self.unreadable]
        skipped = [Skipped(str(row), "label", "broken") for row in rows.tolist() if row in self.unreadable]
        hashes = np.array(read, dtype=np.uint64)
        return Predicted([str(row) for row in read], self.probabilities[read].reshape(len(read), -1), hashes, skipped)


def asked(labeler: Labeler, rows: np.ndarray) -> Predicted:
    """What a labeler says of some rows."""
    return labeler(rows, labeler.read(rows))
