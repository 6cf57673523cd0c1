"""What timm's tables say of its pretrained networks: a check of one's own figures before one believes them.

`published_accuracy.csv` holds the accuracies of timm's repository (`results/results-*.csv` at commit aa4b585, of timm 1.0; Apache-2.0),
on ImageNet's validation images and on the five sets of suites r, a, v2, sketch and real, where they were measured at the size named.
"""

from __future__ import annotations

import csv
import functools
import importlib.resources
from typing import Any

from noisystudent.errors import UserError

METRICS = (
    "top1",
    "top5",
    "top1_real",
    "top1_v2",
    "top5_v2",
    "top1_sketch",
    "top5_sketch",
    "top1_a",
    "top5_a",
    "top1_r",
    "top5_r",
)


@functools.cache
def _table() -> dict[str, dict[str, str]]:
    listed = importlib.resources.files("noisystudent.evaluation") / "published_accuracy.csv"
    with listed.open(encoding="utf-8") as file:
        return {row["model"]: row for row in csv.DictReader(file)}


def published(name: str) -> dict[str, float]:
    """The published accuracies of a pretrained network, in percent, and the size that they were measured at.

    Args:
        name: timm's, with its tag: `tf_efficientnet_b0.ns_jft_in1k`.

    Raises:
        UserError: timm's tables do not have it.

    Example:
        >>> found = published("tf_efficientnet_l2.ns_jft_in1k")
        >>> found["img_size"], found["top1"], found["top1_a"]
        (800.0, 88.36, 84.68)
    """
    row = _table().get(name)
    if row is None:
        tagged = [known for known in _table() if known.split(".")[0] == name.split(".")[0]]
        hint = f"; of that network they have {', '.join(tagged)}" if tagged else ""
        raise UserError(f"--reference: timm's tables have no {name!r}{hint}")
    return {key: float(row[key]) for key in ("img_size", *METRICS) if row[key]}


def compare(name: str, metrics: dict[str, float], ci95: dict[str, tuple[float, float]]) -> list[dict[str, Any]]:
    """Each measured accuracy beside the published one.

    Args:
        name: as for `published`.
        metrics, ci95: what was measured, with its sampling intervals.

    Returns:
        of each metric that both have `metric`, `measured`, `ci95`, `published`, and `agrees`: the published one is inside the interval.
    """
    known = published(name)
    return [
        {
            "metric": metric,
            "measured": metrics[metric],
            "ci95": ci95[metric],
            "published": known[metric],
            "agrees": ci95[metric][0] <= known[metric] <= ci95[metric][1],
        }
        for metric in METRICS
        if metric in known and metric in ci95
    ]
