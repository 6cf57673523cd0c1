"""All that happens to a batch of training images before the network: flip, RandAugment, cutout, shifted crop."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from noisystudent.config import Noise
from noisystudent.noise.draws import Draws
from noisystudent.noise.randaugment import augment, grey_square


def add_input_noise(images: Tensor, noise: Noise, *, seed: int, total: int = 0, here: Tensor | None = None) -> Tensor:
    """Noise a batch, in the order of the released code (spec section 1.4): RandAugment, cutout, then the shifted crop.

    Random-resized crops are not made here: they need the picture at its full size (`noisystudent.data.decoding`).

    Args:
        images: uint8 [N, C, H, W], on any device.
        noise: what to do.
        seed: decides every draw; the same on every device.
        total: images of the whole batch, where these are a micro-batch of it.
        here: int64 [N], the places of the micro-batch's images in the whole batch, rising; each gets the noise that it gets there.

    Returns:
        uint8 [N, C, H, W].

    Example:
        >>> images = torch.arange(4 * 64, dtype=torch.uint8).view(4, 1, 8, 8)
        >>> noised = add_input_noise(images, Noise(), seed=0)
        >>> noised.shape, torch.equal(noised, add_input_noise(images, Noise(), seed=0))
        (torch.Size([4, 1, 8, 8]), True)
    """
    draws = Draws(torch.Generator().manual_seed(seed), total or len(images), here)
    if noise.flip:
        n = len(images)
        rows = torch.arange(n) + n * (draws.shares() < 0.5)
        images = torch.cat((images, images.flip(3))).index_select(0, rows.to(images.device))
    if noise.randaugment is not None:
        images = augment(images, noise.randaugment, draws)
    if noise.cutout:
        images = grey_square(images, noise.cutout // 2, draws)
    if noise.crop == "pad" and noise.crop_padding:
        images = shifted_crop(images, noise.crop_padding, draws)
    return images


def shifted_crop(images: Tensor, padding: int, draws: Draws) -> Tensor:
    """Continue each image by reflection on all sides and cut out the old size at a random place.

    Args:
        images: uint8 [N, C, H, W].
        padding: pixels on each side, less than H and W.
    """
    n, _, height, width = images.shape
    padding = min(padding, height - 1, width - 1)
    padded = F.pad(images, (padding,) * 4, mode="reflect")
    top, left = (draws.integers(2 * padding + 1).to(images.device) for _ in range(2))
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)  # a view: [n, channels, top, left, height, width]
    return windows[torch.arange(n, device=images.device), :, top, left]
