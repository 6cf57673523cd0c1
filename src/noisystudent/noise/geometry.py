"""Affine maps of image batches. A matrix [2, 3] takes an output pixel (x, y, 1) to the input pixel that it shows."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from noisystudent.noise.pixels import to_bytes

HALF = torch.tensor(0.5)


def rotation(angles: Tensor, height: int, width: int) -> Tensor:
    """Matrices [n, 2, 3] of rotations by `angles` (radians, [n]) about the centre of the image."""
    cos, sin = angles.cos(), angles.sin()
    x, y = (width - 1) / 2, (height - 1) / 2
    return _matrices(cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y)


def shear_x(amounts: Tensor) -> Tensor:
    """Matrices [n, 2, 3] that move each row by `amounts` times its y."""
    zero, one = torch.zeros_like(amounts), torch.ones_like(amounts)
    return _matrices(one, amounts, zero, zero, one, zero)


def shear_y(amounts: Tensor) -> Tensor:
    """Matrices [n, 2, 3] that move each column by `amounts` times its x."""
    zero, one = torch.zeros_like(amounts), torch.ones_like(amounts)
    return _matrices(one, zero, zero, amounts, one, zero)


def translation(x: Tensor, y: Tensor) -> Tensor:
    """Matrices [n, 2, 3] that show, at each pixel, the one `x` to the right and `y` below."""
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    return _matrices(one, zero, x, zero, one, y)


def affine_nearest(images: Tensor, matrices: Tensor, *, fill: int) -> Tensor:
    """Map a batch with nearest-neighbour sampling; `fill` where the input has no pixel.

    Args:
        images: uint8 [n, C, H, W].
        matrices: float32 [n, 2, 3].

    Returns:
        uint8 [n, C, H, W].
    """
    n, channels, height, width = images.shape
    x, y = _input_positions(matrices, height, width)
    # Halves are rounded away from zero, as std::round in TensorFlow's kernel does. A border of `fill` stands for all that is outside.
    framed = F.pad(images, (1, 1, 1, 1), value=fill)
    x = (x + torch.copysign(HALF, x)).clamp_(-1, width).int()
    y = (y + torch.copysign(HALF, y)).clamp_(-1, height).int()
    within = y.add_(1).mul_(width + 2).add_(x).add_(1).view(n, 1, -1)
    planes = torch.arange(n * channels, dtype=torch.int32, device=images.device).mul_((height + 2) * (width + 2))
    return framed.flatten().index_select(0, (within + planes.view(n, channels, 1)).flatten()).view_as(images)


def affine_bilinear(images: Tensor, matrices: Tensor) -> Tensor:
    """Map a batch with bilinear sampling, its border continued outwards; shapes as in `affine_nearest`."""
    height, width = images.shape[2:]
    x, y = _input_positions(matrices, height, width)
    across, down = (v.mul_(2).div_(max(side - 1, 1)).sub_(1) for v, side in ((x, width), (y, height)))
    grid = torch.stack((across, down), dim=-1)
    moved = F.grid_sample(images.float(), grid, mode="bilinear", padding_mode="border", align_corners=True)
    return to_bytes(moved.round_())


def _input_positions(matrices: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Where each output pixel looks, x and y, float32 [n, H, W] each."""
    xs = torch.arange(width, device=matrices.device, dtype=torch.float32).view(1, 1, -1)
    ys = torch.arange(height, device=matrices.device, dtype=torch.float32).view(1, -1, 1)
    a = matrices.view(-1, 6, 1, 1).unbind(1)
    return (a[0] * xs + a[1] * ys).add_(a[2]), (a[3] * xs + a[4] * ys).add_(a[5])


def _matrices(*entries: Tensor) -> Tensor:
    return torch.stack(entries, dim=1).view(-1, 2, 3)
