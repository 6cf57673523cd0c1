"""The class of each image, with its confidence: a table that, corrected by hand, is a labeled source."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from noisystudent.config import Execution
from noisystudent.data.images import Skipped
from noisystudent.inference.answering import Answers, Batch, Question, Sources, question
from noisystudent.inference.row_files import as_objects, check_row_file, named_list
from noisystudent.inference.wanted import Wanted
from noisystudent.models.classifier import Classifier
from noisystudent.progress import Advance
from noisystudent.pseudo.label import ByNetwork, Predicted, all_answers, write_predictions


class Prediction(NamedTuple):
    """What a model says of an image.

    Args:
        path: of its file, or where it is none of its own the address that a table may name (`noisystudent.data.uris`).
        label: the name of the most probable class; None where the model is not sure enough.
        confidence: its probability.
        id: of the image in its source.
        probabilities: of the classes that were asked for, by name, the most probable first; of no class unless asked.
    """

    path: str
    label: str | None
    confidence: float
    id: str
    probabilities: dict[str, float]


@overload
def predict(
    model: str | Path | Classifier,
    images: Sources,
    out: None = None,
    *,
    top_k: int = ...,
    probabilities: bool = ...,
    abstain_below: float = ...,
    min_precision: float = ...,
    val: str | Path = ...,
    execution: Execution | None = ...,
) -> list[Prediction]: ...


@overload
def predict(
    model: str | Path | Classifier,
    images: Sources,
    out: str | Path,
    *,
    top_k: int = ...,
    probabilities: bool = ...,
    abstain_below: float = ...,
    min_precision: float = ...,
    val: str | Path = ...,
    execution: Execution | None = ...,
) -> dict[str, Any]: ...


def predict(
    model: str | Path | Classifier,
    images: Sources,
    out: str | Path | None = None,
    *,
    top_k: int = 0,
    probabilities: bool = False,
    abstain_below: float = 0.0,
    min_precision: float = 0.0,
    val: str | Path = "",
    execution: Execution | None = None,
) -> list[Prediction] | dict[str, Any]:
    """Say the class of each image of a source or several, in their order; images that cannot be read are told and left out.

    With `out` a table is written: `path`, `label`, `confidence`, `id`, and what else is asked for; as .parquet all probabilities too.
    It takes little memory, however many images there are, and what was stopped goes on with the same call. Corrected by hand a .csv or
    .parquet is a labeled source: each `path` is absolute, or where an image is no file of its own (a row of a table, a member of a shard)
    the address that `noisystudent.data.uris` gives it, which a source may name as well.

    Args:
        model: a run, a generation, a model folder, a timm name, `hf-hub:owner/name`, or a `Classifier`.
        images: an image source, as for `run`, or several of them.
        out: a .csv, .jsonl or .parquet file that is not there yet. None: the answers are returned.
        top_k: the most probable classes with their probabilities, so many.
        probabilities: those of all classes.
        abstain_below: no label where the confidence is less.
        min_precision: no label below the least confidence from which on so many answers (such as 0.95) are right on validation images.
        val: labeled images for that; without them those that the model's run held out.
        execution: device and precision.

    Returns:
        A `Prediction` an image; with `out` what was done, as `noisystudent predict --json` prints it.

    Raises:
        UserError: no model, no images, `out` cannot be written, or no confidence gives that precision.
    """
    wanted = Wanted(top_k, probabilities, abstain_below, min_precision, str(val))
    if out is not None:
        check_row_file(Path(out))
    answers = predicting(model, images, wanted, ending=Path(out).suffix if out else "", execution=execution)
    if out is not None:
        return answers.to_file(Path(out))
    return [_prediction(row) for rows in answers.collected()[0] for row in as_objects(rows)]


def predicting(
    model: str | Path | Classifier,
    images: Sources,
    wanted: Wanted,
    *,
    ending: str,
    execution: Execution | None = None,
) -> Answers:
    """How the images will be answered.

    Args:
        model, images, execution: as for `predict`.
        wanted: beside the most probable class.
        ending: of the file that the answers are for: a .parquet file has all probabilities unless fewer are wanted.
    """
    wanted.check()
    asked = question(model, images, execution)
    about: dict[str, Any] = {"threshold": {"confidence": wanted.abstain_below}} if wanted.abstain_below else {}
    if wanted.min_precision:
        from noisystudent.inference.abstaining import threshold_on  # a second with SciPy, and seldom needed

        name = None if isinstance(model, Classifier) else model
        found = threshold_on(asked.classifier, name, wanted.min_precision, val=wanted.val, execution=asked.execution)
        about = {"threshold": found._asdict()}
        wanted = wanted._replace(abstain_below=found.confidence)
    if ending == ".parquet" and not wanted.top_k:
        wanted = wanted._replace(probabilities=True)
    labeler = ByNetwork(asked.classifier, asked.pictures, asked.execution)

    def batches(advance: Advance) -> Iterable[Batch]:
        def rows(said: Predicted) -> Batch:
            return said.table(wanted.top_k), said.skipped

        return all_answers(labeler, asked.execution, rows, advance=advance)

    def write_parts(folder: Path, execution: Execution) -> list[Skipped]:
        return write_predictions(labeler, folder, execution=execution, top_k=wanted.top_k, description="predicting")

    schema = _schema(asked, wanted)
    rows = partial(_rows, asked.classifier.class_names, wanted, schema)
    return Answers(asked, "predicting", {"top_k": wanted.top_k}, schema, batches, write_parts, rows, about)


def _schema(asked: Question, wanted: Wanted) -> pa.Schema:
    names = asked.classifier.class_names
    fields = [("path", pa.string()), ("label", pa.string()), ("confidence", pa.float32()), ("id", pa.string())]
    if wanted.probabilities:
        fields.append(named_list("probabilities", pa.list_(pa.float16(), len(names)), names))
    if count := min(wanted.top_k, len(names)):
        fields += [("topk_labels", pa.list_(pa.string(), count)), ("topk_probabilities", pa.list_(pa.float16(), count))]
    return pa.schema(fields)


def _rows(
    class_names: tuple[str, ...], wanted: Wanted, schema: pa.Schema, predictions: pa.Table, paths: pa.Array
) -> pa.Table:
    """The user's rows of a predictions table (`pseudo.label.predictions_schema`)."""
    names = pa.array(class_names, pa.string())
    unsure = pc.less(predictions["confidence"], wanted.abstain_below)
    columns = {
        "path": paths,
        "label": pc.if_else(unsure, None, names.take(predictions["label"].combine_chunks())),
        "confidence": predictions["confidence"],
        "id": predictions["id"],
    }
    if wanted.probabilities:
        columns["probabilities"] = predictions["probabilities"]
    elif wanted.top_k:
        labels, values = _top(predictions, min(wanted.top_k, len(class_names)))
        lists = pa.FixedSizeListArray.from_arrays
        columns["topk_labels"] = lists(names.take(pa.array(labels.ravel())), labels.shape[1])
        columns["topk_probabilities"] = lists(pa.array(values.ravel()), labels.shape[1])
    return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)


def _top(predictions: pa.Table, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The most probable classes and their probabilities, [n, count] each; a table of few classes has the probabilities of all."""
    if "topk_labels" in predictions.column_names:
        return _matrix(predictions["topk_labels"]), _matrix(predictions["topk_probabilities"])
    values = _matrix(predictions["probabilities"])
    key = -values.astype(np.float32)
    key[np.arange(len(key)), predictions["label"].to_numpy()] = -np.inf  # of equals, rounded, the one that was answered
    labels = np.argsort(key, axis=1, kind="stable")[:, :count]
    return labels, np.take_along_axis(values, labels, axis=1)


def _matrix(column: pa.ChunkedArray) -> np.ndarray:
    values: np.ndarray = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return values.reshape(len(column), column.type.list_size)


def _prediction(row: dict[str, Any]) -> Prediction:
    found = row.get("probabilities") or dict(
        zip(row.get("topk_labels", ()), row.get("topk_probabilities", ()), strict=True)
    )
    surest = dict(sorted(found.items(), key=lambda item: -item[1]))
    return Prediction(row["path"], row["label"], row["confidence"], row["id"], surest)
