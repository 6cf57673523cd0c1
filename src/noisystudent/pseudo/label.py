"""The teacher labels the unlabeled images: without noise, on clean images, with the averaged weights (spec sections 1.1, 1.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import pyarrow as pa
from torch import Tensor, nn

from noisystudent import processes
from noisystudent.config import Execution
from noisystudent.data.ahead import ahead
from noisystudent.data.duplicates import dhash
from noisystudent.data.images import Fetched, Pictures, Skipped, told_apart
from noisystudent.data.parts import write_parts
from noisystudent.device import batches, compute_device, labeling_precision
from noisystudent.models.classifier import Preprocessing
from noisystudent.models.probabilities import finite_probabilities
from noisystudent.progress import Advance, as_of_all

Kept = TypeVar("Kept")


class Predicted(NamedTuple):
    """What the images of a batch got: ids, probabilities float64 [n, K] and hashes uint64 [n] of those read, and the others."""

    ids: list[str]
    probabilities: np.ndarray
    hashes: np.ndarray
    skipped: list[Skipped]

    def table(self, top_k: int = 0) -> pa.Table:
        """Rows of the predictions table; see `predictions_schema`."""
        given, classes = self.probabilities, self.probabilities.shape[1]
        kept = [given]
        if 0 < top_k < classes:
            labels = np.argsort(-given, axis=1, kind="stable")[:, :top_k].astype(np.int32)
            kept = [labels, np.take_along_axis(given, labels.astype(np.int64), axis=1)]
        schema = predictions_schema(classes, top_k)
        lists = [field for field in schema if pa.types.is_fixed_size_list(field.type)]
        columns = [
            pa.array(self.ids, pa.string()),
            pa.array(given.argmax(axis=1).astype(np.int32)),
            pa.array(given.max(axis=1).astype(np.float32)),
            *(_lists(values, field.type) for values, field in zip(kept, lists, strict=True)),
            pa.array(self.hashes),
        ]
        return pa.Table.from_arrays(columns, schema=schema)


def _lists(values: np.ndarray, kind: pa.FixedSizeListType) -> pa.Array:
    cells = values.astype(kind.value_type.to_pandas_dtype()).ravel()
    return pa.FixedSizeListArray.from_arrays(pa.array(cells), kind.list_size)


def predictions_schema(classes: int, top_k: int = 0) -> pa.Schema:
    """Columns of the predictions table: id, arg-max, its probability, what is kept of all probabilities, perceptual hash.

    Kept are all of them, or the labels and probabilities of the `top_k` most probable classes, where that is fewer.
    """
    kept = [("probabilities", pa.list_(pa.float16(), classes))]
    if 0 < top_k < classes:
        kept = [("topk_labels", pa.list_(pa.int32(), top_k)), ("topk_probabilities", pa.list_(pa.float16(), top_k))]
    first = [("id", pa.string()), ("label", pa.int32()), ("confidence", pa.float32())]
    return pa.schema([*first, *kept, ("dhash", pa.uint64())])


class Teacher(Protocol):
    """A network that answers for images: a `Classifier`, or one that looks at them in another way."""

    @property
    def network(self) -> nn.Module: ...

    @property
    def preprocessing(self) -> Preprocessing: ...

    def logits(self, images: Tensor) -> Tensor:
        """uint8 [N, C, S, S] to float32 [N, classes]."""


class Labeler(Protocol):
    """Answers for some rows of a manifest of N images, from what it read of them, which another thread may do before."""

    def __len__(self) -> int: ...

    @property
    def image_size(self) -> int:
        """Of the images it looks at, pixels of a side."""

    def read(self, rows: np.ndarray) -> Any: ...

    def __call__(self, rows: np.ndarray, read: Any) -> Predicted: ...


class ByNetwork:
    """A network that looks at the images.

    Args:
        teacher: in evaluation mode.
        images: at the teacher's own image size.
        execution: device and precision.
    """

    def __init__(self, teacher: Teacher, images: Pictures, execution: Execution) -> None:
        self._teacher, self._images, self._execution = teacher, images, execution

    def __len__(self) -> int:
        return len(self._images)

    @property
    def image_size(self) -> int:
        return self._teacher.preprocessing.image_size

    def read(self, rows: np.ndarray) -> Fetched:
        return self._images.try_fetch(rows)

    def __call__(self, rows: np.ndarray, read: Fetched) -> Predicted:
        """The predictions in the order of the rows, unreadable ones left out."""
        pixels, reasons = read
        device = compute_device(self._execution)
        self._teacher.network.to(device)
        with labeling_precision(self._execution, device):
            logits = self._teacher.logits(pixels)
        probabilities = finite_probabilities(logits)
        ids, there, skipped = told_apart(self._images.manifest, rows, reasons, stage="label")
        return Predicted(ids, probabilities[there], dhash(pixels)[there], skipped)


def write_predictions(
    teacher: Labeler, folder: Path, *, execution: Execution, top_k: int = 0, description: str = "labeling"
) -> list[Skipped]:
    """Write `folder/part-*.parquet`, a row for each image that can be read; parts that are there are not made again.

    Args:
        teacher: answers.
        folder: of the predictions table.
        execution: device, batch size, rows of a part.
        top_k: see `predictions_schema`.
        description: for the progress shown.

    Returns:
        The images that could not be read.

    Raises:
        UserError: none of them can be read.
    """

    def make(rows: np.ndarray, read: Any) -> tuple[pa.Table, list[Skipped]]:
        predicted = teacher(rows, read)
        return predicted.table(top_k), predicted.skipped

    size = teacher.image_size
    return write_parts(
        teacher.read, make, len(teacher), folder, image_size=size, execution=execution, description=description
    )


def all_answers(
    labeler: Labeler,
    execution: Execution,
    keep: Callable[[Predicted], Kept],
    *,
    advance: Advance = lambda *_: None,
) -> Iterable[Kept]:
    """What is kept of what a labeler says of all its images, batch after batch; processes share the batches, and all get all.

    Args:
        labeler: answers; in all processes the same.
        execution: device, batch size. The batches are the same for any number of processes, and so are the answers.
        keep: what is kept of the answers for a batch.
        advance: of the progress shown.
    """

    def answered(own: Sequence[np.ndarray]) -> Iterator[Kept]:
        tell = as_of_all(advance, sum(map(len, own)), len(labeler))
        for batch, read in ahead(own, labeler.read, compute_device(execution)):
            yield keep(labeler(batch, read))
            tell(len(batch), "")

    return processes.shared(batches(np.arange(len(labeler)), labeler.image_size, execution), answered)
