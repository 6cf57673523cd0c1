"""How much an image is like any class that has labels: by the nearest class mean in what the network sees.

The rule is that of a nearest-class-mean classifier (Mensink et al. 2013, doi:10.1109/TPAMI.2013.83) as a detector of images of no class
(Lee et al. 2018, arXiv:1807.03888), with the cosine in place of a covariance, which few labels cannot tell.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

FAR = 0.01  # the share of images of known classes that may be as far from all of them
FEWEST = 50  # held-out images from which that share is taken; of fewer, labeled ones


class KnownClasses(NamedTuple):
    """What the classes look like.

    Attributes:
        center: float32 [D], the mean of all labeled images.
        means: float32 [K, D], of each class from that center, of length 1.
    """

    center: np.ndarray
    means: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, labels: np.ndarray) -> KnownClasses:
        """From features float32 [N, D] and labels int [N]; a class without images is not known."""
        center = values.mean(axis=0)
        means = [values[labels == label].mean(axis=0) - center for label in np.unique(labels)]
        return cls(center, _directions(np.stack(means)))

    def likeness(self, values: np.ndarray) -> np.ndarray:
        """float32 [N], the cosine to the nearest class mean, from features float32 [N, D].

        Example:
            >>> known = KnownClasses.of(np.array([[1, 0], [0, 1]], np.float32), np.array([0, 1]))
            >>> known.likeness(np.array([[2, -1], [3, 3]], np.float32)).round(2).tolist()
            [1.0, 0.0]
        """
        found: np.ndarray = (_directions(values - self.center) @ self.means.T).max(axis=1).astype(np.float32)
        return found


def least_likeness(values: np.ndarray, labels: np.ndarray, held_out: np.ndarray) -> float:
    """The likeness below which an image is of no class: fewer than one in a hundred images of known classes have less.

    Args:
        values: features float32 [N, D] of labeled images.
        labels: int [N].
        held_out: bool [N], those that the network did not learn from: if there are `FEWEST`, they alone are asked, of the others' classes;
            if not, the labeled ones are, which the network knows better than others.
    """
    asked = held_out if held_out.sum() >= FEWEST else np.ones(len(labels), bool)
    known = KnownClasses.of(values[~held_out], labels[~held_out])
    return float(np.quantile(known.likeness(values[asked]), FAR, method="lower"))


def _directions(values: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    found: np.ndarray = values / np.where(lengths > 0, lengths, 1)
    return found
