"""Embed pictures: what a network hands to its last layer, un-noised, once for each picture and kept on disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from noisystudent.config import Execution
from noisystudent.data.ahead import ahead
from noisystudent.data.duplicates import dhash
from noisystudent.data.images import Fetched, ImageSet, Skipped, told_apart
from noisystudent.data.manifest import Manifest
from noisystudent.data.parts import PartsTable, write_parts
from noisystudent.device import batches, compute_device, labeling_precision
from noisystudent.errors import RunError
from noisystudent.models.classifier import Classifier
from noisystudent.progress import Advance


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
        images.try_fetch,
        lambda rows, read: _embed_rows(classifier, images, rows, read, execution),
        len(images),
        folder,
        image_size=classifier.preprocessing.image_size,
        execution=execution,
        description=description,
    )


def all_features(
    classifier: Classifier, images: ImageSet, execution: Execution, *, advance: Advance = lambda *_: None
) -> Iterator[tuple[pa.Table, list[Skipped]]]:
    """Rows of the features table of all images, batch after batch, each told to the progress shown, and those that cannot be read."""
    rows = batches(np.arange(len(images)), images.size, execution)
    for batch, read in ahead(rows, images.try_fetch, compute_device(execution)):
        yield _embed_rows(classifier, images, batch, read, execution)
        advance(len(batch), "")


def features_table(folder: Path) -> PartsTable:
    """What `write_features` wrote, read a part at a time."""
    return PartsTable(folder, ["features", "dhash"])


def take(table: PartsTable, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features, float32 [n, D], and perceptual hashes, uint64 [n], at positions of a features table."""
    values = np.zeros((len(positions), table.width("features")), np.float32)
    hashes = np.zeros(len(positions), np.uint64)
    for here, (features, dhashes) in table.by_part(positions):
        values[here], hashes[here] = features, dhashes
    return values, hashes


class Embedded:
    """The images of a manifest, by a features table.

    Args:
        folder: of the table.
        manifest: the images; of those that are not in it `unread` has the reasons, by id.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._ids, self._table = manifest.table["id"], features_table(folder)
        self._at = self._table.find(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def unread(self) -> dict[str, str]:
        return self._table.unread

    def read(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Features, float32 [n, D], and hashes, uint64 [n], of those of some rows that are in the table."""
        at = self._at[rows]
        return take(self._table, at[at >= 0])

    def ids(self, rows: np.ndarray) -> tuple[list[str], list[str]]:
        """Of some rows: the ids of those that are in the table, and of those that are not."""
        ids, there = np.array(self._ids.take(pa.array(rows)).to_pylist(), dtype=object), self._at[rows] >= 0
        return ids[there].tolist(), ids[~there].tolist()


def read_features(folder: Path, ids: Sequence[str]) -> np.ndarray:
    """The features of some pictures, which are in the table, in this order: float32 [len(ids), D]."""
    table = features_table(folder)
    positions = table.find(pa.array(ids, pa.string()))
    assert (positions >= 0).all(), "what takes part in a fit was embedded"
    return take(table, positions)[0]


def _embed_rows(
    classifier: Classifier, images: ImageSet, rows: np.ndarray, read: Fetched, execution: Execution
) -> tuple[pa.Table, list[Skipped]]:
    pixels, reasons = read
    device = compute_device(execution)
    classifier.network.to(device)
    with labeling_precision(execution, device):
        values = classifier.features(pixels).cpu().numpy().astype(np.float16)
    ids, there, skipped = told_apart(images.manifest, rows, reasons, stage="embed")
    if not np.isfinite(values[there]).all():
        raise RunError("the network's features are infinite or not a number: its weights are broken")
    width = values.shape[1]
    columns = [
        pa.array(ids, pa.string()),
        pa.FixedSizeListArray.from_arrays(pa.array(values[there].ravel()), width),
        pa.array(dhash(pixels)[there]),
    ]
    return pa.Table.from_arrays(columns, schema=features_schema(width)), skipped
