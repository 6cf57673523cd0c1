"""The EfficientNets of the paper that timm lacks, registered with timm beside its B0 to B8 and L2.

L0 and L1 are the steps between B7 and L2 in the first version of the Noisy Student paper (arXiv 1911.04252v1; spec section 7): the
blocks of every EfficientNet, wider and deeper. TensorFlow's padding and BatchNorm epsilon, as all of timm's `tf_` networks.
"""

from __future__ import annotations

from typing import Any

from timm.models import generate_default_cfgs, register_model
from timm.models.efficientnet import BN_EPS_TF_DEFAULT, EfficientNet, _gen_efficientnet

TRAINING_SIZE, TEST_SIZE = 380, 600
CROP_PADDING = 32  # the evaluation crop is size / (size + 32) of the short side, spec section 1.4


def _default_cfg() -> dict[str, Any]:
    return {
        "num_classes": 1000,
        "input_size": (3, TRAINING_SIZE, TRAINING_SIZE),
        "test_input_size": (3, TEST_SIZE, TEST_SIZE),
        "pool_size": (12, 12),
        "crop_pct": TRAINING_SIZE / (TRAINING_SIZE + CROP_PADDING),
        "test_crop_pct": TEST_SIZE / (TEST_SIZE + CROP_PADDING),
        "interpolation": "bicubic",
        "mean": (0.485, 0.456, 0.406),
        "std": (0.229, 0.224, 0.225),
        "first_conv": "conv_stem",
        "classifier": "classifier",
    }


default_cfgs = generate_default_cfgs(
    {
        "tf_efficientnet_l0": _default_cfg(),
        "tf_efficientnet_l1": _default_cfg(),
        "tf_efficientnet_b0_small_images": {
            **{key: value for key, value in _default_cfg().items() if not key.startswith("test_")},
            "input_size": (3, 32, 32),
            "pool_size": (4, 4),
            "crop_pct": 1.0,
        },
    }
)


def _scaled(name: str, pretrained: bool, arguments: dict[str, Any], *, width: float, depth: float) -> EfficientNet:
    network: EfficientNet = _gen_efficientnet(  # type: ignore[no-untyped-call]
        name,
        channel_multiplier=width,
        depth_multiplier=depth,
        pretrained=pretrained,
        **{"bn_eps": BN_EPS_TF_DEFAULT, "pad_type": "same", **arguments},
    )
    return network


@register_model
def tf_efficientnet_l0(pretrained: bool = False, **arguments: Any) -> EfficientNet:
    """EfficientNet-L0: 141 million parameters; no weights were published."""
    return _scaled("tf_efficientnet_l0", pretrained, arguments, width=2.8, depth=3.7)


@register_model
def tf_efficientnet_l1(pretrained: bool = False, **arguments: Any) -> EfficientNet:
    """EfficientNet-L1: 273 million parameters; no weights were published."""
    return _scaled("tf_efficientnet_l1", pretrained, arguments, width=3.9, depth=3.7)


@register_model
def tf_efficientnet_b0_small_images(pretrained: bool = False, **arguments: Any) -> EfficientNet:
    """EfficientNet-B0 for 32 pixels, as the released code has it for SVHN: stages 2 and 3 keep the size (spec section 4)."""
    network = _scaled("tf_efficientnet_b0_small_images", pretrained, arguments, width=1.0, depth=1.0)
    for stage in (1, 2):
        network.get_submodule(f"blocks.{stage}.0.conv_dw").stride = (1, 1)  # type: ignore[assignment]
    return network


__all__ = ["tf_efficientnet_b0_small_images", "tf_efficientnet_l0", "tf_efficientnet_l1"]
