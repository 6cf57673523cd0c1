"""The least confidence for a wanted precision, against its definition."""

import numpy as np
import pytest

from noisystudent.errors import UserError
from noisystudent.evaluation.clean import Scores
from noisystudent.evaluation.intervals import wilson_interval
from noisystudent.inference.abstaining import least_confidence


def scores(confidence: np.ndarray, right: np.ndarray) -> Scores:
    ones = np.ones(len(right), int)
    return Scores(ones, np.where(right, 1, 0), confidence, confidence, ones, 2)


def test_it_is_the_least_one_from_which_on_enough_answers_are_right() -> None:
    draw = np.random.default_rng(0)
    for _ in range(100):
        n = int(draw.integers(1, 40))
        confidence = draw.integers(5, 10, n) / 10  # with many equals
        right = draw.random(n) < confidence
        wanted = float(draw.choice([0.5, 0.75, 0.9, 1.0]))
        kept = {value: right[confidence >= value] for value in np.unique(confidence)}
        good = [value for value, answers in kept.items() if answers.mean() >= wanted]
        if not good:
            most = max(answers.mean() for answers in kept.values())
            with pytest.raises(UserError, match=f"the most is {100 * most:.1f} %"):
                least_confidence(scores(confidence, right), wanted)
            continue
        found = least_confidence(scores(confidence, right), wanted)
        assert found.confidence == np.float32(min(good))
        answers = kept[min(good)]
        assert (found.answered, found.n) == (len(answers), n)
        assert found.precision == pytest.approx(100 * answers.mean())
        assert found.ci95 == wilson_interval(int(answers.sum()), len(answers))


def test_a_better_precision_further_down_counts() -> None:
    """The surest answer may be wrong by chance."""
    found = least_confidence(scores(np.array([0.9, 0.8, 0.7, 0.6]), np.array([0, 1, 1, 1])), 0.75)
    assert (found.answered, found.precision) == (4, 75.0)


def test_of_equal_confidences_all_are_answered_or_none() -> None:
    found = least_confidence(scores(np.array([0.9, 0.8, 0.8, 0.8]), np.array([1, 1, 1, 0])), 0.9)
    assert (found.answered, found.confidence) == (1, np.float32(0.9))
