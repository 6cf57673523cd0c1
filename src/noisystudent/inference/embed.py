"""What a network hands to its last layer, for each image: for searching, clustering, or a classifier of another kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch

from noisystudent.config import Execution
from noisystudent.data.images import Skipped
from noisystudent.features.embedding import all_features, write_features
from noisystudent.inference.answering import Answers, Batch, Sources, question
from noisystudent.inference.row_files import check_row_file
from noisystudent.models.classifier import Classifier
from noisystudent.progress import Advance


def embed(
    model: str | Path | Classifier, images: Sources, out: str | Path, *, execution: Execution | None = None
) -> dict[str, Any]:
    """Write the features of each image of a source or several, in their order: `path`, `id` and `features`.

    As .parquet and .jsonl the features are a list, as .csv columns `features.0`, `features.1` and so on. They are float16. It takes little
    memory, and what was stopped goes on with the same call. For a few images in a program there is `Classifier.embed`.

    Args:
        model: a run, a generation, a model folder, a timm name, `hf-hub:owner/name`, or a `Classifier`.
        images: an image source, as for `run`, or several of them.
        out: a .csv, .jsonl or .parquet file that is not there yet.
        execution: device and precision.

    Returns:
        What was done, as `noisystudent embed --json` prints it.

    Raises:
        UserError: no model, no images, or `out` cannot be written.
    """
    check_row_file(Path(out))
    return embedding(model, images, execution=execution).to_file(Path(out))


def embedding(model: str | Path | Classifier, images: Sources, *, execution: Execution | None = None) -> Answers:
    """How the images will be embedded; arguments as for `embed`."""
    asked = question(model, images, execution)
    width = _width(asked.classifier)

    def batches(advance: Advance) -> Iterator[Batch]:
        return all_features(asked.classifier, asked.pictures, asked.execution, advance=advance)

    def write_parts(folder: Path, execution: Execution) -> list[Skipped]:
        return write_features(asked.classifier, asked.pictures, folder, execution=execution)

    schema = pa.schema([("path", pa.string()), ("id", pa.string()), ("features", pa.list_(pa.float16(), width))])

    def rows(features: pa.Table, paths: pa.Array) -> pa.Table:
        return pa.Table.from_arrays([paths, features["id"], features["features"]], schema=schema)

    return Answers(asked, "embedding", {"features": width}, schema, batches, write_parts, rows)


def _width(classifier: Classifier) -> int:
    """How long a network's features are, which not every one says."""
    view = classifier.preprocessing
    nothing = torch.zeros(1, view.channels, view.image_size, view.image_size, dtype=torch.uint8)
    return int(classifier.features(nothing).shape[1])
