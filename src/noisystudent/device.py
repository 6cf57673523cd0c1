"""Where networks compute, and in which precision."""

from __future__ import annotations

import ctypes
import functools
import math
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, cast

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from noisystudent import memory, processes
from noisystudent.config import Execution
from noisystudent.errors import UserError

CACHED_PIXELS = 2**19
# Of mallopt, in glibc's malloc.h. Its manual: a threshold of -1 gives nothing back; the heaps of threads other than the first are too small
# for large tensors, so that all have one.
M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX, NEVER = -1, -4, -8, -1


def compute_device(execution: Execution) -> torch.device:
    """The device that `execution` asks for; `auto` is the first GPU where there is one.

    Raises:
        UserError: this machine does not have it.

    Example:
        >>> compute_device(Execution(device="cpu"))
        device(type='cpu')
    """
    there = devices()
    name = there[0] if execution.device == "auto" else execution.device
    if name not in there:
        raise UserError(
            f"the device {name} (execution.device, --device) is not on this machine: "
            f"PyTorch {torch.__version__} finds {', '.join(there)}"
        )
    if name == "cpu":
        keep_freed_memory()
    if name == "cuda" and processes.count() > 1:  # each has its own
        name = f"cuda:{processes.number_here()}"
    return torch.device(name)


@functools.cache
def keep_freed_memory() -> bool:
    """Let glibc, where it is the C library, keep freed memory for the next allocations; returns whether it does.

    By default it asks the system for every large tensor and gives it back at once, so that each step of a training touches, and the system
    clears, all of its memory anew: that is up to a quarter of the time on a processor.

    Example:
        >>> keep_freed_memory() == (platform.libc_ver()[0] == "glibc")
        True
    """
    if not _has_glibc():
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return all(mallopt(*option) for option in ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, NEVER), (M_ARENA_MAX, 1)))


def give_back_freed_memory() -> None:
    """Let the system have what `keep_freed_memory` kept, so that what it says is used is used."""
    if _has_glibc():
        ctypes.CDLL(None).malloc_trim(0)


def _has_glibc() -> bool:
    return platform.libc_ver()[0] == "glibc"


def devices() -> list[str]:
    """What `execution.device` may name on this machine, the fastest first."""
    gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    apple = ["mps"] if torch.backends.mps.is_available() else []
    return [*(["cuda", *gpus] if gpus else []), *apple, "cpu"]


@contextmanager
def training_precision(execution: Execution, device: torch.device) -> Iterator[None]:
    """The context of a training's forward pass: in `execution.precision`.

    In bf16 on a processor depthwise convolutions stay in fp32: PyTorch's are slower in bf16 (`benchmarks/precision.py`).

    Example:
        >>> with training_precision(Execution(precision="bf16"), torch.device("cpu")):
        ...     torch.nn.Linear(2, 2)(torch.zeros(1, 2)).dtype
        torch.bfloat16
    """
    bf16 = in_bf16(execution.precision, device)
    with _autocast(device, bf16=bf16), DepthwiseInFp32() if bf16 and device.type == "cpu" else nullcontext():
        yield


def labeling_precision(execution: Execution, device: torch.device) -> torch.autocast:
    """The context of a forward pass that labels or embeds: in `execution.labeling_precision`.

    Example:
        >>> with labeling_precision(Execution(labeling_precision="bf16"), torch.device("cpu")):
        ...     torch.nn.Linear(2, 2)(torch.zeros(1, 2)).dtype
        torch.bfloat16
    """
    return _autocast(device, bf16=in_bf16(execution.labeling_precision, device))


def in_bf16(precision: str, device: torch.device) -> bool:
    """Whether a precision of `execution` means bf16 on a device."""
    return precision == "bf16" or (precision == "auto" and computes_in_bf16(device))


def _autocast(device: torch.device, *, bf16: bool) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=bf16)


