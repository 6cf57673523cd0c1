"""How steady predictions are over the frames of ImageNet-P (Hendrycks and Dietterich 2019, section 4.2; spec section 5.3)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

MAIN = (
    *("gaussian_noise", "shot_noise", "motion_blur", "zoom_blur", "snow", "brightness"),
    *("translate", "rotate", "tilt", "scale"),
)
"""The perturbations of the mean."""

NOISE = ("gaussian_noise", "shot_noise", "speckle_noise")
"""Their frames are independent: each is compared with the first, which is clean. Those of all others follow one another."""

ALEXNET_FLIPS = {
    "gaussian_noise": 23.653,
    "shot_noise": 30.062,
    "motion_blur": 9.297,
    "zoom_blur": 5.942,
    "snow": 11.928,
    "brightness": 4.889,
    "translate": 11.007,
    "rotate": 13.104,
    "tilt": 7.050,
    "scale": 23.531,
}
"""Flip probabilities of AlexNet in percent, from one third party (spec section 5.3). Its top-5 distances were found nowhere."""

UNNORMALIZED = dict.fromkeys(MAIN, 100.0)
"""The convention of CIFAR-10-P: the mean flip probability itself."""


def flips(scores: np.ndarray, perturbation: str) -> float:
    """Of one sequence, the share of frames whose class is not that of its reference.

    Args:
        scores: logits or probabilities [frames, classes].
        perturbation: decides what a frame is compared with.

    Example:
        >>> there_and_back = np.eye(3)[[0, 1, 0]]
        >>> flips(there_and_back, "rotate"), flips(there_and_back, "gaussian_noise")
        (1.0, 0.5)
    """
    classes = scores.argmax(axis=1)
    return float((classes[1:] != _references(classes, perturbation)).mean())


def top5_distance(scores: np.ndarray, perturbation: str) -> float:
    """Of one sequence, how far the reference's five first classes are from their places, mean over the frames.

    Each is as far as its rank moved, where all ranks below the fifth count as the sixth.

    Args:
        scores: logits or probabilities [frames, classes], five classes or more.
        perturbation: decides what a frame is compared with.

    Example:
        >>> top5_distance(np.array([[6.0, 5, 4, 3, 2, 1], [5, 6, 4, 3, 2, 1]]), "rotate")
        2.0
    """
    order = np.argsort(-scores, axis=1, kind="stable")  # classes by rank
    ranks = np.argsort(order, axis=1)  # ranks, from 0, by class
    first_five = _references(order, perturbation)[:, :5]
    now = np.take_along_axis(ranks[1:], first_five, axis=1)
    return float(np.abs(np.minimum(now, 5) - np.arange(5)).sum(axis=1).mean())


def mean_flip_rate(
    probabilities: Mapping[str, float], normalizers: Mapping[str, float] = ALEXNET_FLIPS
) -> dict[str, float]:
    """Flip rates against a network's, and their mean over the ten.

    Args:
        probabilities: of each perturbation, the flip probability in percent: the mean of `flips` over the sequences.
        normalizers: that network's, in percent.

    Returns:
        `fr_<perturbation>` in percent; `mfr` when all ten are there.

    Example:
        >>> round(mean_flip_rate({name: flips / 4 for name, flips in ALEXNET_FLIPS.items()})["mfr"], 6)
        25.0
    """
    known = {name: value for name, value in probabilities.items() if name in normalizers}
    found = {f"fr_{name}": 100 * value / normalizers[name] for name, value in known.items()}
    if all(f"fr_{name}" in found for name in MAIN):
        found["mfr"] = sum(found[f"fr_{name}"] for name in MAIN) / len(MAIN)
    return found


def _references(frames: np.ndarray, perturbation: str) -> np.ndarray:
    """What each frame but the first is compared with: the first one, or the one before."""
    return np.broadcast_to(frames[:1], frames[1:].shape) if perturbation in NOISE else frames[:-1]
