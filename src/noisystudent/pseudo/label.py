"""The teacher labels the unlabeled images: without noise, on clean images, with the averaged weights (spec sections 1.1, 1.4)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from accelerate import Accelerator

from noisystudent import atomic
from noisystudent.config import Execution
from noisystudent.data.duplicates import dhash
from noisystudent.data.images import ImageSet, Skipped
from noisystudent.models.classifier import Classifier
from noisystudent.progress import track

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


def label(
    teacher: Classifier, images: ImageSet, folder: Path, *, execution: Execution, description: str = "labeling"
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
    """
    starts = range(0, len(images), execution.part_rows)
    parts = [folder / f"part-{number:05d}.parquet" for number in range(len(starts))]
    done = sum(
        min(execution.part_rows, len(images) - start)
        for start, part in zip(starts, parts, strict=True)
        if part.exists()
    )
    with track(description, len(images), done=done) as advance:
        for start, part in zip(starts, parts, strict=True):
            if part.exists():
                continue
            rows = np.arange(start, min(start + execution.part_rows, len(images)))
            tables, skipped = [], []
            for batch in np.array_split(rows, math.ceil(len(rows) / execution.label_batch_size)):
                predicted = predict_rows(teacher, images, batch, execution=execution)
                tables.append(predicted.table())
                skipped += predicted.skipped
                advance(len(batch), "")
            _write(part, pa.concat_tables(tables), skipped)
    return [Skipped(**row) for part in parts for row in pq.read_table(_skipped_path(part)).to_pylist()]


def predict_rows(teacher: Classifier, images: ImageSet, rows: np.ndarray, *, execution: Execution) -> Predicted:
    """The teacher's predictions for some rows of an image set, in their order, unreadable ones left out."""
    pixels, reasons = images.try_fetch(rows)
    accelerator = Accelerator(
        cpu=execution.device == "cpu", mixed_precision="bf16" if execution.precision == "bf16" else "no"
    )
    teacher.network.to(accelerator.device)
    with accelerator.autocast():
        logits = teacher.logits(pixels)
    probabilities = torch.softmax(logits.double(), dim=1).cpu().numpy()
    ids: list[str] = images.manifest.table["id"].take(pa.array(rows)).to_pylist()
    read = [position for position in range(len(rows)) if position not in reasons]
    return Predicted(
        [ids[position] for position in read],
        probabilities[read],
        dhash(pixels)[read],
        [Skipped(ids[position], "label", reason) for position, reason in reasons.items()],
    )


def _skipped_path(part: Path) -> Path:
    return part.parent / "skipped" / part.name


def _write(part: Path, table: pa.Table, skipped: list[Skipped]) -> None:
    """The list of skipped images first: a part that exists says that its list does too."""
    with atomic.replacing(_skipped_path(part)) as temporary:
        pq.write_table(pa.Table.from_pylist([row._asdict() for row in skipped], schema=SKIPPED_SCHEMA), temporary)
    with atomic.replacing(part) as temporary:
        pq.write_table(table, temporary)
