"""Networks of ours for images of about 32 pixels, made known to timm."""

from __future__ import annotations

from typing import Any

from timm.models import build_model_with_cfg, generate_default_cfgs, register_model
from torch import nn


def small_image_cfgs(first_conv: str, names: list[str]) -> Any:
    """What timm keeps of networks without pretrained weights.

    Args:
        first_conv: the layer that timm adapts to the number of channels.
        names: of the networks.
    """
    cfg = {
        "num_classes": 10,
        "input_size": (3, 32, 32),
        "pool_size": None,
        "crop_pct": 1.0,
        "interpolation": "bicubic",
        "mean": (0.5, 0.5, 0.5),
        "std": (0.25, 0.25, 0.25),
        "first_conv": first_conv,
        "classifier": "fc",
    }
    return generate_default_cfgs(dict.fromkeys(names, cfg))


def register_small(module: str, name: str, network: type[nn.Module], defaults: dict[str, Any]) -> None:
    """Have timm make a network by its name.

    Args:
        module: whose `default_cfgs` and `__all__` name it.
        name: for `timm.create_model`.
        network: the class.
        defaults: what it is made with; timm's own arguments come on top.
    """

    def entrypoint(pretrained: bool = False, **kwargs: Any) -> nn.Module:
        model: nn.Module = build_model_with_cfg(network, name, pretrained, **{**defaults, **kwargs})
        return model

    entrypoint.__name__ = name
    entrypoint.__module__ = module
    register_model(entrypoint)
