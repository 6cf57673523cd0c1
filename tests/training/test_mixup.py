from __future__ import annotations

import numpy as np
import pytest
import torch

from noisystudent.training.mixup import mixup


def batch(size: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    """Images whose every pixel is their number, and as many classes."""
    return torch.arange(size, dtype=torch.float32).view(-1, 1, 1, 1).expand(size, 3, 2, 2), torch.eye(size)


def test_targets_are_blended_as_the_images_are() -> None:
    images, targets = batch()
    mixed, blended = mixup(images, targets, 1.0, seed=3)
    assert torch.allclose(mixed[:, 0, 0, 0], blended @ torch.arange(64.0), atol=1e-4)
    assert torch.allclose(blended.sum(dim=1), torch.ones(64))
    assert (blended.diagonal() >= 0.5).all()


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_the_larger_share_is_that_of_a_beta_distribution(alpha: float) -> None:
    _, targets = batch(2000)
    kept = mixup(torch.zeros(2000, 1, 1, 1), targets, alpha, seed=0)[1].max(dim=1).values
    drawn = np.random.default_rng(1).beta(alpha, alpha, 200_000)
    assert kept.mean().item() == pytest.approx(np.maximum(drawn, 1 - drawn).mean(), abs=0.01)


def test_the_seed_decides() -> None:
    images, targets = batch()
    first, again, other = (mixup(images, targets, 1.0, seed=seed)[0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
