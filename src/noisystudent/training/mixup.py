"""MixUp: images of a batch are blended in pairs, and what is to be said of them with them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def mixup(images: Tensor, targets: Tensor, alpha: float, *, seed: int) -> tuple[Tensor, Tensor]:
    """Blend each image with another of the batch, labeled with pseudo-labeled ones as well.

    Zhang et al. 2018 (arXiv 1710.09412); as in MixMatch (Berthelot et al. 2019, arXiv 1905.02249, section 3.4) each image keeps the larger
    share, so that a labeled image stays one.

    Args:
        images: float [N, C, H, W], normalized.
        targets: float [N, K], each row a distribution.
        alpha: shares are drawn from Beta(alpha, alpha), one an image; above 0. Small ones blend little.
        seed: decides shares and pairs.

    Returns:
        The same shapes.

    Example:
        >>> images, targets = mixup(torch.ones(4, 3, 2, 2), torch.eye(4), 0.5, seed=0)
        >>> images.shape, targets.sum(dim=1).tolist(), bool((targets.diagonal() >= 0.5).all())
        (torch.Size([4, 3, 2, 2]), [1.0, 1.0, 1.0, 1.0], True)
    """
    draw = np.random.default_rng(seed)
    share = draw.beta(alpha, alpha, size=len(images))
    own = torch.from_numpy(np.maximum(share, 1 - share)).to(images.device, torch.float32)
    partner = torch.from_numpy(draw.permutation(len(images))).to(images.device)
    pixels = own.view(-1, 1, 1, 1)
    mixed = images * pixels + images[partner] * (1 - pixels)
    return mixed, targets * own[:, None] + targets[partner] * (1 - own[:, None])
