"""What an image costs a classifier: parameters, multiply-adds, time, memory."""

from __future__ import annotations

import copy
import math
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from noisystudent.config import Execution
from noisystudent.device import compute_device, give_back_freed_memory
from noisystudent.models.classifier import Classifier

REPEATS = 5
PEAK = Path("/proc/self/status")
FORGET_PEAK = Path("/proc/self/clear_refs")


def multiply_adds(network: nn.Module, *, channels: int, size: int, all_operations: bool = True) -> float:
    """Of one image, forward.

    Two counts are in use. Convolutions and linear layers (attention among them) alone make 37.75 billion for EfficientNet-B7 at 600 px, the
    "37" of its paper. timm's tables have normalization and pooling too, as fvcore counts them: two a value for BatchNorm, five for
    LayerNorm and GroupNorm, one for the global average. That makes 38.33.

    Args:
        network: of whose weights only the shapes matter.
        channels, size: of the image.
        all_operations: False: convolutions, linear layers and attention only.

    Example:
        >>> multiply_adds(nn.Conv2d(3, 8, 3, bias=False), channels=3, size=10)
        13824.0
    """
    aten = torch.ops.aten
    counts: dict[Any, Callable[..., int]] = {
        aten._native_batch_norm_legit_no_training: _a_value(2),
        aten.native_batch_norm: _a_value(2),
        aten.native_layer_norm: _a_value(5),
        aten.native_group_norm: _a_value(5),
        aten._adaptive_avg_pool2d: _a_value(1),
    }
    # On the meta device nothing is computed but shapes.
    weightless = copy.deepcopy(network).to("meta").eval().requires_grad_(False)
    image = torch.zeros(1, channels, size, size, device="meta")
    with torch.no_grad(), FlopCounterMode(display=False, custom_mapping=counts if all_operations else None) as counter:
        weightless(image)
    return float(counter.get_total_flops()) / 2


def cost(classifier: Classifier, *, size: int | None = None, batch: int = 32, execution: Execution) -> dict[str, float]:
    """What classifying takes, by calculation and by trial.

    Args:
        classifier: in evaluation mode.
        size: side of an image; without it the classifier's own.
        batch: images at a time.

    Returns:
        `params`, `macs` (all operations), `macs_conv_linear`, `images_per_second` (the best of five batches), `peak_memory` (bytes
        beside the weights while it classifies a batch; left out where the system does not tell).
    """
    channels, side = classifier.preprocessing.channels, size or classifier.preprocessing.image_size
    counted = {
        name: multiply_adds(classifier.network, channels=channels, size=side, all_operations=all_operations)
        for name, all_operations in (("macs", True), ("macs_conv_linear", False))
    }
    device = compute_device(execution)
    classifier.network.to(device)
    images = torch.randint(256, (batch, channels, side, side), dtype=torch.uint8)
    classifier.logits(images)  # the first batch is slower than those that follow
    before = _forget_peak(device)
    seconds = min(_seconds(lambda: classifier.logits(images).cpu()) for _ in range(REPEATS))
    peak = _peak(device)
    return {
        "params": sum(parameter.numel() for parameter in classifier.network.parameters()),
        **counted,
        "images_per_second": batch / seconds,
        **({} if peak is None or before is None else {"peak_memory": max(peak - before, 0)}),
    }


def _a_value(count: int) -> Callable[..., int]:
    """So many multiply-adds a value of the input; PyTorch counts each as two operations."""
    return lambda shape, *_, **__: 2 * count * math.prod(shape)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _forget_peak(device: torch.device) -> int | None:
    """Bytes in use now, from which on the peak is looked for."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return torch.cuda.memory_allocated(device)
    give_back_freed_memory()
    try:
        FORGET_PEAK.write_text("5")  # Linux: the highest use is that of now
    except OSError:
        return None
    return _peak(device)


def _peak(device: torch.device) -> int | None:
    """The highest use in bytes since then."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    found = re.search(r"VmHWM:\s+(\d+) kB", PEAK.read_text()) if PEAK.exists() else None
    return int(found[1]) * 1024 if found else None
