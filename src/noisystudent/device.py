"""Where networks compute, and in which precision."""

from __future__ import annotations

import torch
from accelerate import Accelerator

from noisystudent.config import Execution


def accelerator(execution: Execution) -> Accelerator:
    """Accelerate's view of the device that `execution` asks for."""
    return Accelerator(cpu=execution.device == "cpu", mixed_precision="no")


def autocast(execution: Execution, device: torch.device) -> torch.autocast:
    """The context of a forward pass in the precision that `execution` asks for.

    Accelerate keeps one precision for a whole process; a process that trains in bf16 measures in fp32.

    Example:
        >>> with autocast(Execution(precision="bf16"), torch.device("cpu")):
        ...     torch.nn.Linear(2, 2)(torch.zeros(1, 2)).dtype
        torch.bfloat16
    """
    bf16 = execution.precision == "bf16" or (execution.precision == "auto" and computes_in_bf16(device))
    return torch.autocast(device.type, torch.bfloat16, enabled=bf16)


def computes_in_bf16(device: torch.device) -> bool:
    """Whether there are bf16 instructions; without them PyTorch still takes bf16, and is slower with it than without.

    On an x86 processor that is AVX-512 BF16, which those with AMX have too. Of other processors nothing is known: no.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())  # nothing public before torch 2.10
