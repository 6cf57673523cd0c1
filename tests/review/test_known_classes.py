import numpy as np
import pytest

from noisystudent.review.known_classes import FEWEST, KnownClasses, least_likeness


def test_likeness_is_the_cosine_to_the_nearest_class_mean() -> None:
    values = np.array([[2, 1], [4, 1], [1, 5], [1, 9]], np.float32)
    known = KnownClasses.of(values, np.array([0, 0, 1, 1]))
    center = values.mean(axis=0)
    asked = np.array([[7, 2], [-3, -3]], np.float32)
    for value, found in zip(asked, known.likeness(asked), strict=True):
        means = (np.array([3, 1]) - center, np.array([1, 7]) - center)
        cosines = [(value - center) @ m / np.linalg.norm(value - center) / np.linalg.norm(m) for m in means]
        assert found == pytest.approx(max(cosines), abs=1e-6)


def test_an_image_at_the_center_of_all_is_like_none() -> None:
    values = np.array([[1, 0], [0, 1]], np.float32)
    assert KnownClasses.of(values, np.array([0, 1])).likeness(np.array([[0.5, 0.5]], np.float32)).tolist() == [0.0]


def test_hardly_an_image_of_a_known_class_is_below_the_mark_and_foreign_ones_are() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(600) % 3
    values = (6 * np.eye(16)[labels] + rng.normal(size=(600, 16))).astype(np.float32)
    held_out = np.arange(600) >= 300
    least = least_likeness(values, labels, held_out)
    known = KnownClasses.of(values, labels)
    new = (6 * np.eye(16)[labels] + rng.normal(size=(600, 16))).astype(np.float32)
    foreign = (-6 * np.eye(16)[labels] + rng.normal(size=(600, 16))).astype(np.float32)
    assert (known.likeness(new) < least).mean() <= 0.03
    assert (known.likeness(foreign) < least).mean() > 0.95


def test_of_few_held_out_images_the_mark_is_not_taken() -> None:
    values = np.array([[5, 0], [0, 5], [4, 1], [-9, -9]], np.float32)
    labels, few = np.array([0, 1, 0, 1]), np.array([False, False, False, True])
    assert few.sum() < FEWEST
    known = KnownClasses.of(values[~few], labels[~few])
    assert least_likeness(values, labels, few) == pytest.approx(float(known.likeness(values).min()))
