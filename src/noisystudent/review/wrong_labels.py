"""Labels that are likely wrong, by confident learning (Northcutt, Jiang and Chuang 2021, doi:10.1613/jair.1.12125), by cleanlab."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from cleanlab.filter import find_label_issues

from noisystudent.features.probe import cross_validate, out_of_sample

MOST_FITTED = 20_000  # labeled images that a linear classifier is fitted on, five times: minutes of one core


class WrongLabels(NamedTuple):
    """What confident learning found.

    Attributes:
        rows: int [n], of the images whose labels are likely wrong, the likeliest first.
        instead: int [n], the class that the other labels speak for.
        probability: float64 [n], of that class.
        asked: how many labels were looked at: a sample of very many, and none of a class that has one image.
    """

    rows: np.ndarray
    instead: np.ndarray
    probability: np.ndarray
    asked: int


def wrong_labels(values: np.ndarray, labels: np.ndarray, *, seed: int) -> WrongLabels:
    """Find labels that the other labels speak against.

    Each image gets the probabilities of a linear classifier on the features that it took no part in fitting; a label is found where
    cleanlab's default rule (`prune_by_noise_rate`) finds it, and ranked by the probability of the label that was given.

    Args:
        values: features float32 [N, D].
        labels: int [N].
        seed: of the folds, and of the sample.
    """
    counts = np.bincount(labels)
    rows = np.flatnonzero(counts[labels] > 1)  # a class with one image cannot be held out
    rows = np.sort(np.random.default_rng(seed).permutation(rows)[:MOST_FITTED])
    classes, given = np.unique(labels[rows], return_inverse=True)
    chosen = cross_validate(values[rows], given, seed=seed) if len(classes) > 1 else None
    if chosen is None:
        return WrongLabels(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), 0)
    probabilities = out_of_sample(values[rows], given, strength=chosen.strength, seed=seed)
    found = find_label_issues(given, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1)
    found = np.asarray(found, dtype=np.int64)
    instead = probabilities[found].argmax(axis=1)
    other = instead != given[found]  # the rule may name an image whose label is still the likeliest
    found, instead = found[other], instead[other]
    return WrongLabels(rows[found], classes[instead], probabilities[found, instead], len(rows))
