"""Keep a part of a network as it is while the rest learns."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn


def freeze(network: nn.Module, names: Sequence[str]) -> None:
    """Take the named modules out of the training: no gradient, BatchNorm by its statistics, no dropout.

    So the released code treats its first layers in the resolution fix (spec section 1.3).

    Args:
        network: in training mode; it is changed.
        names: of modules, with all that is below them.

    Example:
        >>> network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        >>> freeze(network, ["1"])
        >>> network.training, network[1].training, network[1].weight.requires_grad
        (True, False, False)
    """
    for name in names:
        network.get_submodule(name).eval().requires_grad_(False)
