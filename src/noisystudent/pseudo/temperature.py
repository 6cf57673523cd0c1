"""How sure a classifier is: the temperature that makes it as sure as it is right, and a teacher that labels at one."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from noisystudent.pseudo.label import Labeler, Predicted

TEMPERATURES = (0.05, 20.0)  # between which the best is looked for
BLOCK = 1024  # images
SMALLEST = 1e-12  # a probability of 0 stands for this much


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The temperature that gives the least NLL on images that were not trained on (Guo et al. 2017, arXiv 1706.04599).

    Logits are not needed: their softmax has all that a temperature changes. Above 1 the classifier was too sure.

    Args:
        probabilities: [N, K].
        labels: [N], the truth.
    """

    def loss(log_temperature: float) -> float:
        total = 0.0
        for rows in row_blocks(len(labels)):
            scaled = _logits(probabilities[rows]) / np.exp(log_temperature)
            total -= log_softmax(scaled, axis=1)[np.arange(len(scaled)), labels[rows]].sum()
        return total / len(labels)

    found = minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded", options={"xatol": 1e-5})
    return float(np.exp(found.x))


def at_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities [N, K] as they are at another temperature.

    Example:
        >>> at_temperature(np.array([[0.8, 0.2]]), 2.0).round(3).tolist()
        [[0.667, 0.333]]
    """
    cooled: np.ndarray = softmax(_logits(probabilities) / temperature, axis=1)
    return cooled


def row_blocks(number: int) -> list[slice]:
    """So many rows a block at a time: what is computed of a block is then small beside the probabilities of all images."""
    return [slice(start, start + BLOCK) for start in range(0, number, BLOCK)]


def _logits(probabilities: np.ndarray) -> np.ndarray:
    """float64, whatever they are kept in."""
    logits: np.ndarray = np.log(np.clip(probabilities.astype(np.float64), SMALLEST, None))
    return logits


class AtTemperature:
    """A teacher whose probabilities are those at another temperature.

    Args:
        teacher: answers.
        temperature: by which its logits are divided.
    """

    def __init__(self, teacher: Labeler, temperature: float) -> None:
        self._teacher, self._temperature = teacher, temperature

    def __len__(self) -> int:
        return len(self._teacher)

    @property
    def image_size(self) -> int:
        return self._teacher.image_size

    def read(self, rows: np.ndarray) -> Any:
        return self._teacher.read(rows)

    def __call__(self, rows: np.ndarray, read: Any) -> Predicted:
        said = self._teacher(rows, read)
        return said._replace(probabilities=at_temperature(said.probabilities, self._temperature))
