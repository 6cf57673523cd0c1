"""What a teacher said of selected images, laid out on disk in their order: of all of them at once it would not fit into memory."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from noisystudent.data.parts import PartsTable
from noisystudent.data.row_file import RowFile
from noisystudent.errors import UserError

ALL: dict[str, type[np.generic]] = {"probabilities": np.float16}
HIGHEST: dict[str, type[np.generic]] = {"topk_labels": np.int32, "topk_probabilities": np.float16}


class Distributions(Protocol):
    """Rows of probabilities of K classes."""

    def read(self, numbers: np.ndarray) -> np.ndarray:
        """Those of some rows, float [n, K]."""
        ...


class MostProbable:
    """Of each row the probabilities of its k most probable classes; what is left is spread evenly over the others.

    Args:
        labels: int32 [N, k].
        probabilities: float16 [N, k].
        classes: K, more than k.
    """

    def __init__(self, labels: RowFile, probabilities: RowFile, classes: int) -> None:
        self._labels, self._probabilities, self._classes = labels, probabilities, classes

    def read(self, numbers: np.ndarray) -> np.ndarray:
        """float32 [n, K]."""
        labels, given = self._labels.read(numbers), self._probabilities.read(numbers).astype(np.float32)
        left = np.clip(1 - given.sum(axis=1, keepdims=True), 0, None) / (self._classes - given.shape[1])
        rows = np.repeat(left, self._classes, axis=1)
        np.put_along_axis(rows, labels.astype(np.int64), given, axis=1)
        return rows


def distributions(predictions: Path, ids: pa.ChunkedArray, folder: Path, *, classes: int) -> Distributions:
    """What the predictions of a folder say of some images, in their order.

    Args:
        predictions: with all probabilities, or those of the most probable classes.
        ids: of the images.
        folder: on whose disk it is laid out.
        classes: K.

    Raises:
        UserError: an image has no prediction.
    """
    there = pq.read_schema(min(predictions.glob("part-*.parquet"))).names
    kinds = ALL if "probabilities" in there else HIGHEST
    table = PartsTable(predictions, list(kinds))
    positions = table.find(ids)
    if (positions < 0).any():
        raise UserError(
            f"{(positions < 0).sum()} selected images have no prediction in {predictions}: put it back as it was"
        )
    files = [RowFile(folder, table.width(column), kind) for column, kind in kinds.items()]
    for here, values in table.by_part(positions):
        for file, rows in zip(files, values, strict=True):
            file.write(here, rows)
    return files[0] if len(files) == 1 else MostProbable(files[0], files[1], classes)
