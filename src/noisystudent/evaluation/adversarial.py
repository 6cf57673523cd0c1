"""Adversarial images: one step of the gradient's sign (FGSM) and ten smaller ones (PGD), as in section 3.4 of the paper (spec 5.4).

Distances are in pixel values of 0 to 255, before normalization, and images stay in that range; they are not rounded to whole
values. The paper does not state the step of PGD: here it is 2.5 times the distance over the number of steps, and the start is the
image itself (Madry et al. 2018, arXiv 1706.06083), so that an image's attack does not depend on its batch.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from noisystudent.models.classifier import Classifier

EPSILONS = (1.0, 2.0, 4.0, 8.0, 16.0)
PGD_STEPS = 10
PGD_EPSILON = 16.0


def fgsm(classifier: Classifier, images: Tensor, labels: Tensor, *, epsilon: float) -> Tensor:
    """Move every pixel by `epsilon` in the direction that raises the loss (Goodfellow et al. 2015, arXiv 1412.6572).

    Args:
        classifier: in evaluation mode.
        images: uint8 [N, C, S, S].
        labels: int64 [N], the truth.
        epsilon: in pixel values.

    Returns:
        float32 [N, C, S, S] from 0 to 255, on the network's device.
    """
    x = _pixels(classifier, images)
    return (x + epsilon * _direction(classifier, x, labels)).clamp_(0, 255)


def pgd(
    classifier: Classifier, images: Tensor, labels: Tensor, *, epsilon: float = PGD_EPSILON, steps: int = PGD_STEPS
) -> Tensor:
    """Take `steps` such steps, never farther than `epsilon` from the image; arguments and result as for `fgsm`."""
    x = _pixels(classifier, images)
    lowest, highest = (x - epsilon).clamp_(min=0), (x + epsilon).clamp_(max=255)
    moved = x
    for _ in range(steps):
        moved = moved + 2.5 * epsilon / steps * _direction(classifier, moved, labels)
        moved = torch.minimum(torch.maximum(moved, lowest), highest)
    return moved


def _pixels(classifier: Classifier, images: Tensor) -> Tensor:
    assert not classifier.network.training, "an attack is on the network as it is used"
    return images.to(next(classifier.network.parameters()).device).float()


def _direction(classifier: Classifier, pixels: Tensor, labels: Tensor) -> Tensor:
    """The sign of the loss's gradient by the pixels; the network's own gradients are left alone."""
    with torch.enable_grad():
        pixels = pixels.detach().requires_grad_()
        logits = classifier.network(classifier.preprocessing.normalize(pixels)).float()
        loss = F.cross_entropy(logits, labels.to(logits.device), reduction="sum")
        (gradient,) = torch.autograd.grad(loss, pixels)
    return gradient.sign()
