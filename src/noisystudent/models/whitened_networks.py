"""Networks for images of about 32 pixels whose first layer has nothing to learn, registered with timm like any other model.

After airbench (Jordan 2024, arXiv 2404.00498): pixels are whitened by a layer that stays as it is, normalization has shifts that learn
fast and no scales, convolutions begin as the identity, and the logits are scaled down. So few images teach them more than a ResNet as
costly. The whitening is of all natural images, by frequency and color, and not of the training images.

`whitened_48_96` ... `whitened_80_160`: a stage for each width at half the size of the one before, residual, on pixels pooled once.
`whitened_32_128_128`, `whitened_64_256_256`: three stages without, on pixels as they are.

They take timm's `num_classes`, `in_chans`, `drop_rate` (before the classifier) and `drop_path_rate` (of the residual blocks, linear).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from timm.layers import DropPath
from torch import Tensor, nn
from torch.nn import functional as F

from noisystudent.models.registering import register_small, small_image_cfgs
from noisystudent.models.small_resnets import linear_drop_path

SHIFT_SPEED = 8.0  # squared, how much faster shifts learn than weights (airbench: 64 times)
LOGIT_SCALE = 1 / 9  # airbench's
COLORS = ((1.0, 1.0, 1.0), (1.0, 0.0, -1.0), (1.0, -2.0, 1.0))  # brightness and two opponent colors


class Whitening(nn.Module):
    """What is in 2 x 2 pixels by frequency and color, each of it made as large as the others, with both signs; nothing is learned.

    From [N, C, H, W] to [N, 8 C, H - 1, W - 1].
    """

    def __init__(self, in_chans: int) -> None:
        super().__init__()
        colors = torch.tensor(COLORS) if in_chans == 3 else torch.eye(in_chans)
        colors = colors / colors.norm(dim=1, keepdim=True)
        waves = torch.tensor([[1.0, 1.0], [1.0, -1.0]]) / math.sqrt(2)
        kernels = torch.einsum("ac,iy,jx->aijcyx", colors, waves, waves).reshape(-1, in_chans, 2, 2)
        self.conv = nn.Conv2d(in_chans, len(kernels), 2, bias=False)
        self.conv.weight = nn.Parameter(kernels, requires_grad=False)
        self.norm = nn.BatchNorm2d(len(kernels), eps=1e-3, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv(x))
        return torch.cat((x, -x), dim=1)


class ShiftedNorm(nn.BatchNorm2d):
    """BatchNorm whose scale is 1 and whose shift learns `SHIFT_SPEED` squared times as fast."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.weight.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        return F.batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias * SHIFT_SPEED,
            self.training,
            self.momentum or 0.0,
            self.eps,
        )


class ScaledLinear(nn.Linear):
    """The classifier: without bias, its logits scaled."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__(features, classes, bias=False)
        nn.init.normal_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * LOGIT_SCALE


def identity_conv3x3(in_channels: int, out_channels: int) -> nn.Conv2d:
    """A convolution whose first channels hand on what they are given; the others begin at random."""
    conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
    nn.init.dirac_(conv.weight.data[:in_channels])
    return conv


class Stage(nn.Module):
    """Convolution, pooling, normalization, GELU; then another, or a residual block of two: x + drop_path(...)."""

    def __init__(self, in_channels: int, out_channels: int, *, residual: bool, drop_path: float) -> None:
        super().__init__()
        self.smaller = nn.Sequential(
            identity_conv3x3(in_channels, out_channels), nn.MaxPool2d(2), ShiftedNorm(out_channels), nn.GELU()
        )
        layers = [
            nn.Sequential(identity_conv3x3(out_channels, out_channels), ShiftedNorm(out_channels), nn.GELU())
            for _ in range(2 if residual else 1)
        ]
        self.layers = nn.Sequential(*layers)
        self.drop_path = DropPath(drop_path) if residual else None

    def forward(self, x: Tensor) -> Tensor:
        x = self.smaller(x)
        if self.drop_path is None:
            later: Tensor = self.layers(x)
            return later
        out: Tensor = x + self.drop_path(self.layers(x))
        return out


class WhitenedNetwork(nn.Module):
    """Whitened pixels, stages, the highest of each channel, dropout and a classifier, with the methods timm expects.

    Args:
        widths: channels of the stages.
        residual: whether stages have residual blocks, and pixels are pooled first.
    """

    def __init__(
        self,
        widths: Sequence[int] = (48, 96),
        residual: bool = True,
        num_classes: int = 10,
        in_chans: int = 3,
        drop_rate: float = 0.0,
        drop_path_rate: float = 0.0,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [Whitening(in_chans), nn.GELU(), *([nn.MaxPool2d(2)] if residual else [])]
        channels = 8 * in_chans
        for width, drop_path in zip(widths, linear_drop_path(drop_path_rate, len(widths)), strict=True):
            layers.append(Stage(channels, width, residual=residual, drop_path=drop_path))
            channels = width
        self.features = nn.Sequential(*layers)
        self.num_features = self.head_hidden_size = channels
        self.drop_rate = drop_rate
        self.reset_classifier(num_classes)

    def get_classifier(self) -> nn.Module:
        return self.fc

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        self.num_classes = num_classes
        self.fc = ScaledLinear(self.num_features, num_classes) if num_classes else nn.Identity()

    def forward_features(self, x: Tensor) -> Tensor:
        maps: Tensor = self.features(x)
        return maps

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        x = F.dropout(x.amax(dim=(2, 3)), self.drop_rate, self.training)
        logits: Tensor = x if pre_logits else self.fc(x)
        return logits

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))


MEMBERS: dict[str, dict[str, Any]] = {
    "whitened_48_96": {"widths": (48, 96)},
    "whitened_64_128": {"widths": (64, 128)},
    "whitened_80_160": {"widths": (80, 160)},
    "whitened_32_128_128": {"widths": (32, 128, 128), "residual": False},
    "whitened_64_256_256": {"widths": (64, 256, 256), "residual": False},
}

default_cfgs = small_image_cfgs("features.0.conv", list(MEMBERS))

for _name, _defaults in MEMBERS.items():
    register_small(__name__, _name, WhitenedNetwork, _defaults)

__all__ = list(MEMBERS)
