import numpy as np
import pytest
from scipy.special import softmax

from noisystudent.evaluation.calibration import Bin, at_temperature, calibration_error, fit_temperature, reliability

RECORDED = {0.5: 0.16571654379367828, 1.0: 0.025223366916179657, 3.0: 0.287567138671875}


def drawn(n: int = 4000, classes: int = 6, sharpness: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Answers that are right as often as they say at sharpness 1, and say more than they know above it."""
    draw = np.random.default_rng(seed)
    logits = draw.normal(scale=1.5, size=(n, classes))
    honest = softmax(logits, axis=1)
    labels = (honest.cumsum(axis=1) > draw.random((n, 1))).argmax(axis=1)
    return softmax(logits * sharpness, axis=1), labels


def said(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Confidences, and whether they were right."""
    return probabilities.max(axis=1), probabilities.argmax(axis=1) == labels


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_error_in_bins_of_equal_width_is_torchmetrics(sharpness: float) -> None:
    probabilities, labels = drawn(sharpness=sharpness)
    # multiclass_calibration_error of torchmetrics 1.9.0 on these very answers, 15 bins; it computes in float32
    expected = RECORDED[sharpness]
    assert calibration_error(reliability(*said(probabilities, labels))) / 100 == pytest.approx(expected, abs=1e-6)


def test_bins_of_equal_mass_hold_as_many_images_each() -> None:
    probabilities, labels = drawn(n=1500)
    bins = reliability(*said(probabilities, labels), equal="mass")
    assert [bin.images for bin in bins] == [100] * 15
    confidences = [bin.confidence for bin in bins]
    assert confidences == sorted(confidences)
    right = (probabilities.argmax(axis=1) == labels)[np.argsort(probabilities.max(axis=1))]
    assert bins[0].accuracy == pytest.approx(right[:100].mean())


def test_by_hand() -> None:
    probabilities = np.array([[0.95, 0.05], [0.95, 0.05], [0.45, 0.55]])
    labels = np.array([0, 1, 1])
    bins = reliability(*said(probabilities, labels))
    assert bins == [Bin(1, 0.55, 1.0), Bin(2, 0.95, 0.5)]
    assert calibration_error(bins) == pytest.approx(100 * (0.45 + 2 * 0.45) / 3)
    with pytest.raises(ValueError, match="width"):
        reliability(*said(probabilities, labels), equal="height")


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_what_sharpened(sharpness: float) -> None:
    probabilities, labels = drawn(n=20000, sharpness=sharpness)
    temperature = fit_temperature(probabilities, labels)
    assert temperature == pytest.approx(sharpness, rel=0.05)
    cooled = at_temperature(probabilities, temperature)
    assert calibration_error(reliability(*said(cooled, labels))) < 1.5
    assert (cooled.argmax(axis=1) == probabilities.argmax(axis=1)).all()


def test_certain_and_wrong_answers_leave_the_temperature_finite() -> None:
    probabilities = np.eye(3)[[0, 1, 2, 0]]
    temperature = fit_temperature(probabilities, np.array([0, 1, 2, 1]))
    assert 1 < temperature <= 20
    assert np.isfinite(at_temperature(probabilities, temperature)).all()
