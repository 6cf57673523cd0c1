"""What a run would do: its data looked at, each network tried for a step, and nothing trained or written."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any, NamedTuple

import numpy as np
import psutil
import timm
import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils.flop_counter import FlopCounterMode

from noisystudent.config import Config, Training
from noisystudent.data.images import check_readable
from noisystudent.data.manifest import Manifest
from noisystudent.device import accelerator, autocast
from noisystudent.models.classifier import build_classifier
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
ROOM = 0.8  # the share of the free memory that a trial may take
STATES = {"sgd": 1, "rmsproptf": 2, "adamw": 2}  # of an optimizer, each as large as the weights


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
    planned = _trainings(config)
    with track("trying each network", len(planned)) as advance:
        for part in planned:
            row = {"name": part.name, **_plan(part, len(manifests["labeled"])), **_try(part.training, config, classes)}
            to_label = len(manifests["unlabeled"]) if part.labels else 0
            labeling, training = row.pop("labeling_seconds"), row.pop("training_seconds")
            row["seconds"] = None if training is None else row["images"] * training + to_label * labeling
            networks.append(row)
            advance(1, part.name)
    seconds = [row["seconds"] for row in networks]
    return {
        "recipe": config.recipe,
        "class_names": list(manifests["labeled"].class_names),
        "images": {split: len(manifest) for split, manifest in manifests.items()},
        "unreadable": unreadable,
        "device": str(accelerator(config.execution).device),
        "networks": networks,
        "seconds": None if None in seconds else sum(seconds),
    }


class Planned(NamedTuple):
    """A training that a run would do: whose, how, the schedule that it is a part of, and whether its network labels then."""

    name: str
    training: Training
    schedule: Training
    labels: bool


def _trainings(config: Config) -> list[Planned]:
    students = [(f"student {n}", generation.student) for n, generation in enumerate(config.generations, start=1)]
    networks = [("teacher", config.teacher), *students]
    planned = []
    for number, (name, training) in enumerate(networks):
        planned += _parts(name, training, labels=number < len(students))
    if config.baseline and students:
        planned += _parts("baseline", baseline_training(config), labels=False)
    return planned


def _parts(name: str, training: Training, *, labels: bool) -> list[Planned]:
    """A network's training, and with a resolution fix the one after it."""
    fix = training.resolution_fix
    parts = [Planned(name, training.model_copy(update={"resolution_fix": None}), training, labels and fix is None)]
    if fix is not None:
        parts.append(Planned(f"{name} at {fix.image_size} px", training.at_full_resolution(), training, labels))
    return parts


def _unreadable(manifest: Manifest, config: Config) -> list[dict[str, str]]:
    """What cannot be decoded of a sample spread over the manifest."""
    rows = np.unique(np.linspace(0, len(manifest) - 1, LOOKED_AT).round().astype(np.int64))
    size, crop_pct = config.teacher.view
    _, skipped, _ = check_readable(
        manifest.take(rows),
        channels=config.data.channels,
        size=size,
        crop_pct=crop_pct,
        workers=config.execution.decoders,
    )
    return [{"id": one.id, "reason": one.reason} for one in skipped]


def _plan(part: Planned, labels: int) -> dict[str, Any]:
    """What follows from the settings alone."""
    training, schedule = part.training, part.schedule
    begin = schedule.steps - training.steps
    warming = range(begin, begin + min(max(schedule.warmup_steps - begin, 0) + 1, training.steps))
    return {
        "model": training.model,
        "image_size": training.image_size,
        "steps": training.steps,
        "labeled_batch": training.batch_size,
        "unlabeled_batch": training.unlabeled_batch_size,
        "images": training.steps * (training.batch_size + training.unlabeled_batch_size),
        "label_epochs": training.steps * training.batch_size / labels,
        "highest_rate": max(learning_rate(schedule, step) for step in warming),
        "last_rate": learning_rate(schedule, schedule.steps - 1),
    }


