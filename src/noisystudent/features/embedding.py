"""Embed pictures: what a network hands to its last layer, un-noised, once for each picture and kept on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from noisystudent.config import Execution
from noisystudent.data.duplicates import dhash
from noisystudent.data.images import ImageSet, Skipped
from noisystudent.data.parts import read_parts, read_skipped, write_parts
from noisystudent.device import autocast, compute_device
from noisystudent.errors import RunError
from noisystudent.models.classifier import Classifier


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
    return write_parts(
        lambda rows: _embed_rows(classifier, images, rows, execution),
        len(images),
        folder,
        image_size=classifier.preprocessing.image_size,
        execution=execution,
        description=description,
    )


class FeaturesTable:
    """What `write_features` wrote, read a part at a time.

    Args:
        folder: of the table.

    Attributes:
        unread: why pictures could not be read, by id.
    """

    def __init__(self, folder: Path) -> None:
        self._parts = sorted(folder.glob("part-*.parquet"))
        self._ends = np.cumsum([pq.read_metadata(part).num_rows for part in self._parts])
        self._ids = read_parts(folder, ["id"])["id"].combine_chunks()
        self.unread = {skipped.id: skipped.reason for part in self._parts for skipped in read_skipped(part)}
        self._width: int = pq.read_schema(self._parts[0]).field("features").type.list_size
        self._opened: tuple[int, np.ndarray, np.ndarray] | None = None

    def find(self, ids: pa.Array | pa.ChunkedArray) -> np.ndarray:
        """The positions of pictures in the table, int64 [n]; -1 for one that is not there."""
        positions: np.ndarray = pc.fill_null(pc.index_in(ids, value_set=self._ids), -1).to_numpy().astype(np.int64)
        return positions

    def take(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Features, float32 [n, D], and perceptual hashes, uint64 [n], at positions of the table."""
        of_part = np.searchsorted(self._ends, positions, side="right")
        values, hashes = np.zeros((len(positions), self._width), np.float32), np.zeros(len(positions), np.uint64)
        for number in np.unique(of_part).tolist():
            features, dhashes = self._part(number)
            here = of_part == number
            rows = positions[here] - (int(self._ends[number - 1]) if number else 0)
            values[here], hashes[here] = features[rows], dhashes[rows]
        return values, hashes

    def _part(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        if self._opened is None or self._opened[0] != number:
            table = pq.read_table(self._parts[number], columns=["features", "dhash"])
            values = table["features"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
            self._opened = number, values.reshape(len(table), self._width), table["dhash"].to_numpy()
        return self._opened[1:]


def read_features(folder: Path, ids: Sequence[str]) -> np.ndarray:
    """The features of some pictures, which are in the table, in this order: float32 [len(ids), D]."""
    table = FeaturesTable(folder)
    positions = table.find(pa.array(ids, pa.string()))
    assert (positions >= 0).all(), "what takes part in a fit was embedded"
    return table.take(positions)[0]


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
