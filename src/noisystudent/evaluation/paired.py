"""Is one model better than another on the same images?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from scipy.stats import binomtest

from noisystudent.evaluation.intervals import bootstrap_interval


def paired_difference(first: pa.Table, second: pa.Table, *, seed: int = 0) -> dict[str, Any]:
    """The difference in top-1 accuracy between two evaluations of the same images.

    Args:
        first, second: `Evaluation.predictions`, matched by id.
        seed: of the bootstrap over images.

    Returns:
        `points` (first minus second, in percentage points), `ci95` of it, `p` of McNemar's exact test, `n`.

    Example:
        >>> truth = {"id": ["a", "b", "c"], "label": [0, 1, 1]}
        >>> first = pa.table({**truth, "predicted": [0, 1, 1]})
        >>> second = pa.table({**truth, "predicted": [0, 1, 0]})
        >>> paired_difference(first, second)["points"], paired_difference(first, second)["p"]
        (33.333333333333336, 1.0)
    """
    right = {row["id"]: row["label"] == row["predicted"] for row in second.to_pylist()}
    pairs = [(row["label"] == row["predicted"], right[row["id"]]) for row in first.to_pylist() if row["id"] in right]
    better, worse = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    gained, lost = int((better > worse).sum()), int((better < worse).sum())
    p = float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
    difference = 100 * (better - worse)
    return {
        "points": float(difference.mean()),
        "ci95": bootstrap_interval(difference, seed=seed),
        "p": p,
        "n": len(pairs),
    }
