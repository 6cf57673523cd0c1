"""What a machine has that a run can use, and what is missing."""

from __future__ import annotations

import os
import platform
import shutil
from importlib import metadata
from typing import Any

import psutil
import torch

from noisystudent.config import Execution
from noisystudent.device import compute_device, computes_in_bf16, devices
from noisystudent.extras import MODULES, how_to_install, missing
from noisystudent.models.weights import MissingWeights, Weights, find_all
from noisystudent.recipes import recipe
from noisystudent.run_plan import run_networks
from noisystudent.rundir import PACKAGES

PRETRAINED = ("photos-fast",)  # recipes whose networks start from weights


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
        "weights": _weights(),
        "extras": {
            extra: f"missing: {how_to_install(extra)}" if missing(extra) else "installed"
            for extra in MODULES
            if extra != "train"
        },
    }


def _weights() -> dict[str, str]:
    """Where the weights of the networks of each recipe are: cached, in a package, on the hub, or missing."""
    networks = {
        name: dict.fromkeys(
            (network.training.model, network.training.weights) for network in run_networks(recipe(name))
        )
        for name in PRETRAINED
    }
    found = find_all(pair for pairs in networks.values() for pair in pairs)
    return {name: "; ".join(_said(pair[0], found[pair]) for pair in pairs) for name, pairs in networks.items()}


def _said(model: str, place: Weights | MissingWeights) -> str:
    return f"{model} {place}" if isinstance(place, Weights) else f"{model} missing: {place}"


def _gpu() -> str:
    if torch.cuda.is_available():
        return ", ".join(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
    if torch.backends.mps.is_available():
        return "Apple GPU (mps)"
    return "none: choose a small network, or expect hours"
