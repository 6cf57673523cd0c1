import numpy as np
import pytest
from drawn_answers import drawn

from noisystudent.evaluation.calibration import Bin, calibration_error, reliability

RECORDED = {0.5: 0.16571654379367828, 1.0: 0.025223366916179657, 3.0: 0.287567138671875}


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
