"""Accuracy on clean images, with 95 % intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from noisystudent.config import Execution
from noisystudent.data.images import ImageSet, Skipped
from noisystudent.data.manifest import Manifest
from noisystudent.errors import UserError
from noisystudent.evaluation.calibration import calibration_error, reliability
from noisystudent.evaluation.intervals import bootstrap_interval, mean_of_rates_interval, wilson_interval
from noisystudent.models.classifier import Classifier
from noisystudent.progress import Advance, track
from noisystudent.pseudo.label import ByNetwork, Labeler, Predicted, all_answers


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


class Scores(NamedTuple):
    """What is measured of probabilities [N, K], a few numbers an image; made by `score`.

    Args:
        labels: the truth, int [N].
        predicted: the most probable class, the first of equals, int [N].
        confidence: its probability, float64 [N].
        correct: the probability of the truth, float64 [N].
        rank: how many classes come before the truth, int [N].
        classes: K.
    """

    labels: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    correct: np.ndarray
    rank: np.ndarray
    classes: int

    @property
    def right(self) -> np.ndarray:
        right: np.ndarray = self.predicted == self.labels
        return right

    @classmethod
    def joined(cls, parts: Iterable[Scores]) -> Scores:
        """Those of one batch after another."""
        labels, predicted, confidence, correct, rank, classes = zip(*parts, strict=True)
        join = np.concatenate
        return cls(join(labels), join(predicted), join(confidence), join(correct), join(rank), classes[0])


def score(probabilities: np.ndarray, labels: np.ndarray) -> Scores:
    """Reduce probabilities [N, K] of images with true labels [N] to what is measured of them.

    Example:
        >>> score(np.array([[0.75, 0.25], [0.6, 0.4]]), np.array([0, 1])).rank.tolist()
        [0, 1]
    """
    rows, classes = np.arange(len(labels)), probabilities.shape[1]
    correct = probabilities[rows, labels]
    better = (probabilities > correct[:, None]).sum(axis=1)
    tied_before = ((probabilities == correct[:, None]) & (np.arange(classes) < labels[:, None])).sum(axis=1)
    predicted = probabilities.argmax(axis=1)
    return Scores(labels, predicted, probabilities[rows, predicted], correct, better + tied_before, classes)


class Answers(NamedTuple):
    """A classifier's answers to labeled images.

    Args:
        ids: of the images.
        scores: what is measured of them, in the order of the ids.
        skipped: what could not be read.
        probabilities: float32 [N, K], where they were asked for; a thousand classes take a hundred times the memory of the scores.
    """

    ids: list[str]
    scores: Scores
    skipped: list[Skipped]
    probabilities: np.ndarray | None = None

    def whole(self) -> np.ndarray:
        """The probabilities, which were asked for."""
        assert self.probabilities is not None, "answers(..., whole=True)"
        return self.probabilities


def answers(
    classifier: Classifier, images: ImageSet, *, execution: Execution, description: str, whole: bool = False
) -> Answers:
    """Classify labeled images, un-noised and in fp32, so as whoever opens the model's folder will find it.

    Args:
        classifier: in evaluation mode.
        images: their manifest's labels are indices of `classifier.class_names` (see `align_labels`).
        execution: device, batch size.
        description: for the progress shown; "" shows none.
        whole: keep all probabilities, beside what is measured of them.

    Raises:
        UserError: none of the images can be read.
    """
    execution = execution.model_copy(update={"labeling_precision": "fp32"})
    with track(description, len(images)) as advance:
        labeler = ByNetwork(classifier, images, execution)
        return answered(labeler, images.manifest, execution=execution, advance=advance, whole=whole)


def answered(
    labeler: Labeler,
    manifest: Manifest,
    *,
    execution: Execution,
    advance: Advance = lambda *_: None,
    whole: bool = False,
) -> Answers:
    """What a labeler answers for the images of a manifest, as `answers` gives it."""
    truth = dict(zip(manifest.ids, manifest.labels.tolist(), strict=True))

    def scored(part: Predicted) -> Answers:
        scores = score(part.probabilities, np.array([truth[id] for id in part.ids], dtype=np.int64))
        skipped = [Skipped(row.id, "evaluate", row.reason) for row in part.skipped]
        return Answers(part.ids, scores, skipped, part.probabilities.astype(np.float32) if whole else None)

    ids: list[str] = []
    scores: list[Scores] = []
    skipped: list[Skipped] = []
    probabilities: np.ndarray | None = None
    for part in all_answers(labeler, execution, scored, advance=advance):
        scores.append(part.scores)
        skipped += part.skipped
        if whole:
            if probabilities is None:
                probabilities = np.empty((len(truth), part.scores.classes), np.float32)
            probabilities[len(ids) : len(ids) + len(part.ids)] = part.whole()
        ids += part.ids
    if not ids:
        raise UserError(f"none of the {len(truth)} images to evaluate on can be read")
    return Answers(ids, Scores.joined(scores), skipped, None if probabilities is None else probabilities[: len(ids)])


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
    scores = given.scores
    images, right = per_class(scores.predicted, scores.labels, len(class_names))
    rows = [
        {"name": name, "n": n, "recall": 100 * hits / n if n else None}
        for name, n, hits in zip(class_names, images.tolist(), right.tolist(), strict=True)
    ]
    return Evaluation(*measure(scores, seed=seed), rows, _predictions(given.ids, scores), given.skipped)


def per_class(predicted: np.ndarray, labels: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each class, how many images there are and how many of them are taken for it, int [K] each.

    Example:
        >>> [counts.tolist() for counts in per_class(np.array([0, 0, 1]), np.array([0, 1, 1]), 3)]
        [[1, 2, 0], [1, 1, 0]]
    """
    return np.bincount(labels, minlength=classes), np.bincount(labels[predicted == labels], minlength=classes)


