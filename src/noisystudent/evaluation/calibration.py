"""Does a classifier know how often it is right? Calibration errors, reliability, and temperature scaling."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

BINS = 15
TEMPERATURES = (0.05, 20.0)  # between which the best is looked for
BLOCK = 1024  # images
SMALLEST = 1e-12  # a probability of 0 stands for this much


class Bin(NamedTuple):
    """Images of like confidence: how many, their mean confidence and their accuracy, both from 0 to 1."""

    images: int
    confidence: float
    accuracy: float


def reliability(confidence: np.ndarray, right: np.ndarray, *, equal: str = "width") -> list[Bin]:
    """Confidence against accuracy in 15 bins, those without images left out.

    Args:
        confidence: the probability of the class that each image was taken for, [N].
        right: whether it is that class, bool [N].
        equal: "width": each bin is as wide as the others, and holds its upper end; "mass": each has as many images as the others.

    Example:
        >>> reliability(np.array([0.9, 0.7]), np.array([True, False]))
        [Bin(images=1, confidence=0.7, accuracy=0.0), Bin(images=1, confidence=0.9, accuracy=1.0)]
    """
    if equal == "width":
        place = np.ceil(confidence * BINS).astype(int).clip(1, BINS)
        groups = [np.flatnonzero(place == bin) for bin in range(1, BINS + 1)]
    elif equal == "mass":
        groups = np.array_split(np.argsort(confidence, kind="stable"), BINS)
    else:
        raise ValueError(f"equal must be 'width' or 'mass', not {equal!r}")
    return [Bin(len(rows), float(confidence[rows].mean()), float(right[rows].mean())) for rows in groups if len(rows)]


def calibration_error(bins: list[Bin]) -> float:
    """The expected calibration error in percent: the mean distance of confidence and accuracy, each bin by its images.

    Example:
        >>> calibration_error([Bin(1, 0.75, 0.0), Bin(3, 0.5, 0.75)])
        37.5
    """
    total = sum(bin.images for bin in bins)
    return 100 * sum(bin.images * abs(bin.confidence - bin.accuracy) for bin in bins) / total


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The temperature that gives the least NLL on validation images (Guo et al. 2017, arXiv 1706.04599).

    Logits are not needed: their softmax has all that a temperature changes. Above 1 the classifier was too sure.

    Args:
        probabilities: [N, K].
        labels: [N], the truth.
    """

    def loss(log_temperature: float) -> float:
        total = 0.0
        for rows in row_blocks(len(labels)):
            scaled = _logits(probabilities[rows]) / np.exp(log_temperature)
            total -= log_softmax(scaled, axis=1)[np.arange(len(scaled)), labels[rows]].sum()
        return total / len(labels)

    found = minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded", options={"xatol": 1e-5})
    return float(np.exp(found.x))


def at_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities [N, K] as they are at another temperature.

    Example:
        >>> at_temperature(np.array([[0.8, 0.2]]), 2.0).round(3).tolist()
        [[0.667, 0.333]]
    """
    cooled: np.ndarray = softmax(_logits(probabilities) / temperature, axis=1)
    return cooled


def row_blocks(number: int) -> list[slice]:
    """So many rows a block at a time: what is computed of a block is then small beside the probabilities of all images."""
    return [slice(start, start + BLOCK) for start in range(0, number, BLOCK)]


def _logits(probabilities: np.ndarray) -> np.ndarray:
    """float64, whatever they are kept in."""
    logits: np.ndarray = np.log(np.clip(probabilities.astype(np.float64), SMALLEST, None))
    return logits
