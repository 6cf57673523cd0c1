"""What training a network costs an image, by calculation and by a trial step; nothing is learned."""

from __future__ import annotations

import dataclasses
import functools
import math
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import psutil
import timm
import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils.flop_counter import FlopCounterMode

from noisystudent.config import Execution, Training
from noisystudent.data.duplicates import dhash
from noisystudent.data.micro_batches import own_micro_batches
from noisystudent.device import (
    batches,
    compute_device,
    free_memory,
    in_bf16,
    labeling_precision,
    synchronize,
    training_precision,
)
from noisystudent.errors import RunError
from noisystudent.models.classifier import build_classifier
from noisystudent.models.probabilities import softmax_of
from noisystudent.noise.input_noise import add_input_noise
from noisystudent.training.ema import moving_average
from noisystudent.training.forward_backward import too_many
from noisystudent.training.loss import label_targets, soft_cross_entropy
from noisystudent.training.optimizer import build_optimizer

TRIAL_OPERATIONS = 2e10  # multiply-adds of a trial step's forward pass: about a second on a processor core
MOST_OPERATIONS = 3e11  # what takes more is tried with smaller images
TRIAL_IMAGES = (2, 64)  # at least two, for BatchNorm
TRIAL_SECONDS = 1.0  # what is shorter is done again and again
LONG_TRIAL_SECONDS = 10.0  # what is longer is done once
ROOM = 0.8  # the share of the free memory that a trial may take
# What a step on a processor takes beside the states, of the activations that are calculated: 1.3 to 1.6 times in fp32, 0.8 to 0.9 in
# bf16 (peaks of EfficientNet-Lite0, ResNet-10-T and the cifar10 recipe's network).
LEAST_IN_FP32, LEAST_IN_BF16 = 1.25, 0.75
MOST = 1.3  # times that least, of the same networks
STATES = {"sgd": 1, "rmsproptf": 2, "adamw": 2}  # of an optimizer, each as large as the weights


class Cost(NamedTuple):
    """What a training takes.

    Args:
        parameters: of the network.
        states: bytes of the weights, their gradients, their average and the optimizer's states.
        activations: bytes an image that the forward pass keeps for the backward one, in fp32.
        multiply_adds: an image, forward; of convolutions and linear layers.
        training_seconds: an image; None: the network does not fit into memory, however small the images.
        labeling_seconds: the same, of labeling.
    """

    parameters: int
    states: int
    activations: int
    multiply_adds: float
    training_seconds: float | None = None
    labeling_seconds: float | None = None


def cost_key(training: Training) -> str:
    """The same for trainings that cost the same an image."""
    parts = {"model", "model_args", "image_size", "drop_rate", "drop_path_rate", "noise", "optimizer"}
    return training.model_dump_json(include=parts)