class DepthwiseInFp32(TorchFunctionMode):
    """Within it, depthwise convolutions are computed in fp32, whatever autocast says, and their backward pass too.

    Example:
        >>> convolution = torch.nn.Conv2d(4, 4, 3, groups=4)
        >>> with torch.autocast("cpu", torch.bfloat16), DepthwiseInFp32():
        ...     convolution(torch.zeros(1, 4, 8, 8)).dtype
        torch.float32
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is torch.conv2d:
            images, weight, *more = args
            if weight.shape[1] == 1 < images.shape[1]:
                with torch.autocast(images.device.type, enabled=False):
                    return func(images.float(), weight, *more, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def batches(rows: np.ndarray, image_size: int, execution: Execution) -> list[np.ndarray]:
    """Cut rows into the batches that a network is asked about at a time.

    At most `execution.label_batch_size` images, and on a processor at most as many as keep its caches warm: 2^19 pixels, but 8 images.

    Example:
        >>> [len(batch) for batch in batches(np.arange(50), 160, Execution(device="cpu"))]
        [17, 17, 16]
    """
    most = execution.label_batch_size
    if compute_device(execution).type == "cpu":
        most = min(most, max(CACHED_PIXELS // image_size**2, 8))
    return np.array_split(rows, math.ceil(len(rows) / most))


def computes_in_bf16(device: torch.device) -> bool:
    """Whether there are bf16 instructions; without them PyTorch still takes bf16, and is slower with it than without.

    On an x86 processor that is AVX-512 BF16, which those with AMX have too. Of other processors nothing is known: no.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())  # nothing public before torch 2.10


def seed_draws(seed: int, device: torch.device) -> None:
    """Seed what layers draw on a device, such as dropout.

    `torch.manual_seed` also keeps the seed for accelerators that are not in use, with a formatted stack trace for each: a step of a small
    network takes a fortieth longer.

    Example:
        >>> seed_draws(1, torch.device("cpu"))
        >>> drawn = torch.rand(2)
        >>> torch.equal(drawn, torch.rand(2, generator=torch.Generator().manual_seed(1)))
        True
    """
    if device.type == "cpu":
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)


@contextmanager
def full_fp32() -> Iterator[None]:
    """Multiply fp32 by fp32: not in TF32, PyTorch's default for a GPU's convolutions, nor in bf16, whatever the process has set.

    For answers that are measured or taught. What was set is set again afterwards.

    Example:
        >>> torch.set_float32_matmul_precision("high")
        >>> with full_fp32():
        ...     torch.backends.cuda.matmul.fp32_precision
        'ieee'
        >>> torch.get_float32_matmul_precision()
        'high'
        >>> torch.set_float32_matmul_precision("highest")
    """
    gpu, processor = cast(Any, torch.backends.cudnn), cast(Any, torch.backends.mkldnn)
    operations: list[Any] = [torch.backends.cuda.matmul, gpu.conv, gpu.rnn, processor.matmul, processor.conv]
    before = [operation.fp32_precision for operation in operations]
    try:
        for operation in operations:
            operation.fp32_precision = "ieee"
        yield
    finally:
        for operation, precision in zip(operations, before, strict=True):
            operation.fp32_precision = precision


def own_draws(device: torch.device) -> AbstractContextManager[None]:
    """Within it PyTorch may be seeded; afterwards the process draws on as if nothing had been drawn, on the processor and on this GPU."""
    return torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])


def free_memory(device: torch.device) -> int:
    """Bytes that may be had now."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "mps":
        return max(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory(), 0)
    give_back_freed_memory()
    return memory.available()


def moved(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A tensor on a device; to NVIDIA's by way of pinned memory, of which it copies while it computes.

    Example:
        >>> moved(torch.zeros(2), torch.device("meta")).device
        device(type='meta')
    """
    if device.type == "cuda" and tensor.device.type == "cpu":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what it was given; a processor has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
