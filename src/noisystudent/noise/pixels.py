"""Arithmetic on uint8 pixels by the kernels that PyTorch has made fast on processors.

`torch.where`, comparisons, table look-ups by int64, and the conversion of float32 to uint8 are five to twenty times slower there than
what is used here; the results are the same to the bit.
"""

from __future__ import annotations

import torch
from torch import Tensor


def to_bytes(values: Tensor) -> Tensor:
    """float32, cut off at 0 and 255 and towards zero, as uint8; `values` is used up.

    Example:
        >>> to_bytes(torch.tensor([-3.0, 1.9, 300.0])).tolist()
        [0, 1, 255]
    """
    return values.clamp_(0, 255).to(torch.int16).to(torch.uint8)


def at_least(images: Tensor, threshold: Tensor | int) -> Tensor:
    """A mask: uint8 255 where a pixel is at least as bright as `threshold` (0 to 256), else 0.

    Example:
        >>> at_least(torch.tensor([4, 5, 6], dtype=torch.uint8), 5).tolist()
        [0, 255, 255]
    """
    below_zero = threshold - 1 - images.short()
    return (below_zero >> 15).to(torch.uint8)


def choose(mask: Tensor, where_set: Tensor, elsewhere: Tensor) -> Tensor:
    """`where_set` where the mask is 255, `elsewhere` where it is 0; all uint8.

    Example:
        >>> a, b = torch.tensor([1, 2], dtype=torch.uint8), torch.tensor([3, 4], dtype=torch.uint8)
        >>> choose(torch.tensor([255, 0], dtype=torch.uint8), a, b).tolist()
        [1, 4]
    """
    return (where_set ^ elsewhere).bitwise_and_(mask).bitwise_xor_(elsewhere)


def look_up(tables: Tensor, images: Tensor) -> Tensor:
    """Replace each pixel by the entry of its own channel's table.

    Args:
        tables: uint8 [N * C, 256].
        images: uint8 [N, C, H, W].
    """
    return tables.flatten().index_select(0, _places(images).flatten()).view_as(images)


def histograms(images: Tensor) -> Tensor:
    """How often each value occurs in each channel: int64 [N * C, 256]."""
    planes = images.shape[0] * images.shape[1]
    places = _places(images).flatten()
    on_cpu = places.device.type == "cpu"
    counts = torch.bincount(places, minlength=256 * planes) if on_cpu else counted(places, 256 * planes)
    return counts.view(planes, 256)


def counted(places: Tensor, size: int) -> Tensor:
    """As `torch.bincount`, slower on a processor; on a GPU that one waits to know the largest place.

    Example:
        >>> counted(torch.tensor([2, 0, 2]), 4).tolist()
        [1, 0, 2, 0]
    """
    places = places.long()
    return places.new_zeros(size).scatter_add_(0, places, torch.ones_like(places))


def _places(images: Tensor) -> Tensor:
    """Of each pixel, its place in the flattened tables: int32 [N * C, H * W]."""
    planes = images.shape[0] * images.shape[1]
    first = torch.arange(0, 256 * planes, 256, dtype=torch.int32, device=images.device)
    return images.reshape(planes, -1).int().add_(first.view(-1, 1))