def cost_an_image(training: Training, execution: Execution, channels: int, classes: int) -> Cost:
    """Calculate what a training needs, and try a step of it on a small batch.

    What needs more memory than there is, or very long, is tried with smaller images, and its time is theirs times the share of the
    multiply-adds.

    Args:
        training: network, noise and optimizer; its steps and batch do not matter.
        execution: device and precision.
        channels: of the images.
        classes: how many.
    """
    size, device = training.image_size, compute_device(execution)
    cost = calculated_cost(training, channels, classes)
    fitting = None
    for side in (size, size // 2, size // 4):
        smaller = cost if side == size else _calculated(training, channels, classes, side)
        if _fits(smaller, device):
            fitting = side, smaller
            if TRIAL_IMAGES[0] * smaller.multiply_adds <= MOST_OPERATIONS:
                break
    if fitting is None:
        return cost
    side, smaller = fitting
    scale = cost.multiply_adds / smaller.multiply_adds
    seconds = _timed(training.model_copy(update={"image_size": side}), execution, channels, classes, smaller)
    return cost._replace(training_seconds=scale * seconds[0], labeling_seconds=scale * seconds[1])


def check_room(training: Training, execution: Execution, channels: int, classes: int, images: int) -> None:
    """Refuse steps that a processor's memory cannot hold: the system would end the process without a word. A GPU says so itself.

    Args:
        training, execution, channels, classes: as for `cost_an_image`.
        images: of a step, of which `execution` may have fewer at a time.

    Raises:
        RunError: they take more than is free, swap included.
    """
    device = compute_device(execution)
    if device.type != "cpu":
        return
    images = math.ceil(images / own_micro_batches(images, execution)[0].of)
    cost = calculated_cost(training, channels, classes)
    each = cost.activations * (LEAST_IN_BF16 if in_bf16(execution.precision, device) else LEAST_IN_FP32)
    needed, free = cost.states + images * each, free_memory(device) + psutil.swap_memory().free
    if needed > free:
        memory = f"this machine's memory (they take at least {needed / 2**30:.1f} GiB, and {free / 2**30:.1f} are free)"
        raise RunError(too_many(images, memory, fitting=int((ROOM * free - cost.states) / (MOST * each))))


def calculated_cost(training: Training, channels: int, classes: int) -> Cost:
    """What can be said without a trial: no seconds; arguments as for `cost_an_image`."""
    return _calculated(training, channels, classes, training.image_size)


def _calculated(training: Training, channels: int, classes: int, side: int) -> Cost:
    return _calculated_once(cost_key(training), channels, classes, side)


@functools.lru_cache(maxsize=64)  # the generations of a run mostly train the same network
def _calculated_once(key: str, channels: int, classes: int, side: int) -> Cost:
    """Found on PyTorch's meta device, which computes shapes and holds nothing."""
    training = Training.model_validate_json(key)
    count = TRIAL_IMAGES[0]
    arguments = training.model_args | ({"drop_rate": training.drop_rate} if training.drop_rate else {})
    with torch.device("meta"):
        network = timm.create_model(training.model, num_classes=classes, in_chans=channels, **arguments).train()
        images = torch.zeros(count, channels, side, side)
    saved = _SavedForBackward(network)
    with FlopCounterMode(display=False) as counter, saved:
        network(images)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    states = 4 * parameters * (3 + STATES[training.optimizer])
    return Cost(parameters, states, math.ceil(saved.bytes / count), counter.get_total_flops() / 2 / count)


def _fits(cost: Cost, device: torch.device) -> bool:
    """Whether a trial step has room there."""
    # Beside what is counted there are the gradients of the activations, and what the kernels need while they run.
    return cost.states + 2 * TRIAL_IMAGES[0] * cost.activations < ROOM * free_memory(device)


def _timed(training: Training, execution: Execution, channels: int, classes: int, cost: Cost) -> tuple[float, float]:
    """Seconds an image of training and of labeling, by some steps of each."""
    # At the full rate, from random weights, deep networks' outputs become infinite in a few steps.
    training = training.model_copy(update={"pretrained": False, "learning_rate": 0.0})
    side = training.image_size
    classifier = build_classifier(
        training,
        class_names=[str(c) for c in range(classes)],
        channels=channels,
        mean=(0.5,) * channels,
        std=(0.25,) * channels,
        seed=0,
    )
    device = compute_device(execution)
    network = classifier.network.to(device).train()
    optimizer, average = build_optimizer(network, training), moving_average(network, training.ema_decay)
    count = int(np.clip(TRIAL_OPERATIONS / max(cost.multiply_adds, 1), *TRIAL_IMAGES))
    pixels = torch.randint(256, (count, channels, side, side), dtype=torch.uint8)
    images = pixels.to(device)
    targets = label_targets(torch.arange(count) % classes, classes, 0.0).to(device)

    def step() -> None:
        noised = add_input_noise(images, training.noise, seed=0)
        with training_precision(execution, device):
            logits = network(classifier.preprocessing.normalize(noised))
        soft_cross_entropy(logits.float(), targets).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
        average.update_parameters(network)

    training_seconds = seconds_of(step, device)
    averaged = dataclasses.replace(classifier, network=average.module.eval())

    def label() -> None:
        for rows in batches(np.arange(count), side, execution):
            with labeling_precision(execution, device):
                logits = averaged.logits(pixels[rows])
            softmax_of(logits)  # an untrained network need not be finite
            dhash(pixels[rows])

    return training_seconds / count, seconds_of(label, device) / count


class _SavedForBackward(saved_tensors_hooks):
    """Counts the bytes that a forward pass keeps beside the weights; a storage that is kept twice counts once."""

    def __init__(self, network: nn.Module) -> None:
        self._weights = {_identity(parameter) for parameter in network.parameters()}
        self._sizes: dict[int, int] = {}
        super().__init__(self._count, lambda tensor: tensor)

    def __enter__(self) -> None:
        self._sizes = {}
        super().__enter__()

    def _count(self, tensor: Tensor) -> Tensor:
        if (identity := _identity(tensor)) not in self._weights:
            self._sizes[identity] = tensor.untyped_storage().nbytes()
        return tensor

    @property
    def bytes(self) -> int:
        return sum(self._sizes.values())


def _identity(tensor: Tensor) -> int:
    """Of the storage behind a tensor; on the meta device storages have no address to tell them apart by."""
    return int(StorageWeakRef(tensor.untyped_storage()).cdata)  # type: ignore[no-untyped-call]


def seconds_of(work: Callable[[], object], device: torch.device) -> float:
    """The median of as many times as `TRIAL_SECONDS` hold, of one time at least.

    The first is slower than those that follow and counts only where it is long: what it takes beside the work is little then.
    """
    first = seconds_of_one(work, device)
    if first > LONG_TRIAL_SECONDS:
        return first
    found: list[float] = []
    while sum(found) < TRIAL_SECONDS:
        found.append(seconds_of_one(work, device))
    return statistics.median(found)


def seconds_of_one(work: Callable[[], object], device: torch.device) -> float:
    """Of one time, with what a GPU still does of it."""
    synchronize(device)  # with what came before
    began = time.perf_counter()
    work()
    synchronize(device)
    return time.perf_counter() - began
