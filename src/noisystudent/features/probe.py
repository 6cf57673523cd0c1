"""A linear probe: multinomial logistic regression on a network's features, its regularization chosen by cross-validation.

What a careful user would do first with a pretrained network and a few labels, and so the mark that every student has to pass.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from noisystudent.pseudo.temperature import fit_temperature

STRENGTHS = (1.0, 10.0, 100.0, 1000.0)  # scikit-learn's C, of features whose mean length is 1
FOLDS = 5
ITERATIONS = 500
MOST = 2000  # images that the cross-validation looks at


class Scaling(NamedTuple):
    """Features are moved to mean 0 and scaled to a mean length of 1, so that a strength means the same for every network."""

    mean: np.ndarray
    length: float

    @classmethod
    def of(cls, values: np.ndarray) -> Scaling:
        """From features float32 [N, D], those of the labeled images."""
        mean = values.mean(axis=0)
        return cls(mean, float(np.linalg.norm(values - mean, axis=1).mean()) or 1.0)

    def apply(self, values: np.ndarray) -> np.ndarray:
        scaled: np.ndarray = (values - self.mean) / self.length
        return scaled


class CrossValidated(NamedTuple):
    """What cross-validation on the labels says.

    Attributes:
        strength: the regularization with the lowest log-loss on images that took no part in the fit.
        temperature: by which logits are divided for the lowest log-loss on these images.
        accuracy: on these images, in percent.
        right: which of them are recognized, bool [n].
        rows: which of the images they are, int [n].
    """

    strength: float
    temperature: float
    accuracy: float
    right: np.ndarray
    rows: np.ndarray


class Probe(NamedTuple):
    """A linear classifier on features as the network gives them.

    Attributes:
        weight: float32 [K, D].
        bias: float32 [K].
    """

    weight: np.ndarray
    bias: np.ndarray

    def logits(self, values: np.ndarray) -> np.ndarray:
        """Of features float32 [N, D]: float32 [N, K]."""
        found: np.ndarray = values @ self.weight.T + self.bias
        return found


def folds_of(labels: np.ndarray) -> int:
    """How many folds cross-validation has; 0 when it cannot be done, since no two classes have two images.

    Example:
        >>> folds_of(np.array([0, 0, 0, 1, 1])), folds_of(np.array([0, 1, 1]))
        (2, 0)
    """
    counts = np.bincount(labels)
    return min(FOLDS, max(int(counts[counts > 0].min()), 2)) if (counts > 1).sum() > 1 else 0


def cross_validate(values: np.ndarray, labels: np.ndarray, *, seed: int) -> CrossValidated | None:
    """Choose the regularization on labels alone.

    Args:
        values: features float32 [N, D].
        labels: int [N].
        seed: of the folds, and of the sample when there are more than 2,000 images.

    Returns:
        None when no two classes have two images, so that nothing can be held out.
    """
    if not folds_of(labels):
        return None
    rows = np.sort(np.random.default_rng(seed).permutation(len(labels))[:MOST])
    values, labels = Scaling.of(values).apply(values)[rows], labels[rows]
    folds, classes = _folds(values, labels, seed), int(labels.max()) + 1
    logits = {strength: _out_of_fold(values, labels, folds, classes, strength) for strength in STRENGTHS}
    losses = {strength: _loss(found, labels) for strength, found in logits.items()}
    strength = min(losses, key=lambda strength: losses[strength])
    found = logits[strength]
    right = found.argmax(axis=1) == labels
    return CrossValidated(
        strength, fit_temperature(softmax(found, axis=1), labels), 100 * float(right.mean()), right, rows
    )


def out_of_sample(values: np.ndarray, labels: np.ndarray, *, strength: float, seed: int) -> np.ndarray:
    """What a linear classifier says of each image that took no part in its fit, by cross-validation.

    Args:
        values: features float32 [N, D].
        labels: int [N], 0 to K - 1; each class has two images, so that it can be held out.
        strength: inverse regularization, as scikit-learn's C.
        seed: of the folds.

    Returns:
        Probabilities, float64 [N, K].
    """
    scaled = Scaling.of(values).apply(values)
    folds, classes = _folds(scaled, labels, seed), int(labels.max()) + 1
    found: np.ndarray = softmax(_out_of_fold(scaled, labels, folds, classes, strength), axis=1)
    return found


def fit_probe(
    values: np.ndarray,
    labels: np.ndarray,
    *,
    strength: float,
    scaling: Scaling,
    temperature: float = 1.0,
    weights: np.ndarray | None = None,
) -> Probe:
    """Fit a linear classifier.

    Args:
        values: features float32 [N, D], as the network gives them.
        labels: int [N]; each of the classes 0 to K - 1 occurs.
        strength: inverse regularization, as scikit-learn's C.
        scaling: under which the strength is meant; it is folded into the classifier.
        temperature: by which its logits are divided.
        weights: of the images, float [N]; 1 by default.

    Example:
        >>> values, labels = np.array([[0.0, 1.0], [1.0, 0.0]], np.float32), np.array([0, 1])
        >>> fit_probe(values, labels, strength=10.0, scaling=Scaling.of(values)).logits(values).argmax(axis=1).tolist()
        [0, 1]
    """
    fitted = _fit(scaling.apply(values), labels, strength, weights)
    weight, bias = fitted.coef_, fitted.intercept_
    if len(weight) == 1:  # of two classes, the second's log-odds
        weight, bias = np.concatenate([-weight / 2, weight / 2]), np.concatenate([-bias / 2, bias / 2])
    weight = weight / scaling.length
    bias = bias - weight @ scaling.mean
    return Probe((weight / temperature).astype(np.float32), (bias / temperature).astype(np.float32))


def _fit(
    values: np.ndarray, labels: np.ndarray, strength: float, weights: np.ndarray | None = None
) -> LogisticRegression:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # on separable classes the last digits take long, and change no answer
        return LogisticRegression(C=strength, max_iter=ITERATIONS).fit(values, labels, sample_weight=weights)


def _folds(values: np.ndarray, labels: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows to fit on and rows to ask, for each fold."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", UserWarning
        )  # that a class has fewer images than folds: its images are never left out all at once
        return list(StratifiedKFold(folds_of(labels), shuffle=True, random_state=seed % 2**32).split(values, labels))


def _out_of_fold(
    values: np.ndarray, labels: np.ndarray, folds: list[tuple[np.ndarray, np.ndarray]], classes: int, strength: float
) -> np.ndarray:
    """float64 [N, K]: log-probabilities of each image by a fit that it took no part in; low for a class that the fit did not see."""
    found = np.full((len(labels), classes), -20.0)
    for train, held_out in folds:
        fitted = _fit(values[train], labels[train], strength)
        found[np.ix_(held_out, fitted.classes_)] = fitted.predict_log_proba(values[held_out])
    return found


def _loss(logits: np.ndarray, labels: np.ndarray) -> float:
    return -float(log_softmax(logits, axis=1)[np.arange(len(labels)), labels].mean())
