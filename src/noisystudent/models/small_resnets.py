"""Residual networks for images of about 32 pixels, which timm lacks, registered with timm like any other model.

- `resnet9_16` ... `resnet9_64`: the nine-layer network of the fast CIFAR-10 entries (Page, "How to train your ResNet", 2018),
  at the given width of its first stage.
- `resnet8_16` ... `resnet8_32`: its cheaper sibling for a processor: three stages, each at half the size of the one before.
- `cifar_resnet20` ... `cifar_resnet56`: He et al. 2016 (arXiv 1512.03385), section 4.2: three stages of 16, 32, 64 channels.
- `wrn_16_2`, `wrn_28_2`: Zagoruyko and Komodakis 2016 (arXiv 1605.07146), the semi-supervised literature's usual network.

All take timm's `num_classes`, `in_chans`, `drop_rate` (before the classifier) and `drop_path_rate` (a drop rate, growing linearly over the
residual blocks as in the paper, spec section 1.2: block i of N is dropped with probability rate * i / N).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from timm.layers import DropPath
from torch import Tensor, nn
from torch.nn import functional as F

from noisystudent.models.registering import register_small, small_image_cfgs


def conv3x3(in_channels: int, out_channels: int, *, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)


def conv_bn_relu(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(conv3x3(in_channels, out_channels), nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True))


class PlainResidual(nn.Module):
    """x + drop_path(conv-bn-relu twice), as in ResNet-9."""

    def __init__(self, channels: int, drop_path: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(conv_bn_relu(channels, channels), conv_bn_relu(channels, channels))
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.drop_path(self.layers(x))
        return out


class PostActivationBlock(nn.Module):
    """He et al. 2016: relu(shortcut + bn-conv-relu-bn-conv), the shortcut without parameters (their option A)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, drop_path: float) -> None:
        super().__init__()
        self.conv1 = conv3x3(in_channels, out_channels, stride=stride)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = conv3x3(out_channels, out_channels)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.drop_path = DropPath(drop_path)
        self.stride = stride
        self.new_channels = out_channels - in_channels

    def forward(self, x: Tensor) -> Tensor:
        residual = F.relu(self.bn1(self.conv1(x)), inplace=True)
        residual = self.drop_path(self.bn2(self.conv2(residual)))
        if self.new_channels:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new_channels))
        return F.relu(x + residual)


