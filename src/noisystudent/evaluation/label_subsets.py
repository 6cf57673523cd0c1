"""Test sets of ImageNet whose labels are not its thousand classes, one each: ImageNet-A and -R, and the ReaL labels.

ImageNet-A and -R have 200 of the classes. A model of the thousand is asked for the likeliest of these (spec section 5.1); asked for the
likeliest of all, it would seem far worse than it is. ImageNet-V2 and -Sketch have all thousand, and need none of this.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
import re
from collections.abc import Sequence

import numpy as np

from noisystudent.errors import UserError


@functools.cache
def subset_classes(suite: str) -> tuple[str, ...]:
    """The WordNet ids of the classes of ImageNet-A ("a") or -R ("r"), in the order of their folders; timm has the lists.

    Example:
        >>> len(subset_classes("a")), subset_classes("a")[0]
        (200, 'n01498041')
    """
    listed = importlib.resources.files("timm.data") / "_info" / f"imagenet_{suite}_synsets.txt"
    return tuple(listed.read_text().split())


def check_subset(suite: str, data_classes: Sequence[str], model_classes: Sequence[str], *, source: str) -> None:
    """Raise UserError unless the data have the classes of the release, and the model knows them all."""
    wanted = subset_classes(suite)
    name = f"ImageNet-{suite.upper()}"
    mistakes = []
    strange = sorted(set(data_classes) - set(wanted))
    missing = sorted(set(wanted) - set(data_classes))
    if strange or missing:
        mistakes.append(
            f"{source} is not {name}: it has {len(data_classes)} classes and should have the release's 200 folders"
            + (f"; not of it: {', '.join(strange[:5])}" if strange else "")
            + (f"; missing: {', '.join(missing[:5])}" if missing else "")
        )
    unknown = sorted(set(wanted) - set(model_classes))
    if unknown:
        mistakes.append(
            f"the model does not know {len(unknown)} of the 200 classes of {name} ({', '.join(unknown[:3])} ...): it needs "
            "ImageNet's thousand, named by their WordNet ids"
        )
    if mistakes:
        raise UserError(mistakes)


def among(probabilities: np.ndarray, labels: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and labels of some classes only.

    Args:
        probabilities: [N, K] over all classes.
        labels: [N], each one of `columns`.
        columns: int [M], ascending.

    Returns:
        [N, M], each row adding up to one; and labels as places in `columns`.

    Example:
        >>> inside, labels = among(np.array([[0.5, 0.3, 0.2]]), np.array([2]), np.array([1, 2]))
        >>> inside.tolist(), labels.tolist()
        ([[0.6, 0.4]], [1])
    """
    inside = probabilities[:, columns]
    return inside / inside.sum(axis=1, keepdims=True), np.searchsorted(columns, labels)


@functools.cache
def real_labels() -> list[frozenset[int]]:
    """The ReaL labels (Beyer et al. 2020, arXiv 2006.07159): of each validation image, in order, the classes that it shows; from timm."""
    listed = importlib.resources.files("timm.data") / "_info" / "imagenet_real_labels.json"
    return [frozenset(labels) for labels in json.loads(listed.read_text())]


def real_accuracy(ids: Sequence[str], predicted: np.ndarray) -> tuple[int, int]:
    """How many answers are among the ReaL labels of their image, and of how many images that have any.

    Args:
        ids: names that hold the number of the validation image, `ILSVRC2012_val_00000001.JPEG`.
        predicted: int [N], places among the thousand classes.

    Raises:
        UserError: an id has no such number, or none of the images has a label.
    """
    numbers = [re.search(r"ILSVRC2012_val_((?!0{8})000[0-4]\d{4}|00050000)", id) for id in ids]
    wrong = [id for id, number in zip(ids, numbers, strict=True) if not number]
    if wrong:
        raise UserError(
            f"the ReaL labels are for ImageNet's validation images, and {len(wrong)} images are not named as these are "
            f"(ILSVRC2012_val_00000001.JPEG): {', '.join(repr(id) for id in wrong[:3])}"
        )
    allowed = [real_labels()[int(number[1]) - 1] for number in numbers if number]
    if not any(allowed):
        raise UserError(
            f"none of the {len(ids)} images has a ReaL label: the ReaL labels leave out what shows no class"
        )
    right = sum(int(answer) in classes for answer, classes in zip(predicted, allowed, strict=True))
    return right, sum(bool(classes) for classes in allowed)
