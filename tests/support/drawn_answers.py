"""Answers of a classifier whose confidence is known to be right, too low or too high."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax


def drawn(n: int = 4000, classes: int = 6, sharpness: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Answers that are right as often as they say at sharpness 1, and say more than they know above it."""
    draw = np.random.default_rng(seed)
    logits = draw.normal(scale=1.5, size=(n, classes))
    honest = softmax(logits, axis=1)
    labels = (honest.cumsum(axis=1) > draw.random((n, 1))).argmax(axis=1)
    return softmax(logits * sharpness, axis=1), labels
