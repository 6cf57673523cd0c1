"""Accuracy on clean images, with 95 % intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from noisystudent.config import Execution
from noisystudent.data.images import ImageSet, Skipped, fits_in_memory
from noisystudent.data.manifest import Manifest
from noisystudent.errors import UserError
from noisystudent.evaluation.calibration import calibration_error, reliability
from noisystudent.evaluation.intervals import bootstrap_interval, mean_of_rates_interval, wilson_interval
from noisystudent.models.classifier import Classifier
from noisystudent.progress import track
from noisystudent.pseudo.label import predict_batches


@dataclass(frozen=True)
class Evaluation:
    """What was measured.

    Args:
        metrics: top1, top5 (from six classes on), balanced_accuracy and ece in percent, nll in nats. Balanced accuracy is the mean
            over the classes that have images of how often an image of the class is recognized.
        ci95: for top1 and top5 Wilson's score interval; for balanced accuracy those of the classes together; for nll a bootstrap
            over the images. None for ece.
        per_class: `name`, `n` images, and `recall` in percent; None for a class without images.
        predictions: id, label (the truth), predicted, confidence, correct (the probability of the truth).
        skipped: images that could not be read; they count for nothing.
    """

    metrics: dict[str, float]
    ci95: dict[str, tuple[float, float]]
    per_class: list[dict[str, Any]]
    predictions: pa.Table
    skipped: list[Skipped]

    def as_json(self) -> dict[str, Any]:
        return {
            "metrics": self.metrics,
            "ci95": self.ci95,
            "n": self.predictions.num_rows,
            "per_class": self.per_class,
        }


class Answers(NamedTuple):
    """A classifier's answers to labeled images: ids, labels int [N], probabilities float64 [N, K], and what could not be read."""

    ids: list[str]
    labels: np.ndarray
    probabilities: np.ndarray
    skipped: list[Skipped]


def answers(classifier: Classifier, images: ImageSet, *, execution: Execution, description: str) -> Answers:
    """Classify labeled images, un-noised and in fp32, so as whoever opens the model's folder will find it.

    Args:
        classifier: in evaluation mode.
        images: their manifest's labels are indices of `classifier.class_names` (see `align_labels`).
        execution: device, batch size.
        description: for the progress shown; "" shows none.

    Raises:
        UserError: none of the images can be read.
    """
    execution = execution.model_copy(update={"precision": "fp32"})
    with track(description, len(images)) as advance:
        rows = np.arange(len(images))
        parts = list(predict_batches(classifier, images, rows, execution=execution, advance=advance))
    truth = dict(zip(images.manifest.ids, images.manifest.labels.tolist(), strict=True))
    ids = [id for part in parts for id in part.ids]
    if not ids:
        raise UserError(f"none of the {len(images)} images to evaluate on can be read")
    labels = np.array([truth[id] for id in ids])
    skipped = [Skipped(row.id, "evaluate", row.reason) for part in parts for row in part.skipped]
    return Answers(ids, labels, np.concatenate([part.probabilities for part in parts]), skipped)


def evaluate(
    classifier: Classifier, images: ImageSet, *, execution: Execution, seed: int = 0, description: str = "evaluating"
) -> Evaluation:
    """Measure a classifier on labeled images; arguments as for `answers`, and the seed of the bootstrap.

    Raises:
        UserError: none of the images can be read.
    """
    given = answers(classifier, images, execution=execution, description=description)
    return judge(given, classifier.class_names, seed=seed)


def judge(given: Answers, class_names: Sequence[str], *, seed: int = 0) -> Evaluation:
    """What answers are worth; labels are indices of `class_names`."""
    predictions = _predictions(given.ids, given.probabilities, given.labels)
    images, right = per_class(given.probabilities.argmax(axis=1), given.labels, len(class_names))
    rows = [
        {"name": name, "n": n, "recall": 100 * hits / n if n else None}
        for name, n, hits in zip(class_names, images.tolist(), right.tolist(), strict=True)
    ]
    return Evaluation(*measure(given.probabilities, given.labels, seed=seed), rows, predictions, given.skipped)


