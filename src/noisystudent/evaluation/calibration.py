"""Does a classifier know how often it is right? Calibration errors and reliability."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

BINS = 15


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
