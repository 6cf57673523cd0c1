"""95 % intervals of what was measured on a sample of images."""

from __future__ import annotations

import numpy as np
from scipy.stats import binomtest

from noisystudent.seeds import derive_seed

RESAMPLES = 1000


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a proportion, in percent: right near 0 and 100 too, where a bootstrap has no width."""
    interval = binomtest(successes, n).proportion_ci(method="wilson")
    return 100 * float(interval.low), 100 * float(interval.high)


def bootstrap_interval(values: np.ndarray, *, seed: int) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of the mean over 1,000 resamples of `values` [N]."""
    draw = np.random.default_rng(derive_seed(seed, "bootstrap"))
    means = [values[draw.integers(len(values), size=len(values))].mean() for _ in range(RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