def per_class(predicted: np.ndarray, labels: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each class, how many images there are and how many of them are taken for it, int [K] each.

    Example:
        >>> [counts.tolist() for counts in per_class(np.array([0, 0, 1]), np.array([0, 1, 1]), 3)]
        [[1, 2, 0], [1, 1, 0]]
    """
    return np.bincount(labels, minlength=classes), np.bincount(labels[predicted == labels], minlength=classes)


def measure(
    probabilities: np.ndarray, labels: np.ndarray, *, seed: int = 0
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Metrics and their intervals from probabilities [N, K] and true labels [N].

    Example:
        >>> metrics, ci95 = measure(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1]))
        >>> metrics["top1"], [round(bound, 1) for bound in ci95["top1"]]
        (50.0, [9.5, 90.5])
    """
    n, classes = probabilities.shape
    truth = probabilities[np.arange(n), labels]
    better = (probabilities > truth[:, None]).sum(axis=1)
    tied_before = ((probabilities == truth[:, None]) & (np.arange(classes) < labels[:, None])).sum(axis=1)
    rank = better + tied_before
    loss = -np.log(np.clip(truth, 1e-12, 1.0))
    metrics = {"top1": 100 * float((rank < 1).mean())}
    ci95 = {"top1": wilson_interval(int((rank < 1).sum()), n)}
    if classes > 5:
        metrics["top5"] = 100 * float((rank < 5).mean())
        ci95["top5"] = wilson_interval(int((rank < 5).sum()), n)
    images, right = per_class(probabilities.argmax(axis=1), labels, classes)
    there = images > 0
    metrics["balanced_accuracy"] = 100 * float((right[there] / images[there]).mean())
    ci95["balanced_accuracy"] = mean_of_rates_interval(right[there], images[there])
    metrics["nll"] = float(loss.mean())
    ci95["nll"] = bootstrap_interval(loss, seed=seed)
    metrics["ece"] = calibration_error(reliability(probabilities / probabilities.sum(axis=1, keepdims=True), labels))
    return metrics, ci95


def images_for(
    classifier: Classifier,
    manifest: Manifest,
    execution: Execution,
    *,
    size: int | None = None,
    crop_pct: float | None = None,
    often: bool = False,
) -> ImageSet:
    """The pictures of a manifest as a classifier wants them.

    Args:
        size, crop_pct: in place of the classifier's own.
        often: they are asked for again and again; keep them in memory when they fit.
    """
    view = classifier.preprocessing
    side = size or view.image_size
    return ImageSet(
        manifest,
        size=side,
        channels=view.channels,
        crop_pct=crop_pct or view.crop_pct,
        workers=execution.decoders,
        in_memory=often and fits_in_memory(len(manifest), side, view.channels),
    )


def align_labels(manifest: Manifest, classifier: Classifier, *, source: str) -> Manifest:
    """The manifest with its labels as indices of the model's classes, matched by name.

    Integer labels of a source without class names are taken as indices when the model's classes have other names.

    Raises:
        UserError: the source has classes that the model does not know; both lists are named.
    """
    known = {name: index for index, name in enumerate(classifier.class_names)}
    unknown = [name for name in manifest.class_names if name not in known]
    if not unknown:
        indices = np.array([known[name] for name in manifest.class_names])
    elif len(unknown) == len(manifest.class_names) and all(n.isdigit() and int(n) < len(known) for n in unknown):
        indices = np.array([int(name) for name in manifest.class_names])
    else:
        raise UserError(
            f"{source} has classes that the model does not know: {_some(unknown)}; the model's are {_some(classifier.class_names)}"
        )
    labels = pa.array(indices[manifest.labels].astype(np.int32))
    return Manifest(manifest.table.set_column(2, "label", labels), tuple(classifier.class_names))


def _some(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(repr(name) for name in names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _predictions(ids: list[str], probabilities: np.ndarray, labels: np.ndarray) -> pa.Table:
    return pa.table(
        {
            "id": pa.array(ids, pa.string()),
            "label": pa.array(labels.astype(np.int32)),
            "predicted": pa.array(probabilities.argmax(axis=1).astype(np.int32)),
            "confidence": pa.array(probabilities.max(axis=1).astype(np.float32)),
            "correct": pa.array(probabilities[np.arange(len(labels)), labels].astype(np.float32)),
        }
    )
