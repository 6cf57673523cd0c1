"""Several teachers label together: what they say on the mean is more often right than the best of them alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from noisystudent.pseudo.label import Labeler, Predicted


class MeanOf:
    """The mean of what several teachers say of the same images; an image that one of them cannot read is left out.

    Args:
        teachers: of the same images, in the same order, and the same classes.
        votes: whether each has one vote, its most probable class, in place of its probabilities (V-PET, arXiv 2503.09707).
    """

    def __init__(self, teachers: Sequence[Labeler], *, votes: bool = False) -> None:
        self._teachers, self._votes = teachers, votes

    def __len__(self) -> int:
        return len(self._teachers[0])

    @property
    def image_size(self) -> int:
        """The largest of theirs."""
        return max(teacher.image_size for teacher in self._teachers)

    def read(self, rows: np.ndarray) -> list[Any]:
        return [teacher.read(rows) for teacher in self._teachers]

    def __call__(self, rows: np.ndarray, read: list[Any]) -> Predicted:
        said = [teacher(rows, own) for teacher, own in zip(self._teachers, read, strict=True)]
        skipped = {skipped.id: skipped for predicted in said for skipped in predicted.skipped}
        read = [np.array([id not in skipped for id in predicted.ids], dtype=bool) for predicted in said]
        opinions = [self._opinion(predicted.probabilities[rows]) for predicted, rows in zip(said, read, strict=True)]
        # Perceptual hashes are of the view of each: those of the first are taken, as if it labeled alone.
        ids = [id for id, there in zip(said[0].ids, read[0].tolist(), strict=True) if there]
        return Predicted(ids, np.mean(opinions, axis=0), said[0].hashes[read[0]], list(skipped.values()))

    def _opinion(self, probabilities: np.ndarray) -> np.ndarray:
        if not self._votes:
            return probabilities
        chosen: np.ndarray = np.eye(probabilities.shape[1])[probabilities.argmax(axis=1)]
        return chosen
