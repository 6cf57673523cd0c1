"""What a machine has that a run can use, what will be slow, and what is missing."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
import torch

from noisystudent import memory
from noisystudent.config import Execution
from noisystudent.device import compute_device, computes_in_bf16, devices
from noisystudent.extras import how_to_install, missing
from noisystudent.models.weights import MissingWeights, Weights, check_hub, find_all
from noisystudent.recipes import recipe
from noisystudent.run_plan import run_networks
from noisystudent.rundir import PACKAGES

PRETRAINED = ("photos-fast", "photos-instant")  # recipes whose networks start from weights
GIB = 2**30
LITTLE_MEMORY = 2.0  # GiB: a whole run with a million small images takes 1.3 (benchmarks/results/memory.md)
LITTLE_DISK = 5.0  # GiB
FOR = {
    "board": "a board of your own",
    "hf": "Hugging Face data sets as sources",
    "heic": "HEIC photos",
    "robustness": "corrupted and perturbed images",
    "ray": "a Ray cluster",
}


def examine() -> dict[str, Any]:
    """Versions, processor, memory, disk, GPUs, weights, extras; and `advice`: what will be slow, and what to install or to set.

    Example:
        >>> examine()["python"] == platform.python_version()
        True
    """
    disk = shutil.disk_usage(".")
    findings = {
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "cores": os.cpu_count() or 1,
        "cores_allowed": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
        "memory_gib": {"free": _gib(memory.available()), "total": _gib(psutil.virtual_memory().total)},
        "disk_gib": {"free": _gib(disk.free), "total": _gib(disk.total)},
        "gpus": _gpus(),
        "devices": devices(),
        "bf16": computes_in_bf16(compute_device(Execution())),
        "weights": _weights(),
        "hub": _hub(),
        "extras": {extra: not missing(extra) for extra in FOR},
    }
    return {**findings, "advice": list(advice(findings, nvidia=_has_nvidia()))}


def advice(findings: dict[str, Any], *, nvidia: bool) -> Iterator[str]:
    """What follows of the findings: a sentence each, the slowest first.

    Args:
        findings: as `examine` has them.
        nvidia: whether there is a GPU of NVIDIA's, whatever PyTorch knows of it.
    """
    if not findings["gpus"] and nvidia:
        yield (
            "There is an NVIDIA GPU, and PyTorch does not see it: install a build of PyTorch for it, or a newer driver "
            "(https://pytorch.org/get-started/locally)."
        )
    if not findings["gpus"]:
        yield (
            "Without a GPU, networks that are trained from random weights take an hour and more: begin with --recipe photos-fast or "
            "photos-instant, whose networks start from pretrained weights; --dry-run estimates the time."
        )
    cores, allowed, threads = (findings[key] for key in ("cores", "cores_allowed", "threads"))
    if allowed < cores:
        yield f"This process may use {allowed} of {cores} cores: --set execution.workers={allowed} has as many threads decode."
    if threads < allowed and not findings["gpus"]:
        why = " since OMP_NUM_THREADS is set" if os.environ.get("OMP_NUM_THREADS") else ""
        yield f"PyTorch computes with {threads} of {allowed} cores{why}: OMP_NUM_THREADS={allowed} has it use all."
    if not findings["bf16"]:
        yield "Nothing here computes in bf16: labeling is done in fp32, which takes longer."
    if (free := findings["memory_gib"]["free"]) < LITTLE_MEMORY:
        yield f"Only {free:.1f} GiB of memory are free: close other programs, or keep fewer images there (--set execution.memory_gib=0.25)."
    if (free := findings["disk_gib"]["free"]) < LITTLE_DISK:
        yield f"Only {free:.1f} GiB of the disk are free here: a run keeps weights, checkpoints and predictions in its folder."
    for name, networks in findings["weights"].items():
        for network, place in networks.items():
            if not place["found"]:
                yield f"The weights of {network}, which {name} starts from, cannot be had: {place['where']}; --weights takes your own."
    if findings["hub"] != "reachable":
        yield f"Weights that are not on this machine yet cannot be downloaded: {findings['hub']}."
    for extra, there in findings["extras"].items():
        if not there:
            yield f"For {FOR[extra]}: {how_to_install(extra)}"


def _gib(count: int) -> float:
    return round(count / GIB, 1)


def _weights() -> dict[str, dict[str, dict[str, Any]]]:
    """Where the weights of the networks of each recipe are: cached, in a package, on the hub, or missing."""
    networks = {
        name: dict.fromkeys(
            (network.training.model, network.training.weights) for network in run_networks(recipe(name))
        )
        for name in PRETRAINED
    }
    found = find_all(pair for pairs in networks.values() for pair in pairs)
    return {name: {pair[0]: _said(found[pair]) for pair in pairs} for name, pairs in networks.items()}


def _said(place: Weights | MissingWeights) -> dict[str, Any]:
    return {"found": isinstance(place, Weights), "where": str(place)}


def _hub() -> str:
    try:
        check_hub()
    except MissingWeights as problem:
        return str(problem)
    return "reachable"


def _gpus() -> list[dict[str, Any]]:
    if torch.cuda.is_available():
        found = [
            (torch.cuda.get_device_name(index), *torch.cuda.mem_get_info(index))
            for index in range(torch.cuda.device_count())
        ]
        return [{"name": name, "memory_gib": {"free": _gib(free), "total": _gib(total)}} for name, free, total in found]
    if torch.backends.mps.is_available():
        total = torch.mps.recommended_max_memory()
        free = max(total - torch.mps.driver_allocated_memory(), 0)
        return [{"name": "Apple GPU (mps)", "memory_gib": {"free": _gib(free), "total": _gib(total)}}]
    return []


def _has_nvidia() -> bool:
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None
