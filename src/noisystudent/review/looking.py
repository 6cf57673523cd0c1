"""What the network that a run hands on sees in each image, and what it says of it: looked at once, a part after another."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import torch

from noisystudent.config import Execution
from noisystudent.data.duplicates import dhash
from noisystudent.data.images import Fetched, ImageSet, Skipped, told_apart
from noisystudent.data.manifest import Manifest
from noisystudent.data.parts import PartsTable, write_parts
from noisystudent.device import compute_device, labeling_precision
from noisystudent.features.embedding import Embedded
from noisystudent.features.heads import has_linear_head, head_of
from noisystudent.models.classifier import Classifier
from noisystudent.models.probabilities import finite_probabilities
from noisystudent.review.known_classes import KnownClasses

FIELDS = [
    ("id", pa.string()),
    ("label", pa.int32()),
    ("confidence", pa.float32()),
    ("second", pa.int32()),
    ("second_confidence", pa.float32()),
    ("dhash", pa.uint64()),
]


class Seen(NamedTuple):
    """Of the images that could be read ids, features float32 [n, D], probabilities float64 [n, K], hashes uint64 [n]; and the others."""

    ids: list[str]
    values: np.ndarray
    probabilities: np.ndarray
    hashes: np.ndarray
    skipped: list[Skipped]


class Looking(Protocol):
    """Sees some rows of a manifest of N images, by what it read of them, which another thread may do before."""

    image_size: int

    def __len__(self) -> int: ...

    def read(self, rows: np.ndarray) -> Any: ...

    def __call__(self, rows: np.ndarray, read: Any) -> Seen: ...


class ByPixels:
    """A network that looks at the images.

    Args:
        classifier: in evaluation mode.
        images: as it wants them.
        execution: device and precision.
    """

    def __init__(self, classifier: Classifier, images: ImageSet, execution: Execution) -> None:
        self.image_size = classifier.preprocessing.image_size
        self._classifier, self._images, self._execution = classifier, images, execution
        self._head = head_of(classifier) if has_linear_head(classifier) else None

    def __len__(self) -> int:
        return len(self._images)

    def read(self, rows: np.ndarray) -> Fetched:
        return self._images.try_fetch(rows)

    def __call__(self, rows: np.ndarray, read: Fetched) -> Seen:
        pixels, reasons = read
        device = compute_device(self._execution)
        self._classifier.network.to(device)
        with labeling_precision(self._execution, device):
            values = self._classifier.features(pixels).flatten(1).cpu().numpy()
            looked = self._classifier.logits(pixels) if self._head is None else None
        logits = torch.from_numpy(self._head.logits(values)) if self._head else looked
        assert logits is not None
        ids, there, skipped = told_apart(self._images.manifest, rows, reasons, stage="review")
        return Seen(ids, values[there], finite_probabilities(logits)[there], dhash(pixels)[there], skipped)


class ByFeatures:
    """A linear classifier on features that the run has on disk: no image is looked at.

    Args:
        classifier: the pretrained network with that classifier as its last layer.
        folder: of the features.
        manifest: the images; of those that are not in the table the table says why.
    """

    image_size = 1

    def __init__(self, classifier: Classifier, folder: Path, manifest: Manifest) -> None:
        self._head, self._embedded = head_of(classifier), Embedded(folder, manifest)
        self.read = self._embedded.read

    def __len__(self) -> int:
        return len(self._embedded)

    def __call__(self, rows: np.ndarray, read: tuple[np.ndarray, np.ndarray]) -> Seen:
        values, hashes = read
        ids, absent = self._embedded.ids(rows)
        skipped = [Skipped(id, "review", self._embedded.unread.get(id, "not embedded")) for id in absent]
        probabilities = finite_probabilities(torch.from_numpy(self._head.logits(values)))
        return Seen(ids, values, probabilities, hashes, skipped)


def look(
    looking: Looking, folder: Path, *, execution: Execution, known: KnownClasses | None, description: str
) -> list[Skipped]:
    """Write `folder/part-*.parquet`, a row for each image that can be read; parts that are there are not made again.

    Args:
        looking: sees the images.
        folder: of the table: `FIELDS`, and `likeness` to the classes, or where these are not known yet the `features`.
        execution: device, batch size, rows of a part.
        known: what the classes look like.
        description: for the progress shown.

    Returns:
        The images that could not be read.

    Raises:
        UserError: none of them can be read.
    """

    def make(rows: np.ndarray, read: Any) -> tuple[pa.Table, list[Skipped]]:
        seen = looking(rows, read)
        return _table(seen, known), seen.skipped

    return write_parts(
        looking.read,
        make,
        len(looking),
        folder,
        image_size=looking.image_size,
        execution=execution,
        description=description,
    )


def _table(seen: Seen, known: KnownClasses | None) -> pa.Table:
    rows = np.arange(len(seen.ids))
    order = np.argsort(-seen.probabilities, axis=1, kind="stable")
    first, second = order[:, 0], order[:, 1]
    columns = [
        pa.array(seen.ids, pa.string()),
        pa.array(first.astype(np.int32)),
        pa.array(seen.probabilities[rows, first].astype(np.float32)),
        pa.array(second.astype(np.int32)),
        pa.array(seen.probabilities[rows, second].astype(np.float32)),
        pa.array(seen.hashes, pa.uint64()),
    ]
    width = seen.values.shape[1]
    if known is None:
        kept = pa.FixedSizeListArray.from_arrays(pa.array(seen.values.astype(np.float32).ravel()), width)
        last = ("features", pa.list_(pa.float32(), width))
    else:
        kept, last = pa.array(known.likeness(seen.values)), ("likeness", pa.float32())
    return pa.Table.from_arrays([*columns, kept], schema=pa.schema([*FIELDS, last]))


def read_features(folder: Path, ids: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Of images that could be read: their rows in `ids`, int64 [n], and their features, float32 [n, D], as `look` wrote them."""
    table = PartsTable(folder, ["features"])
    at = table.find(ids)
    rows = np.flatnonzero(at >= 0)
    values = np.zeros((len(rows), table.width("features")), np.float32)
    for here, (features,) in table.by_part(at[rows]):
        values[here] = features
    return rows, values