class PreActivationBlock(nn.Module):
    """Zagoruyko and Komodakis 2016: bn-relu-conv twice; a 1x1 convolution where the shape changes."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, drop_path: float) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = conv3x3(in_channels, out_channels, stride=stride)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.conv2 = conv3x3(out_channels, out_channels)
        self.drop_path = DropPath(drop_path)
        reshape = in_channels != out_channels or stride != 1
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False) if reshape else None

    def forward(self, x: Tensor) -> Tensor:
        activated = F.relu(self.bn1(x), inplace=False)
        residual = self.conv2(F.relu(self.bn2(self.conv1(activated)), inplace=True))
        shortcut = x if self.shortcut is None else self.shortcut(activated)
        out: Tensor = shortcut + self.drop_path(residual)
        return out


class SmallResNet(nn.Module):
    """A stack of feature layers, global pooling, dropout and a linear classifier, with the methods timm expects.

    Args:
        features: from [N, in_chans, H, W] to [N, num_features, h, w].
        num_features: channels of the last feature map.
        pool: "avg" or "max" over the last feature map.
    """

    def __init__(
        self, features: nn.Sequential, *, num_features: int, num_classes: int, drop_rate: float, pool: str
    ) -> None:
        super().__init__()
        self.features = features
        self.num_features = self.head_hidden_size = num_features
        self.num_classes = num_classes
        self.drop_rate = drop_rate
        self.pool = pool
        self.fc = nn.Linear(num_features, num_classes) if num_classes else nn.Identity()
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def get_classifier(self) -> nn.Module:
        return self.fc

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        self.num_classes = num_classes
        self.pool = global_pool or self.pool
        self.fc = nn.Linear(self.num_features, num_classes) if num_classes else nn.Identity()

    def forward_features(self, x: Tensor) -> Tensor:
        maps: Tensor = self.features(x)
        return maps

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        x = x.amax(dim=(2, 3)) if self.pool == "max" else x.mean(dim=(2, 3))
        x = F.dropout(x, self.drop_rate, self.training)
        logits: Tensor = x if pre_logits else self.fc(x)
        return logits

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))


def linear_drop_path(rate: float, blocks: int) -> list[float]:
    """Drop rate of each residual block: rate * i / N for i = 0 ... N - 1 (spec section 1.2)."""
    return [rate * i / blocks for i in range(blocks)]


class ResNet9(SmallResNet):
    """Stages of width w, 2w, 4w, 8w with a pooling between them; `blocks` says how many residual blocks follow stages 2, 3, 4."""

    def __init__(
        self,
        width: int = 64,
        blocks: Sequence[int] = (1, 0, 1),
        num_classes: int = 10,
        in_chans: int = 3,
        drop_rate: float = 0.0,
        drop_path_rate: float = 0.0,
    ) -> None:
        rates = iter(linear_drop_path(drop_path_rate, sum(blocks)))
        layers: list[nn.Module] = [conv_bn_relu(in_chans, width)]
        channels = width
        for count in blocks:
            layers += [conv_bn_relu(channels, 2 * channels), nn.MaxPool2d(2)]
            channels *= 2
            layers += [PlainResidual(channels, next(rates)) for _ in range(count)]
        features = nn.Sequential(*layers)
        super().__init__(features, num_features=channels, num_classes=num_classes, drop_rate=drop_rate, pool="max")


class ResNet8(SmallResNet):
    """Three stages, each a convolution and a pooling; `blocks` says how many residual blocks follow each.

    The first stage already halves the image, where ResNet-9 spends most of its time; the pooling comes before the normalization, which
    so has a quarter of the work.
    """

    def __init__(
        self,
        widths: Sequence[int] = (16, 48, 96),
        blocks: Sequence[int] = (0, 1, 1),
        num_classes: int = 10,
        in_chans: int = 3,
        drop_rate: float = 0.0,
        drop_path_rate: float = 0.0,
    ) -> None:
        rates = iter(linear_drop_path(drop_path_rate, sum(blocks)))
        layers: list[nn.Module] = []
        channels = in_chans
        for width, count in zip(widths, blocks, strict=True):
            layers += [conv3x3(channels, width), nn.MaxPool2d(2), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            layers += [PlainResidual(width, next(rates)) for _ in range(count)]
            channels = width
        features = nn.Sequential(*layers)
        super().__init__(features, num_features=channels, num_classes=num_classes, drop_rate=drop_rate, pool="max")


class CifarResNet(SmallResNet):
    """6n + 2 layers: n = `blocks_per_stage` two-layer blocks in each of three stages."""

    def __init__(
        self,
        blocks_per_stage: int = 3,
        num_classes: int = 10,
        in_chans: int = 3,
        drop_rate: float = 0.0,
        drop_path_rate: float = 0.0,
    ) -> None:
        rates = iter(linear_drop_path(drop_path_rate, 3 * blocks_per_stage))
        layers: list[nn.Module] = [conv_bn_relu(in_chans, 16)]
        channels = 16
        for out_channels in (16, 32, 64):
            for _ in range(blocks_per_stage):
                stride = 2 if out_channels != channels else 1
                layers.append(PostActivationBlock(channels, out_channels, stride, next(rates)))
                channels = out_channels
        features = nn.Sequential(*layers)
        super().__init__(features, num_features=64, num_classes=num_classes, drop_rate=drop_rate, pool="avg")


class WideResNet(SmallResNet):
    """6n + 4 layers: n = `blocks_per_stage` pre-activation blocks in each of three stages of 16, 32, 64 times `widen`."""

    def __init__(
        self,
        blocks_per_stage: int = 4,
        widen: int = 2,
        num_classes: int = 10,
        in_chans: int = 3,
        drop_rate: float = 0.0,
        drop_path_rate: float = 0.0,
    ) -> None:
        rates = iter(linear_drop_path(drop_path_rate, 3 * blocks_per_stage))
        layers: list[nn.Module] = [conv3x3(in_chans, 16)]
        channels = 16
        for stage, base in enumerate((16, 32, 64)):
            for block in range(blocks_per_stage):
                stride = 2 if stage > 0 and block == 0 else 1
                layers.append(PreActivationBlock(channels, base * widen, stride, next(rates)))
                channels = base * widen
        layers += [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
        features = nn.Sequential(*layers)
        super().__init__(features, num_features=channels, num_classes=num_classes, drop_rate=drop_rate, pool="avg")


FAMILIES: tuple[tuple[type[SmallResNet], str, dict[str, dict[str, Any]]], ...] = (
    # network, its first convolution (where timm adapts the number of channels), and the members of the family
    (ResNet9, "features.0.0", {f"resnet9_{width}": {"width": width} for width in (8, 16, 24, 32, 48, 64)}),
    (
        ResNet8,
        "features.0",
        {
            "resnet8_16": {"widths": (16, 48, 96)},
            "resnet8_24": {"widths": (24, 64, 128)},
            "resnet8_32": {"widths": (32, 96, 192)},
        },
    ),
    (
        CifarResNet,
        "features.0.0",
        {f"cifar_resnet{depth}": {"blocks_per_stage": (depth - 2) // 6} for depth in (20, 26, 32, 38, 44, 56)},
    ),
    (
        WideResNet,
        "features.0",
        {f"wrn_{d}_{widen}": {"blocks_per_stage": (d - 4) // 6, "widen": widen} for d, widen in ((16, 2), (28, 2))},
    ),
)


default_cfgs = {
    name: cfg
    for _, first_conv, members in FAMILIES
    for name, cfg in small_image_cfgs(first_conv, list(members)).items()
}

for _network, _, _members in FAMILIES:
    for _name, _defaults in _members.items():
        register_small(__name__, _name, _network, _defaults)

__all__ = [name for _, _, members in FAMILIES for name in members]
