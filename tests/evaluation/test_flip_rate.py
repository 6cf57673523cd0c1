import numpy as np
import pytest

from noisystudent.evaluation.flip_rate import ALEXNET_FLIPS, MAIN, NOISE, flips, mean_flip_rate, top5_distance


def scores(classes: list[int], count: int = 8) -> np.ndarray:
    """Frames that answer with these classes."""
    return np.eye(count)[classes]


def published_distance(reference: np.ndarray, frame: np.ndarray) -> int:
    """As the paper counts it: each of the first five moves over so many of the five places, one step at a time (eq. in 4.2)."""
    ranks = {int(item): rank for rank, item in enumerate(np.argsort(-frame, kind="stable"), start=1)}
    total = 0
    for place, item in enumerate(np.argsort(-reference, kind="stable")[:5], start=1):
        low, high = sorted((place, ranks[int(item)]))
        total += sum(1 <= step - 1 <= 5 for step in range(low + 1, high + 1))
    return total


def test_frames_of_noise_are_compared_with_the_first_and_others_with_the_one_before() -> None:
    frames = scores([0, 1, 1, 0])
    assert flips(frames, "gaussian_noise") == pytest.approx(2 / 3)
    assert flips(frames, "shot_noise") == pytest.approx(2 / 3)
    for name in MAIN:
        if name not in NOISE:
            assert flips(frames, name) == pytest.approx(2 / 3)
    drifting = scores([0, 1, 1, 1])
    assert flips(drifting, "snow") == pytest.approx(1 / 3)
    assert flips(drifting, "speckle_noise") == 1


@pytest.mark.parametrize("perturbation", ["rotate", "gaussian_noise"])
def test_the_top5_distance_is_the_published_count(perturbation: str) -> None:
    draw = np.random.default_rng(0)
    frames = draw.normal(size=(31, 30))
    pairs = [(0 if perturbation in NOISE else i - 1, i) for i in range(1, 31)]
    expected = np.mean([published_distance(frames[reference], frames[i]) for reference, i in pairs])
    assert top5_distance(frames, perturbation) == pytest.approx(expected)


def test_top5_distance_by_hand() -> None:
    order = np.arange(10, 0, -1.0)
    assert top5_distance(np.stack([order, order]), "tilt") == 0
    # The first five all leave: they go from 1..5 to beyond the fifth, 5 + 4 + 3 + 2 + 1.
    assert top5_distance(np.stack([order, order[::-1]]), "tilt") == 15
    swapped = order.copy()
    swapped[[0, 4]] = swapped[[4, 0]]
    assert top5_distance(np.stack([order, swapped]), "tilt") == 8


def test_alexnet_itself_scores_100_and_nine_have_no_mean() -> None:
    assert mean_flip_rate(ALEXNET_FLIPS)["mfr"] == pytest.approx(100)
    nine = dict.fromkeys(MAIN[1:], 1.0)
    found = mean_flip_rate({**nine, "spatter": 3.0})
    assert "mfr" not in found
    assert "fr_spatter" not in found
    assert found["fr_tilt"] == pytest.approx(100 / 7.05)


def test_there_are_ten_and_snow_is_one_of_them() -> None:
    # Spec 5.3: some code lists spatter in its place.
    assert len(MAIN) == 10
    assert "snow" in MAIN
    assert "spatter" not in MAIN
    assert set(ALEXNET_FLIPS) == set(MAIN)
