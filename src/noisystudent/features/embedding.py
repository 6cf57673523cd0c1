"""Embed pictures: what a network hands to its last layer, un-noised, once for each picture and kept on disk."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from noisystudent.config import Execution
from noisystudent.data.duplicates import dhash
from noisystudent.data.images import ImageSet, Skipped
from noisystudent.data.parts import read_parts, write_parts
from noisystudent.device import autocast, batches, compute_device
from noisystudent.errors import RunError
from noisystudent.models.classifier import Classifier
from noisystudent.progress import Advance


class Features(NamedTuple):
    """The features of some pictures.

    Attributes:
        ids: of the pictures, N of them.
        values: float32 [N, D].
    """

    ids: list[str]
    values: np.ndarray

    def of(self, ids: list[str]) -> np.ndarray:
        """The features of these pictures, in this order, float32 [len(ids), D]."""
        position = {id: row for row, id in enumerate(self.ids)}
        rows: np.ndarray = self.values[[position[id] for id in ids]]
        return rows


def features_schema(width: int) -> pa.Schema:
    """Columns of the features table: id, features, perceptual hash."""
    return pa.schema([("id", pa.string()), ("features", pa.list_(pa.float16(), width)), ("dhash", pa.uint64())])


def write_features(
    classifier: Classifier, images: ImageSet, folder: Path, *, execution: Execution, description: str = "embedding"
) -> list[Skipped]:
    """Write `folder/part-*.parquet`, the features of each picture that can be read; parts that are there are not made again.

    Args:
        classifier: in evaluation mode; its last layer takes no part.
        images: as the classifier wants them.
        folder: of the features table.
        execution: device, precision, batch size, rows of a part.
        description: for the progress shown.

    Returns:
        The pictures that could not be read.

    Raises:
        UserError: none of them can be read.
    """

    def make(rows: np.ndarray, advance: Advance) -> tuple[pa.Table, list[Skipped]]:
        tables: list[pa.Table] = []
        unread: list[Skipped] = []
        for batch in batches(rows, classifier.preprocessing.image_size, execution):
            table, skipped = _embed_rows(classifier, images, batch, execution)
            tables.append(table)
            unread += skipped
            advance(len(batch), "")
        return pa.concat_tables(tables), unread

    return write_parts(make, len(images), folder, part_rows=execution.part_rows, description=description)


def read_features(folder: Path) -> Features:
    """Read what `write_features` wrote."""
    table = read_parts(folder, ["id", "features"])
    column = table["features"].combine_chunks()
    values = column.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    return Features(table["id"].to_pylist(), values.reshape(len(table), -1))


def _embed_rows(
    classifier: Classifier, images: ImageSet, rows: np.ndarray, execution: Execution
) -> tuple[pa.Table, list[Skipped]]:
    pixels, reasons = images.try_fetch(rows)
    device = compute_device(execution)
    classifier.network.to(device)
    with autocast(execution, device):
        values = classifier.features(pixels).cpu().numpy().astype(np.float16)
    read = [position for position in range(len(rows)) if position not in reasons]
    if not np.isfinite(values[read]).all():
        raise RunError("the network's features are infinite or not a number: its weights are broken")
    ids: list[str] = images.manifest.table["id"].take(pa.array(rows)).to_pylist()
    width = values.shape[1]
    columns = [
        pa.array([ids[position] for position in read], pa.string()),
        pa.FixedSizeListArray.from_arrays(pa.array(values[read].ravel()), width),
        pa.array(dhash(pixels)[read]),
    ]
    skipped = [Skipped(ids[position], "embed", reason) for position, reason in reasons.items()]
    return pa.Table.from_arrays(columns, schema=features_schema(width)), skipped
