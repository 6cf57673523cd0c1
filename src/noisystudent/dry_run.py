"""What a run would do: its data looked at, each network tried for a step, and nothing trained or written."""

from __future__ import annotations

from typing import Any

import numpy as np

from noisystudent.config import Config
from noisystudent.data.images import check_readable
from noisystudent.data.manifest import Manifest
from noisystudent.device import compute_device
from noisystudent.estimate import estimate, planned_trainings, tried
from noisystudent.progress import track, warn
from noisystudent.stages.networks import check_networks, look_for_weights
from noisystudent.stages.preparation import (
    check_sizes,
    class_counts,
    held_out_warnings,
    read_sources,
    source_notes,
    split_off_validation,
)

LOOKED_AT = 64  # images of each source that are decoded


def dry_run(config: Config) -> dict[str, Any]:
    """Check a run's data, networks and schedule, and estimate what it takes.

    Args:
        config: everything that decides the run.

    Returns:
        `images` and `unreadable` (of a sample) by split, `classes` (name and images of each by split), `warnings`, `device`, `seconds` in
        all, `known_classes`, the percent of the labels from which on frozen features suffice and the networks are not trained (None: they
        are), and `networks`: what `noisystudent.estimate.estimate` says of each, and where its pretrained `weights` are.

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
    counts = {split: len(manifest) for split, manifest in manifests.items()}
    with track("trying each network", len(planned_trainings(config)), unit="networks") as advance:
        networks = estimate(config, counts, classes, tried(config, classes), advance=advance)
    seconds = [row["seconds"] for row in networks]
    return {
        "recipe": config.recipe,
        "classes": class_counts(manifests),
        "images": counts,
        "unreadable": unreadable,
        "warnings": notes,
        "device": str(compute_device(config.execution)),
        "networks": [{**row, "weights": weights.get(row["name"])} for row in networks],
        "known_classes": config.known_classes.accuracy if config.known_classes else None,
        "seconds": None if None in seconds else sum(seconds),
    }


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
