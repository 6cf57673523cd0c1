"""What a run would take with more images and machines than there are here, from what an image costs here or was said to cost elsewhere."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch

from noisystudent.config import FROZEN_TEACHER, PREVIOUS, Config
from noisystudent.device import compute_device
from noisystudent.errors import UserError
from noisystudent.estimate import CostOf, Planned, estimate, labeled_at_most, planned_trainings, tried
from noisystudent.progress import track
from noisystudent.pseudo.label import predictions_schema
from noisystudent.stages.networks import check_networks
from noisystudent.trial import Cost, calculated_cost
from noisystudent.trial_reading import Reading, reading_a_picture

ID_BYTES = 24  # of an image: a name such as n01440764/00012345.jpg, and where it begins
TOP = 10  # classes of an image, for comparison
LONG_SIDE = 500  # most of ImageNet's pictures have it


def plan(
    config: Config,
    *,
    labeled: int,
    unlabeled: int,
    classes: int,
    workers: int = 1,
    long_side: int = LONG_SIDE,
    rates: str | Path = "",
) -> dict[str, Any]:
    """Estimate what a run takes, without its images.

    Args:
        config: of the run; its sources are not looked at.
        labeled, unlabeled: how many images.
        classes: how many.
        workers: how many machines or GPUs such as the one that is measured.
        long_side: of the pictures in their files, in pixels.
        rates: a file of images a second, measured elsewhere: `{"rates": {NAME: {"training": 900.0, "labeling": 3000.0}}}` with the name of
            each network, as what this returns has them; "" measures here.

    Returns:
        `recipe`, `images` by split, `classes`, `workers`, `worker` (what one is, in words), `unit` (of worker-hours), `networks` (as
        `noisystudent.estimate.estimate` says of each), `stages` (for each `name`, `images` looked at, worker-`seconds`, `share` of all),
        `seconds` of all workers together, `hours` with all of them, `worker_hours`, `rates` (images a second of each network),
        `storage` (bytes) and `assumptions`. Times are None where a network fits into no memory here.

    Raises:
        UserError: naming everything that is wrong with the configuration or the rates.
    """
    check_networks(config)
    images = {"labeled": labeled, "unlabeled": unlabeled}
    given = read_rates(Path(rates), config) if rates else None
    cost_of = _given(config, classes, given["rates"]) if given else _measured(config, classes, long_side)
    with track("trying each network", len(planned_trainings(config)), unit="networks") as advance:
        networks = estimate(config, images, classes, cost_of, advance=advance)
    stages = stages_of(networks)
    times = [row["seconds"] for row in networks]
    seconds = None if None in times else sum(times)
    return {
        "recipe": config.recipe,
        "images": images,
        "classes": classes,
        "workers": workers,
        **(_worker(config) if given is None else {key: given[key] for key in ("worker", "unit")}),
        "networks": networks,
        "stages": [{**row, "share": row["seconds"] / seconds if seconds else None} for row in stages],
        "seconds": seconds,
        "hours": None if seconds is None else seconds / workers / 3600,
        "worker_hours": None if seconds is None else seconds / 3600,
        "rates": {part.name: _rates(cost_of(part)) for part in planned_trainings(config)},
        "storage": storage(config, unlabeled, classes),
        "assumptions": _assumptions(config, None if given else long_side),
    }


def stages_of(networks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Where the time goes, in the order of a run, by the estimates of its networks."""
    stages = []
    for row in networks:
        each = {"train": row["training_seconds"], "look": row["labeling_seconds"]}
        looks = row["labels"] + row["embedded"]

        def part(name: str, images: int, seconds: float | None, whole: int) -> dict[str, Any]:
            return {"name": name, "images": images, "seconds": None if seconds is None else seconds * images / whole}

        if row["embedded"]:
            stages.append(part(f"embedding for {row['name']}", row["embedded"], each["look"], looks))
        if row["images"]:
            stages.append(part(f"training {row['name']}", row["images"], each["train"], row["images"]))
        if row["labels"]:
            stages.append(part(f"labeling for student {row['labels_for']}", row["labels"], each["look"], looks))
    return stages


def storage(config: Config, unlabeled: int, classes: int) -> dict[str, Any]:
    """Bytes of what the teachers say: of an image and of all generations together, with all probabilities and with the highest alone.

    Example:
        >>> from noisystudent.recipes import recipe
        >>> storage(recipe("imagenet-b0"), 300_000_000, 1000)["written"] / 1e9
        612.0
    """
    labeled = [labeled_at_most(generation.select, unlabeled, classes) for generation in config.generations]
    kept = [generation.top_k for generation in config.generations]
    whole, top = _bytes(classes), _bytes(classes, TOP)
    return {
        "images": sum(labeled),
        "bytes_an_image": whole,
        "written": sum(images * _bytes(classes, top_k) for images, top_k in zip(labeled, kept, strict=True)),
        "float16": whole * sum(labeled),
        "top_10": min(top, whole) * sum(labeled),
        "while_training": max(
            (n * _bytes(classes, k, of_lists=True) for n, k in zip(labeled, kept, strict=True)), default=0
        ),
    }


