"""Where networks compute, and in which precision."""

from __future__ import annotations

from accelerate import Accelerator

from noisystudent.config import Execution


def accelerator(execution: Execution) -> Accelerator:
    """Accelerate's view of the device and the precision that `execution` asks for."""
    return Accelerator(cpu=execution.device == "cpu", mixed_precision="bf16" if execution.precision == "bf16" else "no")
