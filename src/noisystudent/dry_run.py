"""What a run would do: its data looked at, each network tried for a step, and nothing trained or written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from noisystudent.config import Config, Selection, Training
from noisystudent.data.images import check_readable
from noisystudent.data.manifest import Manifest
from noisystudent.device import compute_device
from noisystudent.progress import track, warn
from noisystudent.run_plan import embedding_stage, planned_stages, run_networks
from noisystudent.stages.networks import check_networks, look_for_weights
from noisystudent.stages.preparation import (
    check_sizes,
    class_counts,
    held_out_warnings,
    read_sources,
    source_notes,
    split_off_validation,
)
from noisystudent.training.schedule import learning_rate
from noisystudent.trial import Cost, cost_an_image, cost_key

LOOKED_AT = 64  # images of each source that are decoded


def dry_run(config: Config) -> dict[str, Any]:
    """Check a run's data, networks and schedule, and estimate what it takes.

    Args:
        config: everything that decides the run.

    Returns:
        `images` and `unreadable` (of a sample) by split, `classes` (name and images of each by split), `warnings`, `device`, `seconds` in
        all, `known_classes`, the percent of the labels from which on frozen features suffice and the networks are not trained (None: they
        are), and `networks`: for each its name, model, parameters, where its pretrained weights are, steps, labeled and pseudo-labeled
        images a step, images it sees, epochs of the labels, learning rate at its highest and in the last step, and estimates of its
        training memory in bytes and of its seconds, labeling included.

    Raises:
        UserError: naming everything that is wrong with the configuration or a source.
    """
    check_networks(config)
    weights = look_for_weights(config)
    manifests = read_sources(config)
    split_off_validation(manifests, config)
    check_sizes(manifests, config)
    notes = source_notes(manifests) + held_out_warnings(manifests)
    warn(notes)
    unreadable = {split: _unreadable(manifest, config) for split, manifest in manifests.items()}
    classes = len(manifests["labeled"].class_names)
    networks = []
    costs: dict[str, Cost] = {}
    embedded: set[str] = set()
    planned = _trainings(config)
    with track("trying each network", len(planned), unit="networks") as advance:
        for part in planned:
            kind = cost_key(part.training)
            if kind not in costs:
                costs[kind] = cost_an_image(part.training, config.execution, config.data.channels, classes)
            row = {"name": part.name, **_plan(part, len(manifests["labeled"])), "weights": weights.get(part.name)}
            labels = _labels_at_most(part.labels_for, classes, len(manifests.get("unlabeled", ())))
            labels += _embedded(part.training, config, manifests, embedded)
            row |= _estimate(part, costs[kind], images=row["images"], labels=labels)
            networks.append(row)
            advance(1, part.name)
    seconds = [row["seconds"] for row in networks]
    return {
        "recipe": config.recipe,
        "classes": class_counts(manifests),
        "images": {split: len(manifest) for split, manifest in manifests.items()},
        "unreadable": unreadable,
        "warnings": notes,
        "device": str(compute_device(config.execution)),
        "networks": networks,
        "known_classes": config.known_classes.accuracy if config.known_classes else None,
        "seconds": None if None in seconds else sum(seconds),
    }


class Planned(NamedTuple):
    """A training that a run would do: whose, how, the schedule that it is a part of, and the selection that its network labels for."""

    name: str
    training: Training
    schedule: Training
    labels_for: Selection | None


def _trainings(config: Config) -> list[Planned]:
    last = len(config.generations)
    planned = []
    for network in run_networks(config):
        # A linear classifier on features labels without looking at the images again.
        labels = network.number is not None and network.number < last and not network.training.frozen
        labels_for = config.generations[network.number or 0].select if labels else None
        planned += _parts(network.name, network.training, labels_for)
    return planned


def _parts(name: str, training: Training, labels_for: Selection | None) -> list[Planned]:
    """A network's training, and with a resolution fix the one after it."""
    fix = training.resolution_fix
    alone = training.model_copy(update={"resolution_fix": None})
    if fix is None:
        return [Planned(name, alone, training, labels_for)]
    fixed = Planned(f"{name} at {fix.image_size} px", training.at_full_resolution(), training, labels_for)
    return [Planned(name, alone, training, None), fixed]


def _labels_at_most(selection: Selection | None, classes: int, unlabeled: int) -> int:
    """How many images a network labels at most: all of them, or those that were selected before."""
    if selection is None:
        return 0
    rows = selection.per_class
    return min(unlabeled, rows * classes) if selection.reassign and isinstance(rows, int) and rows else unlabeled


def _embedded(training: Training, config: Config, manifests: Mapping[str, Manifest], done: set[str]) -> int:
    """How many images are embedded for a network, those before it having embedded what is `done`."""
    if training.start != "probe":
        return 0
    labeled, unlabeled = (embedding_stage(training, split) for split in ("labeled", "unlabeled"))
    planned = {stage.name for stage in planned_stages(config)}
    splits = [] if labeled in done else ["labeled", "val", "test"]
    splits += [] if unlabeled in done or unlabeled not in planned else ["unlabeled"]
    done |= {labeled, unlabeled}
    return sum(len(manifests[split]) for split in splits if split in manifests)


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
        "highest_rate": max((learning_rate(schedule, step) for step in warming), default=0.0),
        "last_rate": learning_rate(schedule, schedule.steps - 1) if schedule.steps else 0.0,
    }


def _estimate(part: Planned, cost: Cost, *, images: int, labels: int) -> dict[str, Any]:
    """Parameters, bytes that a step of the whole batch needs, and seconds, None when they could not be found."""
    batch = part.training.batch_size + part.training.unlabeled_batch_size
    seconds = None
    if cost.training_seconds is not None and cost.labeling_seconds is not None:
        seconds = images * cost.training_seconds + labels * cost.labeling_seconds
    return {"parameters": cost.parameters, "memory": cost.states + cost.activations * batch, "seconds": seconds}
