"""What a batch is compared with, and the loss of labeled and pseudo-labeled images together."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from noisystudent.config import Training


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
    given = probabilities.float()
    if (
        temperature != 1
    ):  # powers of shares of the highest: that of the highest itself is 1, so that their sum is never 0
        given = (given / given.amax(dim=1, keepdim=True)) ** (1 / temperature)
    return given / given.sum(dim=1, keepdim=True)


def soft_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean over the batch of the cross-entropy between targets [N, K] and softmax(logits [N, K])."""
    return -(targets * F.log_softmax(logits, dim=1)).sum(dim=1).mean()


def batch_loss(
    logits: Tensor, targets: Tensor, training: Training, *, labeled: int, total: int, log_shares: Tensor | None = None
) -> Tensor:
    """The loss of a batch of `joint_batches` by `training.objective` (spec sections 1.1, step 4, and 3); of a micro-batch of it, its part.

    `mean` is over all images, as the paper's author states it; `sum` adds the two kinds' means with weights 1 and the ratio, as the
    released code does. The gradients differ by the factor 1 + ratio alone. That is not invisible to RMSProp: its epsilon of 1e-3 and its
    state, 1 at the start, are large beside the squared gradients, so that updates grow with the loss. A batch of one kind of image (a
    teacher's, a baseline's, or any with `joint` off) has nothing to add: both are its mean.

    Args:
        logits: [N, K], those of the labeled images first.
        targets: [N, K].
        training: gives the objective.
        labeled: how many of the N are labeled.
        total: images of the whole batch; the losses of its micro-batches add up to its loss.
        log_shares: [K], added to the logits of the labeled images (`data.class_balance`); None: nothing.

    Example:
        >>> import torch
        >>> training = Training(model="resnet18", batch_size=1, unlabeled_ratio=3, objective="sum")
        >>> logits, targets = torch.zeros(4, 2), torch.tensor([[1.0, 0.0]] * 4)
        >>> loss = batch_loss(logits, targets, training, labeled=1, total=4)
        >>> round((loss / soft_cross_entropy(logits, targets)).item(), 3)
        4.0
    """
    if log_shares is not None:
        logits = torch.cat([logits[:labeled] + log_shares, logits[labeled:]])
    if training.objective == "mean" or not training.joint or total == training.batch_size:
        kinds = [(slice(None), 1.0, total)]
    else:
        pseudo = (slice(labeled, None), training.unlabeled_ratio, total - training.batch_size)
        kinds = [(slice(labeled), 1.0, training.batch_size), pseudo]
    losses = [
        weight * (len(targets[those]) / of_all) * soft_cross_entropy(logits[those], targets[those])
        for those, weight, of_all in kinds
        if len(targets[those])
    ]
    return torch.stack(losses).sum() if len(losses) > 1 else losses[0]
