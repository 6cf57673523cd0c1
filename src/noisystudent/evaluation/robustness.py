"""What a robustness suite found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from noisystudent.evaluation.intervals import bootstrap_interval


@dataclass(frozen=True)
class Robustness:
    """What was measured on changed images.

    Args:
        metrics: by name, rates in percent.
        ci95: of some of them.
        about: how it was measured, and the parts of it; a JSON value.
        scores: id and score of each image, whose mean is the suite's main metric; None when there is no such metric.
    """

    metrics: dict[str, float]
    ci95: dict[str, tuple[float, float]]
    about: dict[str, Any]
    scores: pa.Table | None


def paired_scores(first: pa.Table, second: pa.Table, *, seed: int = 0) -> dict[str, Any]:
    """The difference of two models' main metric on the same images, first minus second.

    Args:
        first, second: `Robustness.scores`, matched by id.
        seed: of the bootstrap over images.

    Returns:
        `points`, `ci95` of it, `n`.

    Example:
        >>> first, second = ({"id": ["a", "b"], "score": scores} for scores in ([40.0, 60.0], [50.0, 90.0]))
        >>> paired_scores(pa.table(first), pa.table(second))["points"]
        -20.0
    """
    other = dict(zip(second["id"].to_pylist(), second["score"].to_pylist(), strict=True))
    differences = np.array(
        [
            score - other[id]
            for id, score in zip(*(first[c].to_pylist() for c in ("id", "score")), strict=True)
            if id in other
        ]
    )
    return {
        "points": float(differences.mean()),
        "ci95": bootstrap_interval(differences, seed=seed),
        "n": len(differences),
    }
