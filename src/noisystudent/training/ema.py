"""The moving average of the weights, which labels, evaluates and is handed on (spec section 1.2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

Tensors = tuple[Tensor, ...] | list[Tensor]


def moving_average(network: nn.Module, decay: float) -> AveragedModel:
    """A copy of `network` that follows it; call `update_parameters(network)` after each step.

    After update t (from 0) the copy is d * copy + (1 - d) * network with d = min(decay, (1 + t) / (10 + t)), as TensorFlow's
    moving average with `num_updates` = t. (The released code's counter stands at 1 by the first update: docs/method.md.) BatchNorm's
    running statistics are averaged too; counters are copied.

    Example:
        >>> network = nn.Linear(1, 1, bias=False)
        >>> average = moving_average(network, 0.99)
        >>> with torch.no_grad():
        ...     _ = average.module.weight.fill_(0), network.weight.fill_(10)
        >>> average.update_parameters(network)
        >>> average.module.weight.item()
        9.0
    """

    def update(averaged: Tensors, current: Tensors, _: Tensor | int) -> None:
        if not averaged[0].is_floating_point():
            torch._foreach_copy_(averaged, current)
            return
        # This one is on the processor; what is passed is its copy on the GPU, which would be waited for.
        t = int(average.n_averaged) - 1
        d = min(decay, (1 + t) / (10 + t))
        torch._foreach_lerp_(averaged, current, 1 - d)

    average = AveragedModel(network, multi_avg_fn=update, use_buffers=True)
    # AveragedModel copies the network at its first update, as if nothing had been there before; TensorFlow averages with the
    # initial weights from the start. Counting one update already keeps the two the same.
    average.n_averaged.fill_(1)
    return average
