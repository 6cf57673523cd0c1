"""From a network's logits to the probabilities of its classes."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from noisystudent.errors import RunError


def finite_probabilities(logits: Tensor) -> np.ndarray:
    """float64 [N, K].

    Raises:
        RunError: the network's weights are broken.
    """
    probabilities = softmax_of(logits)
    if not np.isfinite(probabilities).all():
        raise RunError("the network's outputs are infinite or not a number: its weights are broken, train it anew")
    return probabilities


def softmax_of(logits: Tensor) -> np.ndarray:
    """float64 [N, K], whatever the logits are."""
    probabilities: np.ndarray = torch.softmax(logits.cpu().double(), dim=1).numpy()  # not every GPU has float64
    return probabilities
