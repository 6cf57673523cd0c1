from __future__ import annotations

import numpy as np
from says import Says, asked

from noisystudent.pseudo.several_teachers import MeanOf


def test_probabilities_are_averaged() -> None:
    teachers = [Says([[0.9, 0.1], [0.5, 0.5]]), Says([[0.5, 0.5], [0.1, 0.9]])]
    mean = asked(MeanOf(teachers), np.array([1, 0]))
    assert mean.ids == ["1", "0"]
    np.testing.assert_allclose(mean.probabilities, [[0.3, 0.7], [0.7, 0.3]])


def test_votes_count_alike_however_sure_they_are() -> None:
    teachers = [Says([[0.51, 0.49, 0.0]]), Says([[0.51, 0.49, 0.0]]), Says([[0.0, 1.0, 0.0]])]
    np.testing.assert_allclose(asked(MeanOf(teachers, votes=True), np.array([0])).probabilities, [[2 / 3, 1 / 3, 0]])
    assert asked(MeanOf(teachers), np.array([0])).probabilities.argmax() == 1


def test_an_image_that_one_of_them_cannot_read_is_left_out_once() -> None:
    said = [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]]
    mean = asked(MeanOf([Says(said, unreadable=(0,)), Says(said, unreadable=(0, 2))]), np.arange(3))
    assert mean.ids == ["1"]
    assert mean.hashes.tolist() == [1]
    assert sorted(row.id for row in mean.skipped) == ["0", "2"]
    np.testing.assert_allclose(mean.probabilities, [[0.8, 0.2]])
