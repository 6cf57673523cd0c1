"""What the network should say of the images of a batch, made when the batch is: of all images at once it would not fit into memory."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from noisystudent.pseudo.distributions import Distributions
from noisystudent.training.loss import label_targets, soft_targets


class LabelTargets:
    """Labels, smoothed.

    Args:
        labels: int [N].
        classes: K.
        smoothing: see `label_targets`.

    Example:
        >>> LabelTargets(np.array([1, 0]), 2, 0.1)(np.array([0]))
        tensor([[0.0500, 0.9500]])
    """

    def __init__(self, labels: np.ndarray, classes: int, smoothing: float) -> None:
        self._labels, self._classes, self._smoothing = torch.tensor(labels).long(), classes, smoothing

    def __call__(self, rows: np.ndarray) -> Tensor:
        """float32 [n, K] of some rows."""
        return label_targets(self._labels[torch.from_numpy(rows)], self._classes, self._smoothing)


class TeacherTargets:
    """The distributions that a teacher gave, sharpened.

    Args:
        probabilities: gives rows of K.
        temperature: see `soft_targets`.
    """

    def __init__(self, probabilities: Distributions, temperature: float) -> None:
        self._probabilities, self._temperature = probabilities, temperature

    def __call__(self, rows: np.ndarray) -> Tensor:
        """float32 [n, K] of some rows."""
        return soft_targets(torch.from_numpy(self._probabilities.read(rows)), self._temperature)
