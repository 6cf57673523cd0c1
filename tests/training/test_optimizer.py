"""The optimizers, step by step, against NumPy."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from noisystudent.config import Training
from noisystudent.training.optimizer import build_optimizer

RATES = (0.1, 0.05, 0.2, 0.02, 0.1)
DECAY = 0.01


class Product(nn.Module):
    """A weight that decays and a scale of a normalization layer that does not."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.5, -1.5, 2.0]))
        self.norm = nn.LayerNorm(3)


Update = Callable[[np.ndarray, np.ndarray, float, dict[str, np.ndarray]], np.ndarray]


def sgd(w: np.ndarray, g: np.ndarray, rate: float, state: dict[str, np.ndarray]) -> np.ndarray:
    state["v"] = 0.9 * state["v"] + g if "v" in state else g
    return w - rate * (g + 0.9 * state["v"])  # Nesterov


def rmsprop(w: np.ndarray, g: np.ndarray, rate: float, state: dict[str, np.ndarray]) -> np.ndarray:
    state["ms"] = 0.9 * state.get("ms", np.ones_like(g)) + 0.1 * g**2
    state["mom"] = 0.9 * state.get("mom", np.zeros_like(g)) + rate * g / np.sqrt(state["ms"] + 1e-3)
    return w - state["mom"]


def run(optimizer: str, update: Update | None) -> list[tuple[np.ndarray, np.ndarray]]:
    """Five steps with a changing rate; ours and the reference's parameters after them."""
    module = Product()
    training = Training(model="x", optimizer=optimizer, learning_rate=0.1, momentum=0.9, weight_decay=DECAY)
    ours = build_optimizer(module, training)
    values = {name: p.detach().numpy().astype(np.float64).copy() for name, p in module.named_parameters()}
    states: dict[str, dict[str, np.ndarray]] = {name: {} for name in values}
    draw = np.random.default_rng(0)
    for step, rate in enumerate(RATES, start=1):
        for group in ours.param_groups:
            group["lr"] = rate
        for name, parameter in module.named_parameters():
            gradient = draw.normal(size=3)
            parameter.grad = torch.tensor(gradient, dtype=torch.float32)
            decay = 0.0 if name.startswith("norm") else DECAY
            if update:
                values[name] = update(values[name], gradient + decay * values[name], rate, states[name])
            else:
                values[name] = adamw(values[name], gradient, rate, decay, states[name], step)
        ours.step()
    return [(p.detach().numpy(), values[name]) for name, p in module.named_parameters()]


def adamw(w: np.ndarray, g: np.ndarray, rate: float, decay: float, state: dict[str, np.ndarray], t: int) -> np.ndarray:
    w = w - rate * decay * w
    state["m"] = 0.9 * state.get("m", np.zeros_like(g)) + 0.1 * g
    state["v"] = 0.999 * state.get("v", np.zeros_like(g)) + 0.001 * g**2
    return w - rate * (state["m"] / (1 - 0.9**t)) / (np.sqrt(state["v"] / (1 - 0.999**t)) + 1e-8)


@pytest.mark.parametrize(("name", "update"), [("sgd", sgd), ("rmsproptf", rmsprop), ("adamw", None)])
def test_each_step_is_the_published_one(name: str, update: Update | None) -> None:
    for ours, reference in run(name, update):
        assert ours == pytest.approx(reference, rel=2e-5, abs=2e-6)


def test_tensorflows_rmsprop_starts_from_1_with_epsilon_inside_the_root() -> None:
    module = Product()
    optimizer = build_optimizer(
        module, Training(model="x", optimizer="rmsproptf", learning_rate=0.1, momentum=0.9, weight_decay=0.0)
    )
    before = module.weight[0].item()
    for parameter in module.parameters():
        parameter.grad = torch.full((3,), 2.0)
    optimizer.step()
    assert before - module.weight[0].item() == pytest.approx(0.1 * 2 / math.sqrt(0.9 * 1 + 0.1 * 4 + 1e-3), rel=1e-5)


@pytest.mark.parametrize("optimizer", ["sgd", "rmsproptf", "adamw"])
def test_everything_decays_but_normalization(optimizer: str) -> None:
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.Conv2d(4, 4, 3, groups=4),
        nn.GroupNorm(2, 4),
        nn.Linear(4, 4),
        nn.LayerNorm(4),
    )
    groups = build_optimizer(network, Training(model="x", optimizer=optimizer, weight_decay=0.3)).param_groups
    decays = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
    for index, layer in enumerate(network):
        for parameter in layer.parameters():  # biases and depthwise kernels included
            assert decays[id(parameter)] == (0.3 if index in (0, 2, 4) else 0.0)
    assert len(decays) == len(list(network.parameters()))


def test_sgd_without_momentum_is_gradient_descent() -> None:
    module = Product()
    optimizer = build_optimizer(module, Training(model="x", momentum=0.0, learning_rate=0.5, weight_decay=0.0))
    before = module.weight.detach().clone()
    for gradient in (1.0, -3.0):
        for parameter in module.parameters():
            parameter.grad = torch.full((3,), gradient)
        optimizer.step()
    assert torch.allclose(module.weight, before + 1.0)


def test_a_network_without_normalization_has_one_group() -> None:
    assert len(build_optimizer(nn.Linear(2, 2), Training(model="x")).param_groups) == 1
