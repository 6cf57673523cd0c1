"""Affine maps of image batches: where in the input each output pixel looks, and what it sees there.

Positions are a pair x, y, float32, that broadcast to [n, H, W]: a map that moves whole columns needs no more than [n, 1, W] for x.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from noisystudent.noise.pixels import to_bytes

HALF = torch.tensor(0.5)
MOST_PLACES = 2**31 - 1  # that an int32 can number
Positions = tuple[Tensor, Tensor]


def rotation(angles: Tensor, height: int, width: int) -> Positions:
    """Turned by `angles` (radians, [n]) about the centre of the image."""
    xs, ys = _grid(height, width, angles.device)
    cos, sin = _per_image(angles.cos()), _per_image(angles.sin())
    x, y = (width - 1) / 2, (height - 1) / 2
    from_x = (cos * xs - sin * ys).add_(x - cos * x + sin * y)
    from_y = (sin * xs + cos * ys).add_(y - sin * x - cos * y)
    return from_x, from_y


def shear_x(amounts: Tensor, height: int, width: int) -> Positions:
    """In each row, `amounts` ([n]) times its y to the right."""
    xs, ys = _grid(height, width, amounts.device)
    return xs + _per_image(amounts) * ys, ys


def shear_y(amounts: Tensor, height: int, width: int) -> Positions:
    """In each column, `amounts` ([n]) times its x below."""
    xs, ys = _grid(height, width, amounts.device)
    return xs, _per_image(amounts) * xs + ys


def translation_x(pixels: Tensor, height: int, width: int) -> Positions:
    """So many pixels ([n]) to the right."""
    xs, ys = _grid(height, width, pixels.device)
    return xs + _per_image(pixels), ys


def translation_y(pixels: Tensor, height: int, width: int) -> Positions:
    """So many pixels ([n]) below."""
    xs, ys = _grid(height, width, pixels.device)
    return xs, ys + _per_image(pixels)


def nearest(images: Tensor, positions: Positions, *, fill: int) -> Tensor:
    """What is at the positions, by nearest-neighbour sampling; `fill` where the input has no pixel.

    Args:
        images: uint8 [n, C, H, W].

    Returns:
        uint8 [n, C, H, W].
    """
    height, width = images.shape[2:]
    # Halves are rounded away from zero, as std::round in TensorFlow's kernel does. A border of `fill` stands for all that is outside.
    x, y = (
        (at + torch.copysign(HALF.to(at.device), at)).clamp_(-1, side).int() + 1
        for at, side in zip(positions, (width, height), strict=True)
    )
    return _pixels(F.pad(images, (1, 1, 1, 1), value=fill), x, y)


def bilinear(images: Tensor, positions: Positions) -> Tensor:
    """What is at the positions, by bilinear sampling, the border continued outwards; shapes as in `nearest`."""
    height, width = images.shape[2:]
    across, down = (
        (at * (2 / max(side - 1, 1))).sub_(1).expand(len(images), height, width)
        for at, side in zip(positions, (width, height), strict=True)
    )
    grid = torch.stack((across, down), dim=1).permute(
        0, 2, 3, 1
    )  # interleaving the two would take half as long as sampling
    moved = F.grid_sample(images.float(), grid, mode="bilinear", padding_mode="border", align_corners=True)
    return to_bytes(moved.round_())


def slide_rows(images: Tensor, pixels: Tensor) -> Tensor:
    """Bilinear sampling so many pixels ([n, H or 1, 1]) to the right of each row, its border continued; faster than `bilinear`."""
    height, width = images.shape[2:]
    whole = pixels.floor()
    xs = torch.arange(width + 1, device=images.device)
    ys = torch.arange(height, device=images.device).view(-1, 1)
    seen = _pixels(images, (xs + whole.int()).clamp_(0, width - 1), ys).float()
    return _between(seen[..., :-1], seen[..., 1:], pixels - whole)


def slide_columns(images: Tensor, pixels: Tensor) -> Tensor:
    """As `slide_rows`, so many pixels ([n, 1, W or 1]) below in each column."""
    height, width = images.shape[2:]
    whole = pixels.floor()
    xs = torch.arange(width, device=images.device)
    ys = torch.arange(height + 1, device=images.device).view(-1, 1)
    seen = _pixels(images, xs, (ys + whole.int()).clamp_(0, height - 1)).float()
    return _between(seen[:, :, :-1], seen[:, :, 1:], pixels - whole)


def _between(near: Tensor, far: Tensor, fractions: Tensor) -> Tensor:
    return to_bytes((far - near).mul_(fractions.unsqueeze(1)).add_(near).round_())


def _pixels(images: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Of each plane of [n, C, H, W] the pixels at x and y, whole numbers that broadcast to [n, h, w]: [n, C, h, w]."""
    n, channels, height, width = images.shape
    kind = torch.int32 if images.numel() <= MOST_PLACES else torch.int64  # the first is faster
    within = (y.to(kind) * width + x.to(kind)).expand(n, -1, -1)
    first = torch.arange(n * channels, dtype=kind, device=images.device).mul_(height * width)
    places = within.unsqueeze(1) + first.view(n, channels, 1, 1)
    return images.flatten().index_select(0, places.flatten()).view(places.shape)


def _grid(height: int, width: int, device: torch.device) -> Positions:
    """x as [1, 1, W] and y as [1, H, 1]."""
    xs = torch.arange(width, device=device, dtype=torch.float32)
    ys = torch.arange(height, device=device, dtype=torch.float32)
    return xs.view(1, 1, -1), ys.view(1, -1, 1)


def _per_image(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1)
