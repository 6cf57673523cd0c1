import hashlib

import numpy as np
import pytest
from timm.data import ImageNetInfo

from noisystudent.errors import UserError
from noisystudent.evaluation.label_subsets import among, check_subset, real_accuracy, real_labels, subset_classes

THOUSAND = tuple(ImageNetInfo("imagenet-1k").label_names())


def test_the_200_classes_of_imagenet_a_are_the_released_ones() -> None:
    # Spec 5.1: first and last indices, and the digest of the comma-joined list.
    indices = [THOUSAND.index(name) for name in subset_classes("a")]
    assert indices == sorted(indices)
    assert indices[:5] == [6, 11, 13, 15, 17]
    assert indices[-4:] == [984, 986, 987, 988]
    assert hashlib.sha256(",".join(map(str, indices)).encode()).hexdigest().startswith("973e8c3e530bf5db")


def test_imagenet_r_has_200_others() -> None:
    assert len(set(subset_classes("r"))) == 200
    assert set(subset_classes("r")) <= set(THOUSAND)
    assert set(subset_classes("r")) != set(subset_classes("a"))


def test_the_likeliest_of_the_subset_counts() -> None:
    probabilities = np.array([[0.7, 0.1, 0.15, 0.05], [0.0, 0.5, 0.2, 0.3]])
    inside, labels = among(probabilities, np.array([2, 1]), np.array([1, 2]))
    assert inside == pytest.approx(np.array([[0.4, 0.6], [5 / 7, 2 / 7]]))
    assert labels.tolist() == [1, 0]
    assert inside.argmax(axis=1).tolist() == labels.tolist()  # class 0, likeliest of all, does not matter


def test_wrong_classes_of_data_and_model_are_named_together() -> None:
    check_subset("a", subset_classes("a"), THOUSAND, source="--data images")
    with pytest.raises(UserError) as caught:
        check_subset("a", [*subset_classes("a")[1:], "cats"], ["cats", "dogs"], source="--data images")
    message = str(caught.value)
    for part in (
        "--data images is not ImageNet-A",
        "not of it: cats",
        f"missing: {subset_classes('a')[0]}",
        "200 of the 200",
    ):
        assert part in message, message


def test_real_labels_allow_several_classes_and_leave_out_images_without() -> None:
    assert len(real_labels()) == 50_000
    several = next(n for n, labels in enumerate(real_labels(), start=1) if len(labels) == 2)
    none = next(n for n, labels in enumerate(real_labels(), start=1) if not labels)
    ids = [f"val/ILSVRC2012_val_{n:08d}.JPEG" for n in (several, several, several, none)]
    both = sorted(real_labels()[several - 1])
    wrong = next(c for c in range(1000) if c not in both)
    assert real_accuracy(ids, np.array([*both, wrong, 0])) == (2, 3)
    with pytest.raises(UserError, match="none of the 1 images has a ReaL label"):
        real_accuracy([ids[3]], np.array([0]))
    for id in ("cat.jpg", "ILSVRC2012_val_00000000.JPEG", "ILSVRC2012_val_00050001.JPEG"):
        with pytest.raises(UserError, match=f"1 images are not named .*{id}"):
            real_accuracy([ids[0], id], np.array([0, 0]))
