import numpy as np
import pytest
from drawn_answers import drawn

from noisystudent.data.images import Skipped
from noisystudent.pseudo.label import Predicted
from noisystudent.pseudo.temperature import AtTemperature, at_temperature, fit_temperature


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_what_sharpened(sharpness: float) -> None:
    probabilities, labels = drawn(n=20000, sharpness=sharpness)
    temperature = fit_temperature(probabilities, labels)
    assert temperature == pytest.approx(sharpness, rel=0.05)
    cooled = at_temperature(probabilities, temperature)
    confidence, right = cooled.max(axis=1), cooled.argmax(axis=1) == labels
    assert confidence.mean() == pytest.approx(right.mean(), abs=0.015)
    assert (cooled.argmax(axis=1) == probabilities.argmax(axis=1)).all()


def test_certain_and_wrong_answers_leave_the_temperature_finite() -> None:
    probabilities = np.eye(3)[[0, 1, 2, 0]]
    temperature = fit_temperature(probabilities, np.array([0, 1, 2, 1]))
    assert 1 < temperature <= 20
    assert np.isfinite(at_temperature(probabilities, temperature)).all()


class Says:
    """A teacher of two images, who cannot read a third."""

    image_size = 8

    def __len__(self) -> int:
        return 3

    def __call__(self, rows: np.ndarray) -> Predicted:
        hashes = np.array([1, 2], dtype=np.uint64)
        return Predicted(["a", "b"], np.array([[0.8, 0.2], [0.5, 0.5]]), hashes, [Skipped("c", "label", "broken")])


def test_a_teacher_at_a_temperature_changes_how_sure_it_is_and_nothing_else() -> None:
    teacher = AtTemperature(Says(), 2.0)
    assert (len(teacher), teacher.image_size) == (3, 8)
    said = teacher(np.arange(3))
    np.testing.assert_allclose(said.probabilities, [[2 / 3, 1 / 3], [0.5, 0.5]])
    assert (said.ids, said.hashes.tolist(), [row.id for row in said.skipped]) == (["a", "b"], [1, 2], ["c"])
