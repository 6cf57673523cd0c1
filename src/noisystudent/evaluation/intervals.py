"""95 % intervals of what was measured on a sample of images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import binomtest, norm, t

from noisystudent.seeds import derive_seed

RESAMPLES = 1000
FEWEST_SEEDS = 3  # that make an interval


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a proportion, in percent: right near 0 and 100 too, where a bootstrap has no width."""
    interval = binomtest(successes, n).proportion_ci(method="wilson")
    return 100 * float(interval.low), 100 * float(interval.high)


def mean_of_rates_interval(successes: np.ndarray, n: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the mean of several proportions, in percent: Wilson's of each, put together as independent errors are.

    The method of variance estimates recovery (Zou and Donner, Statistics in Medicine 27, 2008). A bootstrap within each class would say
    that a class with one image, which is right, is right for certain.

    Args:
        successes, n: of each proportion, int [K]; none of `n` is 0.

    Example:
        >>> [round(bound, 1) for bound in mean_of_rates_interval(np.array([200, 1]), np.array([200, 2]))]
        [54.7, 95.3]
    """
    z2 = float(norm.ppf(0.975)) ** 2
    rates = successes / n
    center = (successes + z2 / 2) / (n + z2)
    half = np.sqrt(z2 * (rates * (1 - rates) * n + z2 / 4)) / (n + z2)
    mean = float(rates.mean())
    below, above = (
        float(np.sqrt((distance**2).sum())) / len(n) for distance in (rates - center + half, center + half - rates)
    )
    return 100 * max(mean - below, 0.0), 100 * min(mean + above, 1.0)


def mean_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Student's 95 % interval of a mean over seeds; None of fewer than three, whose interval says next to nothing.

    Example:
        >>> [round(bound, 2) for bound in mean_interval([1.0, 2.0, 3.0])]
        [-0.48, 4.48]
        >>> mean_interval([1.0, 2.0]) is None
        True
    """
    n = len(values)
    if n < FEWEST_SEEDS:
        return None
    half = float(t.ppf(0.975, n - 1)) * float(np.std(values, ddof=1)) / float(np.sqrt(n))
    return float(np.mean(values)) - half, float(np.mean(values)) + half


def bootstrap_interval(values: np.ndarray, *, seed: int) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of the mean over 1,000 resamples of `values` [N]."""
    draw = np.random.default_rng(derive_seed(seed, "bootstrap"))
    means = [values[draw.integers(len(values), size=len(values))].mean() for _ in range(RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