def _try(training: Training, config: Config, classes: int) -> dict[str, Any]:
    """Parameters, the bytes that a step of the whole batch needs, and, by a step of a small batch, seconds an image.

    What needs more memory than there is, is tried with smaller images, and its time is theirs times the share of the multiply-adds.
    The seconds are None when the network fits at no size.
    """
    size = training.image_size
    needs = _needs(training, config, classes, size)
    tried = next(
        (side for side in (size, size // 2, size // 4) if _fits(_needs(training, config, classes, side))), None
    )
    batch = training.batch_size + training.unlabeled_batch_size
    found: dict[str, Any] = {
        "parameters": needs.parameters,
        "memory": needs.states + needs.activations * batch,
        "training_seconds": None,
        "labeling_seconds": None,
    }
    if tried is not None:
        smaller = needs if tried == size else _needs(training, config, classes, tried)
        scale = needs.multiply_adds / smaller.multiply_adds
        training_seconds, labeling_seconds = _timed(training, config, classes, tried, smaller)
        found |= {"training_seconds": scale * training_seconds, "labeling_seconds": scale * labeling_seconds}
    return found


class Needs(NamedTuple):
    """What a training takes, by calculation alone.

    Args:
        parameters: of the network.
        states: bytes of the weights, their gradients, their average and the optimizer's states.
        activations: bytes an image that the forward pass keeps for the backward one, in fp32.
        multiply_adds: an image, forward.
    """

    parameters: int
    states: int
    activations: int
    multiply_adds: float


def _needs(training: Training, config: Config, classes: int, side: int) -> Needs:
    """Found on PyTorch's meta device, which computes shapes and holds nothing."""
    channels, count = config.data.channels, TRIAL_IMAGES[0]
    arguments = training.model_args | ({"drop_rate": training.drop_rate} if training.drop_rate else {})
    with torch.device("meta"):
        network = timm.create_model(training.model, num_classes=classes, in_chans=channels, **arguments).train()
        images = torch.zeros(count, channels, side, side)
    saved = _SavedForBackward(network)
    with FlopCounterMode(display=False) as counter, saved:
        network(images)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return Needs(
        parameters,
        4 * parameters * (3 + STATES[training.optimizer]),
        math.ceil(saved.bytes / count),
        counter.get_total_flops() / 2 / count,
    )


def _fits(needs: Needs) -> bool:
    """Whether a trial step has room, on the GPU or in memory."""
    free = torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else psutil.virtual_memory().available
    # Beside what is counted there are the gradients of the activations, and what the kernels need while they run.
    return needs.states + 2 * TRIAL_IMAGES[0] * needs.activations < ROOM * free


def _timed(training: Training, config: Config, classes: int, side: int, needs: Needs) -> tuple[float, float]:
    """Seconds an image of training and of labeling, by a step each."""
    channels = config.data.channels
    training = training.model_copy(update={"image_size": side, "pretrained": False})
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
    count = int(np.clip(TRIAL_OPERATIONS / max(needs.multiply_adds, 1), *TRIAL_IMAGES))
    images = torch.randint(256, (count, channels, side, side), dtype=torch.uint8).to(machine.device)
    targets = label_targets(torch.arange(count) % classes, classes, 0.0).to(machine.device)

    def step() -> None:
        noised = add_input_noise(images, training.noise, seed=config.seed)
        with autocast(config.execution, machine.device):
            logits = network(classifier.preprocessing.normalize(noised))
        machine.backward(soft_cross_entropy(logits.float(), targets))
        optimizer.step()
        optimizer.zero_grad()
        average.update_parameters(network)

    step()  # the first is slower than those that follow
    training_seconds = _seconds(step)
    averaged = dataclasses.replace(classifier, network=average.module.eval())
    labeling_seconds = _seconds(lambda: averaged.logits(images).cpu())
    return training_seconds / count, labeling_seconds / count


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


def _seconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - began
