"""Labels out of balance: how often images of small classes are drawn, or by how much logits are moved."""

from __future__ import annotations

import numpy as np


def balancing_copies(labels: np.ndarray) -> np.ndarray:
    """How often each image takes part in an epoch so that every class takes part about as often as the largest; int64 [N].

    Example:
        >>> balancing_copies(np.array([0, 0, 0, 0, 0, 1, 1])).tolist()
        [1, 1, 1, 1, 1, 2, 2]
    """
    counts = np.bincount(labels)
    copies: np.ndarray = np.rint(counts.max() / np.maximum(counts, 1)).astype(np.int64)[labels]
    return copies


def log_shares(labels: np.ndarray, classes: int, weights: np.ndarray | None = None) -> np.ndarray:
    """The logarithm of each class's share of the images, float64 [K]; a class without images counts for half of one.

    What logit adjustment adds to a network's logits while it learns from such labels (Menon et al. 2021, arXiv 2007.07314, equation 10), so
    that without it the network answers as if all classes were as frequent.

    Example:
        >>> np.exp(log_shares(np.array([0, 0, 0, 1]), 2)).tolist()
        [0.75, 0.25]
    """
    counts = np.bincount(labels, weights=weights, minlength=classes).astype(np.float64)
    counts = np.where(counts > 0, counts, 0.5)
    shares: np.ndarray = np.log(counts / counts.sum())
    return shares
