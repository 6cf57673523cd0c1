"""What a run would do: its data looked at, each network tried for a step, and nothing trained or written."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from noisystudent.config import Config, Training
from noisystudent.data.images import check_readable
from noisystudent.data.manifest import Manifest
from noisystudent.device import accelerator, autocast
from noisystudent.models.classifier import Classifier, build_classifier
from noisystudent.noise.input_noise import add_input_noise
from noisystudent.progress import track
from noisystudent.stages.networks import baseline_training, check_networks
from noisystudent.stages.preparation import check_sizes, read_sources, split_off_validation
from noisystudent.training.ema import moving_average
from noisystudent.training.loss import label_targets, soft_cross_entropy
from noisystudent.training.optimizer import build_optimizer
from noisystudent.training.schedule import learning_rate

LOOKED_AT = 64  # images of each source that are decoded
TRIAL_OPERATIONS = 2e10  # multiply-adds of a trial step's forward pass: about a second on a processor core
TRIAL_IMAGES = (2, 64)  # at least two, for BatchNorm


def dry_run(config: Config) -> dict[str, Any]:
    """Check a run's data, networks and schedule, and estimate what it takes.

    Args:
        config: everything that decides the run.

    Returns:
        `images` and `unreadable` (of a sample) by split, `class_names`, `device`, `seconds` in all, and `networks`: for each its name,
        model, parameters, steps, labeled and pseudo-labeled images a step, images it sees, epochs of the labels, learning rate at
        its highest and in the last step, and estimates of its training memory in bytes and of its seconds, labeling included.

    Raises:
        UserError: naming everything that is wrong with the configuration or a source.
    """
    check_networks(config)
    manifests = read_sources(config)
    split_off_validation(manifests, config)
    check_sizes(manifests, config)
    unreadable = {split: _unreadable(manifest, config) for split, manifest in manifests.items()}
    classes = len(manifests["labeled"].class_names)
    networks = []
    with track("trying each network", len(_networks(config))) as advance:
        for name, training in _networks(config):
            row = {"name": name, **_plan(training, len(manifests["labeled"])), **_try(training, config, classes)}
            labels = name != "baseline" and name != f"student {len(config.generations)}"
            seconds_to_label = len(manifests["unlabeled"]) * row.pop("labeling_seconds") if labels else 0.0
            row["seconds"] = row["images"] * row.pop("training_seconds") + seconds_to_label
            networks.append(row)
            advance(1, name)
    return {
        "recipe": config.recipe,
        "class_names": list(manifests["labeled"].class_names),
        "images": {split: len(manifest) for split, manifest in manifests.items()},
        "unreadable": unreadable,
        "device": str(accelerator(config.execution).device),
        "networks": networks,
        "seconds": sum(row["seconds"] for row in networks),
    }


def _networks(config: Config) -> list[tuple[str, Training]]:
    students = [(f"student {n}", generation.student) for n, generation in enumerate(config.generations, start=1)]
    baseline = [("baseline", baseline_training(config))] if config.baseline and config.generations else []
    return [("teacher", config.teacher), *students, *baseline]


def _unreadable(manifest: Manifest, config: Config) -> list[dict[str, str]]:
    """What cannot be decoded of a sample spread over the manifest."""
    rows = np.unique(np.linspace(0, len(manifest) - 1, LOOKED_AT).round().astype(np.int64))
    _, skipped, _ = check_readable(
        manifest.take(rows),
        channels=config.data.channels,
        size=config.teacher.image_size,
        crop_pct=config.teacher.crop_pct,
        workers=config.execution.decoders,
    )
    return [{"id": one.id, "reason": one.reason} for one in skipped]


def _plan(training: Training, labels: int) -> dict[str, Any]:
    """What follows from the settings alone."""
    return {
        "model": training.model,
        "image_size": training.image_size,
        "steps": training.steps,
        "labeled_batch": training.batch_size,
        "unlabeled_batch": training.unlabeled_batch_size,
        "images": training.steps * (training.batch_size + training.unlabeled_batch_size),
        "label_epochs": training.steps * training.batch_size / labels,
        "highest_rate": max(
            learning_rate(training, step) for step in range(min(training.warmup_steps + 1, training.steps))
        ),
        "last_rate": learning_rate(training, training.steps - 1),
    }


def _try(training: Training, config: Config, classes: int) -> dict[str, Any]:
    """One step with a small batch: parameters, bytes that a step of the whole batch needs, and seconds an image."""
    channels = config.data.channels
    classifier = build_classifier(
        training,
        class_names=[str(c) for c in range(classes)],
        channels=channels,
        mean=(0.5,) * channels,
        std=(0.25,) * channels,
        seed=config.seed,
    )
    machine = accelerator(config.execution)
    network = classifier.network.to(machine.device).train()
    optimizer, average = build_optimizer(network, training), moving_average(network, training.ema_decay)
    count = _trial_images(classifier)
    side = training.image_size
    images = torch.randint(256, (count, channels, side, side), dtype=torch.uint8).to(machine.device)
    targets = label_targets(torch.arange(count) % classes, classes, 0.0).to(machine.device)
    saved = _SavedForBackward(network)

    def step() -> None:
        noised = add_input_noise(images, training.noise, seed=config.seed)
        with saved, autocast(config.execution, machine.device):
            logits = network(classifier.preprocessing.normalize(noised))
        machine.backward(soft_cross_entropy(logits.float(), targets))
        optimizer.step()
        optimizer.zero_grad()
        average.update_parameters(network)

    step()  # the first is slower than those that follow
    training_seconds = _seconds(step)
    averaged = dataclasses.replace(classifier, network=average.module.eval())
    labeling_seconds = _seconds(lambda: averaged.logits(images).cpu())
    states = sum(
        value.numel() for state in optimizer.state.values() for value in state.values() if torch.is_tensor(value)
    )
    parameters = sum(parameter.numel() for parameter in network.parameters())
    batch = training.batch_size + training.unlabeled_batch_size
    return {
        "parameters": parameters,
        # Weights, gradients, moving average and the optimizer's states in float32; what the forward pass keeps for the backward one.
        "memory": 4 * (3 * parameters + states) + math.ceil(saved.bytes / count * batch),
        "training_seconds": training_seconds / count,
        "labeling_seconds": labeling_seconds / count,
    }


def _trial_images(classifier: Classifier) -> int:
    """As many images as make a trial long enough to time and short enough to wait for."""
    view = classifier.preprocessing
    device = next(classifier.network.parameters()).device
    one = torch.zeros(2, view.channels, view.image_size, view.image_size, device=device)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        classifier.network(one)
    multiply_adds = counter.get_total_flops() / 2 / 2
    return int(np.clip(TRIAL_OPERATIONS / max(multiply_adds, 1), *TRIAL_IMAGES))


class _SavedForBackward(saved_tensors_hooks):
    """Counts the bytes that a forward pass keeps beside the weights; a storage that is kept twice counts once."""

    def __init__(self, network: nn.Module) -> None:
        self._weights = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
        self._sizes: dict[int, int] = {}
        super().__init__(self._count, lambda tensor: tensor)

    def __enter__(self) -> None:
        self._sizes = {}
        super().__enter__()

    def _count(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._weights:
            self._sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    @property
    def bytes(self) -> int:
        return sum(self._sizes.values())


def _seconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - began
