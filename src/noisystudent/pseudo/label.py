"""The teacher labels the unlabeled images: without noise, on clean images, with the averaged weights (spec sections 1.1, 1.4)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from noisystudent import atomic
from noisystudent.config import Execution
from noisystudent.data.duplicates import dhash
from noisystudent.data.images import ImageSet, Pictures, Skipped
from noisystudent.device import autocast, compute_device
from noisystudent.errors import RunError, UserError
from noisystudent.models.classifier import Classifier
from noisystudent.progress import Advance, track
from noisystudent.pseudo.noised_teacher import NoisedTeacher

SKIPPED_SCHEMA = pa.schema([("id", pa.string()), ("stage", pa.string()), ("reason", pa.string())])


class Predicted(NamedTuple):
    """What the images of a batch got: ids, probabilities float64 [n, K] and hashes uint64 [n] of those read, and the others."""

    ids: list[str]
    probabilities: np.ndarray
    hashes: np.ndarray
    skipped: list[Skipped]

    def table(self) -> pa.Table:
        """Rows of the predictions table."""
        classes = self.probabilities.shape[1]
        columns = [
            pa.array(self.ids, pa.string()),
            pa.array(self.probabilities.argmax(axis=1).astype(np.int32)),
            pa.array(self.probabilities.max(axis=1).astype(np.float32)),
            pa.FixedSizeListArray.from_arrays(pa.array(self.probabilities.astype(np.float16).ravel()), classes),
            pa.array(self.hashes),
        ]
        return pa.Table.from_arrays(columns, schema=predictions_schema(classes))


def predictions_schema(classes: int) -> pa.Schema:
    """Columns of the predictions table: id, arg-max, its probability, all probabilities, perceptual hash."""
    return pa.schema(
        [
            ("id", pa.string()),
            ("label", pa.int32()),
            ("confidence", pa.float32()),
            ("probabilities", pa.list_(pa.float16(), classes)),
            ("dhash", pa.uint64()),
        ]
    )


Teacher = Classifier | NoisedTeacher


def write_predictions(
    teacher: Teacher, images: ImageSet, folder: Path, *, execution: Execution, description: str = "labeling"
) -> list[Skipped]:
    """Write `folder/part-*.parquet`, a row for each image that can be read; parts that are there are not made again.

    Args:
        teacher: in evaluation mode.
        images: at the teacher's own image size.
        folder: of the predictions table.
        execution: device, precision, batch size, rows of a part.
        description: for the progress shown.

    Returns:
        The images that could not be read.

    Raises:
        UserError: none of them can be read.
    """
    part_rows = _rows_of_a_part(folder) or execution.part_rows
    starts = range(0, len(images), part_rows)
    parts = [folder / f"part-{number:05d}.parquet" for number in range(len(starts))]
    done = sum(min(part_rows, len(images) - start) for start, part in zip(starts, parts, strict=True) if part.exists())
    with track(description, len(images), done=done) as advance:
        for start, part in zip(starts, parts, strict=True):
            if part.exists():
                continue
            rows = np.arange(start, min(start + part_rows, len(images)))
            tables: list[pa.Table] = []
            unread: list[Skipped] = []
            for predicted in predict_batches(teacher, images, rows, execution=execution, advance=advance):
                tables.append(predicted.table())
                unread += predicted.skipped
            _write(part, pa.concat_tables(tables), unread)
    skipped = [Skipped(**row) for part in parts for row in pq.read_table(_skipped_path(part)).to_pylist()]
    if len(skipped) == len(images):
        for part in parts:  # so that the same command, given when the images are mended, looks at them again
            part.unlink()
        raise UserError(f"none of the {len(images)} images can be read; the first: {skipped[0].reason}")
    return skipped


def _rows_of_a_part(folder: Path) -> int:
    """How many images the parts that are there were made of (the last one perhaps of fewer); 0 when there are none.

    A labeling that goes on keeps to it, whatever `part_rows` says now.
    """
    first = folder / "part-00000.parquet"
    if not first.exists():
        return 0
    return int(pq.read_metadata(first).num_rows + pq.read_metadata(_skipped_path(first)).num_rows)


def predict_batches(
    classifier: Teacher, images: Pictures, rows: np.ndarray, *, execution: Execution, advance: Advance
) -> Iterator[Predicted]:
    """The predictions for some rows, batch after batch, with each told to the progress shown."""
    for batch in np.array_split(rows, math.ceil(len(rows) / execution.label_batch_size)):
        yield predict_rows(classifier, images, batch, execution=execution)
        advance(len(batch), "")


def predict_rows(teacher: Teacher, images: Pictures, rows: np.ndarray, *, execution: Execution) -> Predicted:
    """The teacher's predictions for some rows of an image set, in their order, unreadable ones left out."""
    pixels, reasons = images.try_fetch(rows)
    device = compute_device(execution)
    teacher.network.to(device)
    with autocast(execution, device):
        logits = teacher.logits(pixels)
    probabilities = finite_probabilities(logits)
    ids: list[str] = images.manifest.table["id"].take(pa.array(rows)).to_pylist()
    read = [position for position in range(len(rows)) if position not in reasons]
    return Predicted(
        [ids[position] for position in read],
        probabilities[read],
        dhash(pixels)[read],
        [Skipped(ids[position], "label", reason) for position, reason in reasons.items()],
    )


def finite_probabilities(logits: Tensor) -> np.ndarray:
    """float64 [N, K].

    Raises:
        RunError: the network's weights are broken.
    """
    probabilities: np.ndarray = torch.softmax(logits.cpu().double(), dim=1).numpy()  # not every GPU has float64
    if not np.isfinite(probabilities).all():
        raise RunError("the network's outputs are infinite or not a number: its weights are broken, train it anew")
    return probabilities


def read_predictions(folder: Path, columns: list[str]) -> pa.Table:
    """Some columns of a predictions table, part after part.

    Raises:
        UserError: a part is not Parquet.
    """
    try:
        return pq.read_table(sorted(folder.glob("part-*.parquet")), columns=columns)
    except pa.ArrowException as error:
        raise UserError(f"the predictions in {folder} cannot be read: {error}") from None


def _skipped_path(part: Path) -> Path:
    return part.parent / "_skipped" / part.name  # readers of Parquet folders pass over names that begin so


def _write(part: Path, table: pa.Table, skipped: list[Skipped]) -> None:
    """The list of skipped images first: a part that exists says that its list does too."""
    with atomic.replacing(_skipped_path(part)) as temporary:
        pq.write_table(pa.Table.from_pylist([row._asdict() for row in skipped], schema=SKIPPED_SCHEMA), temporary)
    with atomic.replacing(part) as temporary:
        pq.write_table(table, temporary)
