"""What each network of a run takes: steps, images, memory and seconds, from how many images there are and what one of them costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from noisystudent.config import Config, Selection, Training
from noisystudent.progress import Advance
from noisystudent.run_plan import embedding_stage, looks_of_teacher, planned_stages, run_networks
from noisystudent.training.schedule import learning_rate
from noisystudent.trial import Cost, cost_an_image, cost_key


class Planned(NamedTuple):
    """A training that a run would do.

    Attributes:
        name: of the network, for the user.
        training: how it is trained.
        schedule: the schedule that it is a part of.
        labels_for: the number of the student that the network labels for; 0: none.
    """

    name: str
    training: Training
    schedule: Training
    labels_for: int


CostOf = Callable[[Planned], Cost]


def planned_trainings(config: Config) -> list[Planned]:
    """The trainings of a run, in order; one with a resolution fix is two.

    Example:
        >>> from noisystudent.recipes import recipe
        >>> [(part.name, part.labels_for) for part in planned_trainings(recipe("imagenet-l2"))][:3]
        [('teacher', 1), ('student 1', 0), ('student 1 at 800 px', 2)]
    """
    planned = []
    for network in run_networks(config):
        after = 0 if network.number is None or network.number == len(config.generations) else network.number + 1
        planned += _parts(network.name, network.training, after)
    return planned


def _parts(name: str, training: Training, labels_for: int) -> list[Planned]:
    """A network's training, and with a resolution fix the one after it."""
    fix = training.resolution_fix
    alone = training.model_copy(update={"resolution_fix": None})
    if fix is None:
        return [Planned(name, alone, training, labels_for)]
    fixed = Planned(f"{name} at {fix.image_size} px", training.at_full_resolution(), training, labels_for)
    return [Planned(name, alone, training, 0), fixed]


def tried(config: Config, classes: int) -> CostOf:
    """The cost of an image by a trial step here; networks that cost the same are tried once."""
    costs: dict[str, Cost] = {}

    def cost_of(part: Planned) -> Cost:
        kind = cost_key(part.training)
        if kind not in costs:
            costs[kind] = cost_an_image(part.training, config.execution, config.data.channels, classes)
        return costs[kind]

    return cost_of


def estimate(
    config: Config, images: Mapping[str, int], classes: int, cost_of: CostOf, *, advance: Advance
) -> list[dict[str, Any]]:
    """What each training of a run takes, in order.

    Args:
        config: of the run.
        images: how many by split: `labeled`, `unlabeled`, `val`, `test`; those that are missing are none.
        classes: how many.
        cost_of: what an image costs.
        advance: told of each training that is done.

    Returns:
        For each: `name`, `model`, `image_size`, `steps`, `labeled_batch` and `unlabeled_batch` (a step), `images` that it sees,
        `label_epochs`, `highest_rate`, `last_rate`, `labels_for` and `labels` (the number of a student, and how many images at most are
        labeled for it, each look counted), `embedded` (images), `parameters`, `memory` of a step in bytes, `training_seconds`,
        `labeling_seconds` (embedding included) and `seconds`, both; None where an image's could not be found.
    """
    rows, embedded = [], set[str]()
    for part in planned_trainings(config):
        row = {"name": part.name, **_settled(part, images["labeled"]), "labels_for": part.labels_for}
        row["labels"] = _looks(config, part.labels_for, images.get("unlabeled", 0), classes)
        row["embedded"] = _embedded(part.training, config, images, embedded)
        rows.append(row | _costs(part, cost_of(part), row))
        advance(1, part.name)
    return rows


def _looks(config: Config, number: int, unlabeled: int, classes: int) -> int:
    """How often images are looked at to label them for student `number`."""
    if not number:
        return 0
    return looks_of_teacher(config, number) * labeled_at_most(config.generations[number - 1].select, unlabeled, classes)


def labeled_at_most(selection: Selection, unlabeled: int, classes: int) -> int:
    """How many images are labeled for a student at most: all, or those that were selected before.

    Example:
        >>> labeled_at_most(Selection(per_class=130_000, reassign=True), 300_000_000, 1000)
        130000000
    """
    rows = selection.per_class
    return min(unlabeled, rows * classes) if selection.reassign and isinstance(rows, int) and rows else unlabeled


def _embedded(training: Training, config: Config, images: Mapping[str, int], done: set[str]) -> int:
    """How many images are embedded for a network, those before it having embedded what is `done`."""
    if training.start != "probe":
        return 0
    labeled, unlabeled = (embedding_stage(training, split) for split in ("labeled", "unlabeled"))
    planned = {stage.name for stage in planned_stages(config)}
    splits = [] if labeled in done else ["labeled", "val", "test"]
    splits += [] if unlabeled in done or unlabeled not in planned else ["unlabeled"]
    done |= {labeled, unlabeled}
    return sum(images.get(split, 0) for split in splits)


def _settled(part: Planned, labels: int) -> dict[str, Any]:
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
        "images": training.steps * training.images_a_step(),
        "label_epochs": training.steps * training.batch_size / labels,
        "highest_rate": max((learning_rate(schedule, step) for step in warming), default=0.0),
        "last_rate": learning_rate(schedule, schedule.steps - 1) if schedule.steps else 0.0,
    }


def _costs(part: Planned, cost: Cost, row: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters, bytes that a step of the whole batch needs, and seconds."""
    batch = part.training.images_a_step()
    found: dict[str, Any] = {"parameters": cost.parameters, "memory": cost.states + cost.activations * batch}
    if cost.training_seconds is None or cost.labeling_seconds is None:
        return {**found, "training_seconds": None, "labeling_seconds": None, "seconds": None}
    training = row["images"] * cost.training_seconds
    labeling = (row["labels"] + row["embedded"]) * cost.labeling_seconds
    return {**found, "training_seconds": training, "labeling_seconds": labeling, "seconds": training + labeling}
