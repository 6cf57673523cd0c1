"""Open a model that was trained before, by its folder or its name."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import timm
import torch
from timm.data import ImageNetInfo

from noisystudent import atomic
from noisystudent.errors import UserError
from noisystudent.models.classifier import Classifier, Preprocessing, check_model_name
from noisystudent.models.weights import MissingWeights, find_weights, pretrained
from noisystudent.rundir import best_folder, folder_called


def load_classifier(model: str | Path, *, weights: bool = True) -> Classifier:
    """Open MODEL: a run folder (its best generation), a generation's folder, a timm folder, a timm name or `hf-hub:owner/name`.

    The network is in evaluation mode. Without `weights`, what a timm name stands for has random ones, and nothing is downloaded.

    Raises:
        UserError: there is no such model, or the folder does not hold a whole one.
    """
    folder, model = folder_called(model), os.path.expanduser(model)
    if folder is None and not model.startswith("hf-hub:"):
        check_model_name(model)
    with_weights = weights or folder is not None or model.startswith("hf-hub:")
    network = _open(model if folder is None else f"local-dir:{folder}", shown=model, with_weights=with_weights)
    cfg = network.pretrained_cfg
    channels, size, _ = cfg["input_size"]
    view = Preprocessing(size, channels, cfg["crop_pct"], tuple(cfg["mean"]), tuple(cfg["std"]))
    saved_args = json.loads((folder / "config.json").read_text()).get("model_args", {}) if folder else {}
    return Classifier(
        network.eval().to(memory_format=torch.channels_last),
        _class_names(cfg, network.num_classes),
        view,
        cfg["architecture"],
        {key: value for key, value in saved_args.items() if key != "in_chans"},
    )


def stands_for(model: str | Path) -> str:
    """Which network MODEL is, and why, in words: a run folder has several.

    Example:
        >>> stands_for("resnet18")
        'resnet18'
    """
    model = os.path.expanduser(model)
    results = Path(model) / "results.json"
    if folder_called(model) is None or not (best_folder(Path(model)) / "model").is_dir() or not results.is_file():
        return model
    found = json.loads(results.read_text(encoding="utf-8"))
    choice = found.get("choice")
    if choice is None:  # an earlier version chose by the highest accuracy on validation images
        return f"{found['best']} of {model}: the generation that was chosen when the run ended"
    return f"{choice['network']} ({choice['folder']}) of {model}: {choice['why']}"


def model_identity(model: str | Path, classifier: Classifier) -> dict[str, Any]:
    """What is measured or labeled with: what the user called it, the architecture, and the SHA-256 of its file, or of its weights."""
    if folder := folder_called(model):
        digest = atomic.sha256(folder / "model.safetensors")
    else:
        digest = hashlib.sha256(classifier.weights()).hexdigest()
    return {"model": os.path.expanduser(model), "architecture": classifier.architecture, "sha256": digest}


def _open(name: str, *, shown: str, with_weights: bool) -> Any:
    try:
        return pretrained(name, find_weights(name)) if with_weights else timm.create_model(name)
    except MissingWeights as problem:
        raise UserError(f"the model {shown} cannot be opened: {problem}") from problem
    except Exception as error:  # timm and the hub raise many kinds; each means that this model cannot be had
        raise UserError(f"the model {shown} cannot be opened: {error}") from error


def _class_names(cfg: dict[str, Any], num_classes: int) -> tuple[str, ...]:
    names = cfg.get("label_names")
    if not names and num_classes == 1000:
        info = ImageNetInfo("imagenet-1k")
        names = info.label_names()  # type: ignore[no-untyped-call]
    return tuple(names) if names else tuple(str(i) for i in range(num_classes))
