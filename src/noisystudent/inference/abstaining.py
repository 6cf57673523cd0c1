"""From which confidence on a model's answers are as often right as wanted: below it, it rather says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from noisystudent.config import Execution
from noisystudent.data.images import image_set
from noisystudent.data.manifest import Manifest
from noisystudent.errors import UserError
from noisystudent.evaluation.clean import Scores, align_labels, answered
from noisystudent.evaluation.intervals import wilson_interval
from noisystudent.evaluation.suites import labeled_images
from noisystudent.models.classifier import Classifier
from noisystudent.progress import logger, track
from noisystudent.pseudo.label import ByNetwork
from noisystudent.rundir import run_of


class Threshold(NamedTuple):
    """A least confidence, and what came of it on validation images.

    Args:
        confidence: the least.
        precision: how many of the answers that reach it are right, in percent.
        ci95: Wilson's 95 % interval of that.
        answered: images whose answer reaches it.
        n: validation images.
    """

    confidence: float
    precision: float
    ci95: tuple[float, float]
    answered: int
    n: int


def least_confidence(scores: Scores, precision: float) -> Threshold:
    """The least confidence from which on answers to labeled images are right in at least the share `precision` of them.

    Args:
        scores: of the validation images.
        precision: wanted, above 0 and at most 1.

    Raises:
        UserError: not even the surest answers are.

    Example:
        >>> right, confidence = np.array([1, 1, 0, 1]), np.array([0.9, 0.8, 0.7, 0.6])
        >>> scores = Scores(np.ones(4, int), right, confidence, confidence, right, 2)
        >>> least_confidence(scores, 0.75)[:2], round(least_confidence(scores, 0.9).confidence, 1)
        ((0.6000000238418579, 75.0), 0.8)
    """
    confidence = scores.confidence.astype(np.float32)  # as predictions have it
    order = np.argsort(-confidence, kind="stable")
    right = np.cumsum(scores.right[order])
    answered = np.arange(1, len(order) + 1)
    ends = np.append(np.diff(confidence[order]) != 0, True)  # of equals all are answered or none
    good = np.flatnonzero(ends & (right >= precision * answered))
    if not len(good):
        best = 100 * (right / answered)[ends].max()
        raise UserError(
            f"--min-precision {precision:g}: on the {len(order):,} validation images no confidence gives that: the most is {best:.1f} %"
        )
    last = int(good[-1])
    successes, n = int(right[last]), int(answered[last])
    interval = wilson_interval(successes, n)
    return Threshold(float(confidence[order[last]]), 100 * successes / n, interval, n, len(order))


def threshold_on(
    classifier: Classifier, model: str | Path | None, precision: float, *, val: str, execution: Execution
) -> Threshold:
    """The least confidence that gives a precision on validation images, which are looked at as those to predict will be.

    Args:
        classifier: in evaluation mode.
        model: what it was called, which may be a run that has validation images; None: nothing.
        precision: wanted, above 0 and at most 1.
        val: labeled images; "" for those of the run.
        execution: device and precision of the network.

    Raises:
        UserError: no validation images, or no confidence gives the precision.
    """
    manifest = _validation_images(classifier, model, val)
    pictures = image_set(manifest, classifier.preprocessing, execution)
    with track("choosing the least confidence", len(pictures)) as advance:
        labeler = ByNetwork(classifier, pictures, execution)
        scores = answered(labeler, manifest, execution=execution, advance=advance).scores
    found = least_confidence(scores, precision)
    low, high = found.ci95
    logger.info(
        "from a confidence of %.4f on, %.1f %% of the answers are right (95 %% interval %.1f to %.1f): %d of the %d validation images",
        *(found.confidence, found.precision, low, high, found.answered, found.n),
    )
    if low < 100 * precision:
        logger.warning(
            "with so few validation images the precision on new ones may be as low as %.1f %%: more of them would tell",
            low,
        )
    return found


def _validation_images(classifier: Classifier, model: str | Path | None, val: str) -> Manifest:
    if val:
        return labeled_images(val, classifier, "--val")
    run = run_of(model) if model else None
    if run is None or not run.manifest("val").is_file():
        raise UserError("--min-precision needs labeled images that the model did not learn from: give --val SRC")
    return align_labels(Manifest.load(run.manifest("val")), classifier, source=f"the run {run.path}")
