"""What a batch is compared with, and the loss: the mean cross-entropy over labeled and pseudo-labeled images together."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def label_targets(labels: Tensor, classes: int, smoothing: float) -> Tensor:
    """One-hot targets, smoothed: 1 - s + s / K for the label and s / K for the others.

    Args:
        labels: int64 [N].
        classes: K.
        smoothing: s; the paper's code uses 0.1 (spec section 1.2).

    Returns:
        float32 [N, K]; every row sums to 1.

    Example:
        >>> import torch
        >>> label_targets(torch.tensor([1]), 2, 0.1)
        tensor([[0.0500, 0.9500]])
    """
    return F.one_hot(labels, classes).float() * (1 - smoothing) + smoothing / classes


def soft_targets(probabilities: Tensor, temperature: float) -> Tensor:
    """The teacher's probabilities [N, K], sharpened to the power 1 / temperature and made to sum to 1 again (spec section 3)."""
    sharpened = probabilities.float() ** (1 / temperature)
    return sharpened / sharpened.sum(dim=1, keepdim=True)


def soft_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean over the batch of the cross-entropy between targets [N, K] and softmax(logits [N, K]).

    Over a concatenated batch of B labeled and U pseudo-labeled images this is the objective as the paper's author states it
    (spec section 1.1, step 4). The released code adds the two means with weights 1 and U/B, which is (1 + U/B) times as much.
    """
    return -(targets * F.log_softmax(logits, dim=1)).sum(dim=1).mean()