def _bytes(classes: int, top_k: int = 0, *, of_lists: bool = False) -> int:
    """Of an image in the table of predictions; or of what is kept of its probabilities there."""
    kinds = [field.type for field in predictions_schema(classes, top_k) if field.name != "id"]
    lists = sum(kind.list_size * kind.value_type.bit_width for kind in kinds if pa.types.is_fixed_size_list(kind))
    single = sum(kind.bit_width for kind in kinds if not pa.types.is_fixed_size_list(kind))
    return int(lists if of_lists else 8 * ID_BYTES + lists + single) // 8


def read_rates(path: Path, config: Config) -> dict[str, Any]:
    """Images a second of each network of a run, with `worker` and `unit`, from a file that `plan --json` wrote or a person.

    Raises:
        UserError: naming everything that is wrong.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"--rates {path}: cannot be read: {error}") from None
    rates = found.get("rates") if isinstance(found, dict) else None
    if not isinstance(rates, dict):
        raise UserError(
            f'--rates {path}: should be {{"rates": {{"teacher": {{"training": 900, "labeling": 3000}}, ...}}}}'
        )
    problems = [
        f"--rates {path}: {part.name!r} needs {kind}, in images a second: a number above 0"
        for part in planned_trainings(config)
        for kind in ("training", "labeling")
        if not _is_rate(rates.get(part.name), kind)
    ]
    if problems:
        raise UserError(problems)
    return {"rates": rates, "worker": found.get("worker", f"as in {path}"), "unit": found.get("unit", "worker-hours")}


def _is_rate(of_network: Any, kind: str) -> bool:
    rate = of_network.get(kind) if isinstance(of_network, dict) else None
    return isinstance(rate, (int, float)) and not isinstance(rate, bool) and math.isfinite(rate) and rate > 0


def _given(config: Config, classes: int, rates: Mapping[str, Mapping[str, float]]) -> CostOf:
    def cost_of(part: Planned) -> Cost:
        counted, rate = calculated_cost(part.training, config.data.channels, classes), rates[part.name]
        return counted._replace(training_seconds=1 / rate["training"], labeling_seconds=1 / rate["labeling"])

    return cost_of


def _measured(config: Config, classes: int, long_side: int) -> CostOf:
    """A trial step and the reading of made pictures, for each kind of network once."""
    by_network = tried(config, classes)
    beside = compute_device(config.execution).type != "cpu"
    readings: dict[tuple[Any, ...], Reading] = {}

    def cost_of(part: Planned) -> Cost:
        cost, training = by_network(part), part.training
        shown = (training.image_size, training.crop_pct, training.noise.crop, training.noise.crop_scale)
        if shown not in readings:
            readings[shown] = reading_a_picture(training, config.execution, config.data.channels, long_side)
        return with_reading(cost, readings[shown], beside=beside)

    return cost_of


def with_reading(cost: Cost, reading: Reading, *, beside: bool) -> Cost:
    """What an image costs with its reading: the longer of both where the processor reads `beside` the device, else the sum.

    Example:
        >>> cost = with_reading(Cost(0, 0, 0, 0.0, 0.25, 0.125), Reading(0.5, 0.5), beside=True)
        >>> cost.training_seconds, cost.labeling_seconds
        (0.5, 0.5)
    """
    if cost.training_seconds is None or cost.labeling_seconds is None:
        return cost
    together = max if beside else lambda *both: sum(both)
    return cost._replace(
        training_seconds=together(cost.training_seconds, reading.training),
        labeling_seconds=together(cost.labeling_seconds, reading.labeling),
    )


def _rates(cost: Cost) -> dict[str, float | None]:
    """Images a second."""
    both = {"training": cost.training_seconds, "labeling": cost.labeling_seconds}
    return {kind: float(f"{1 / seconds:.4g}") if seconds else None for kind, seconds in both.items()}


def _worker(config: Config) -> dict[str, str]:
    device = compute_device(config.execution)
    if device.type == "cpu":
        threads = torch.get_num_threads()
        return {"worker": f"a processor with {threads} thread{'s' * (threads > 1)}", "unit": "worker-hours"}
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "Apple's"
    return {"worker": f"a GPU ({name})", "unit": "GPU-hours"}


def _assumptions(config: Config, long_side: int | None) -> list[str]:
    """What the numbers take for granted, and what is not in them."""
    elsewhere = {name for generation in config.generations for name in generation.teachers}
    elsewhere -= {PREVIOUS, FROZEN_TEACHER}
    said = [
        "so many workers are so many times as fast: that gradients are exchanged, that the slowest is waited for and that all may read "
        "from one disk is not in it",
        "trainings have the steps of the recipe, however many images there are; every image without a label is labeled",
        "not in it: reading lists of images, measuring on held-out images, selecting, fitting linear classifiers, the report",
    ]
    if long_side is not None:
        said.append(
            f"pictures are JPEG files of {long_side} x {round(0.75 * long_side)} pixels on a disk as fast as memory; trainings whose noise "
            "takes whole pictures keep them in memory"
        )
    if elsewhere:
        said.append(f"labeling by {' and '.join(sorted(elsewhere))} is not in it")
    if config.known_classes:
        said.append(
            f"where frozen features are right on {config.known_classes.accuracy:g} % of the labels or more, nothing is trained, and it "
            "takes as long as looking at every image once"
        )
    return said
