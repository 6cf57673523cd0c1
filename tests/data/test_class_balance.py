from __future__ import annotations

import numpy as np
import pytest

from noisystudent.data.class_balance import balancing_copies, log_shares


def test_every_class_takes_part_about_as_often_as_the_largest() -> None:
    labels = np.repeat(np.arange(4), [100, 40, 7, 1])
    drawn = np.bincount(labels, weights=balancing_copies(labels))
    assert drawn[0] == 100
    assert (np.abs(drawn - 100) <= 20).all()  # 40 images are drawn twice or thrice


def test_balanced_labels_stay_as_they_are() -> None:
    labels = np.arange(30) % 3
    assert (balancing_copies(labels) == 1).all()
    np.testing.assert_allclose(log_shares(labels, 3), np.log(1 / 3))


def test_shares_take_weights_and_a_class_without_images_is_not_impossible() -> None:
    shares = np.exp(log_shares(np.array([0, 1, 1]), 3, np.array([3.0, 1.0, 1.0])))
    assert shares.sum() == pytest.approx(1)
    assert shares[0] == pytest.approx(3 / 5.5)
    assert shares[2] == pytest.approx(0.5 / 5.5)
