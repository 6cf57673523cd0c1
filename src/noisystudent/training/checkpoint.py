"""What a killed training needs to go on: weights, their average, the optimizer's state, and the step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from noisystudent import atomic


def save_checkpoint(
    path: Path, *, step: int, network: nn.Module, average: AveragedModel, optimizer: torch.optim.Optimizer
) -> None:
    """Write the state after `step` steps, whole or not at all."""
    state = {
        "step": step,
        "network": network.state_dict(),
        "average": average.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    with atomic.replacing(path) as temporary, temporary.open("wb") as file:
        try:
            torch.save(state, file)
        except (
            RuntimeError
        ) as error:  # PyTorch's way to say that a write failed; the reason, such as a full disk, is its context
            raise (error.__context__ if isinstance(error.__context__, OSError) else error) from None


def load_checkpoint(path: Path, *, network: nn.Module, average: AveragedModel, optimizer: torch.optim.Optimizer) -> int:
    """Put back what `save_checkpoint` wrote; how many steps were done, 0 when there is no checkpoint."""
    if not path.exists():
        return 0
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    network.load_state_dict(state["network"])
    average.load_state_dict(state["average"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])
