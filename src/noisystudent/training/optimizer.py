"""The optimizer, and which parameters decay."""

from __future__ import annotations

from typing import Any

import torch
from timm.optim import create_optimizer_v2
from torch import nn

from noisystudent.config import Training

NORMALIZATION = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm)


def build_optimizer(network: nn.Module, training: Training) -> torch.optim.Optimizer:
    """SGD with Nesterov momentum, TensorFlow's RMSProp, or AdamW.

    Weight decay holds for every parameter but those of normalization layers: biases and depthwise kernels decay too, as in the
    released code (spec section 1.2). For sgd and rmsproptf it is coupled (part of the gradient), for adamw decoupled.
    """
    normalization = {
        id(parameter)
        for module in network.modules()
        if isinstance(module, NORMALIZATION)
        for parameter in module.parameters()
    }
    decayed = [p for p in network.parameters() if id(p) not in normalization]
    undecayed = [p for p in network.parameters() if id(p) in normalization]
    groups: list[dict[str, Any]] = [{"params": decayed, "weight_decay": training.weight_decay}]
    if undecayed:
        groups.append({"params": undecayed, "weight_decay": 0.0})
    arguments: dict[str, Any] = {} if training.optimizer == "adamw" else {"momentum": training.momentum}
    if training.optimizer == "sgd":
        arguments["nesterov"] = training.momentum > 0
    if training.optimizer == "rmsproptf":
        arguments |= {"alpha": 0.9, "eps": 1e-3}  # spec section 1.2
    elif decayed[0].device.type == "cuda":
        arguments["fused"] = True  # one kernel for all weights
    optimizer: torch.optim.Optimizer = create_optimizer_v2(
        groups, opt=training.optimizer, lr=training.learning_rate, weight_decay=training.weight_decay, **arguments
    )
    return optimizer