def measure(scores: Scores, *, seed: int = 0) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Metrics and their intervals.

    Example:
        >>> metrics, ci95 = measure(score(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1])))
        >>> metrics["top1"], [round(bound, 1) for bound in ci95["top1"]]
        (50.0, [9.5, 90.5])
    """
    n, rank, loss = len(scores.labels), scores.rank, nll(scores)
    metrics = {"top1": 100 * float((rank < 1).mean())}
    ci95 = {"top1": wilson_interval(int((rank < 1).sum()), n)}
    if scores.classes > 5:
        metrics["top5"] = 100 * float((rank < 5).mean())
        ci95["top5"] = wilson_interval(int((rank < 5).sum()), n)
    images, right = per_class(scores.predicted, scores.labels, scores.classes)
    there = images > 0
    metrics["balanced_accuracy"] = 100 * float((right[there] / images[there]).mean())
    ci95["balanced_accuracy"] = mean_of_rates_interval(right[there], images[there])
    metrics["nll"] = float(loss.mean())
    ci95["nll"] = bootstrap_interval(loss, seed=seed)
    metrics["ece"] = calibration_error(reliability(scores.confidence, scores.right))
    return metrics, ci95


def nll(scores: Scores) -> np.ndarray:
    """The negative log-likelihood of each image in nats, a probability of 0 standing for 1e-12."""
    loss: np.ndarray = -np.log(np.clip(scores.correct, 1e-12, 1.0))
    return loss


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
    labels = pa.array(indices[manifest.labels].astype(np.int32), mask=manifest.labels < 0)
    return Manifest(manifest.table.set_column(2, "label", labels), tuple(classifier.class_names))


def _some(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(repr(name) for name in names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _predictions(ids: list[str], scores: Scores) -> pa.Table:
    return pa.table(
        {
            "id": pa.array(ids, pa.string()),
            "label": pa.array(scores.labels.astype(np.int32)),
            "predicted": pa.array(scores.predicted.astype(np.int32)),
            "confidence": pa.array(scores.confidence.astype(np.float32)),
            "correct": pa.array(scores.correct.astype(np.float32)),
        }
    )
