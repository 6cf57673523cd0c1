import numpy as np
import pytest
from drawn_answers import drawn
from says import Says, asked

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


def test_a_teacher_at_a_temperature_changes_how_sure_it_is_and_nothing_else() -> None:
    plain = Says([[0.8, 0.2], [0.5, 0.5], [0.0, 0.0]], unreadable=(2,))
    teacher = AtTemperature(plain, 2.0)
    assert (len(teacher), teacher.image_size) == (3, 8)
    said = asked(teacher, np.arange(3))
    np.testing.assert_allclose(said.probabilities, [[2 / 3, 1 / 3], [0.5, 0.5]])
    assert (said.ids, said.hashes.tolist(), [row.id for row in said.skipped]) == (["0", "1"], [0, 1], ["2"])
