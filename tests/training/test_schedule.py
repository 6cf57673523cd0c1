import math

import pytest

from noisystudent.config import Training
from noisystudent.training.schedule import learning_rate


def training(**settings: object) -> Training:
    return Training(model="resnet18", **{"steps": 100, "learning_rate": 0.8, **settings})  # type: ignore[arg-type]


def test_the_released_warm_up_begins_at_0() -> None:
    settings = training(schedule="exponential", warmup_steps=8)
    assert [learning_rate(settings, step) for step in range(9)] == pytest.approx([0.1 * step for step in range(9)])


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant"])
def test_warm_up_is_linear_and_reaches_the_full_rate(schedule: str) -> None:
    rates = [learning_rate(training(schedule=schedule, warmup_steps=8), step) for step in range(8)]
    assert rates == pytest.approx([0.1 * (step + 1) for step in range(8)])


def test_linear_falls_evenly_to_0_after_the_last_step() -> None:
    rates = [learning_rate(training(warmup_steps=20), step) for step in range(20, 100)]
    assert rates == pytest.approx([0.8 * (100 - step) / 80 for step in range(20, 100)])
    assert learning_rate(training(), 0) == 0.8


def test_cosine_is_half_a_period() -> None:
    settings = training(schedule="cosine", warmup_steps=20)
    for step in range(20, 100):
        # sin^2 + cos^2 = 1 at half the angle
        angle = math.pi / 2 * (step - 20) / 80
        assert learning_rate(settings, step) == pytest.approx(0.8 * math.cos(angle) ** 2, abs=1e-12)


def test_exponential_is_a_staircase_counted_from_step_0() -> None:
    settings = training(schedule="exponential", warmup_steps=10, decay_steps=7, decay_rate=0.9)
    rate = 0.8
    for step in range(100):
        if step and step % 7 == 0:
            rate *= 0.9
        if step >= 10:
            assert learning_rate(settings, step) == pytest.approx(rate)


def test_the_svhn_schedule_of_the_paper_ends_where_the_spec_says() -> None:
    # Spec 4: 0.008, x 0.97 every 742 steps, 109,474 steps in all, about 9.1e-5 at the end.
    settings = training(
        schedule="exponential", learning_rate=0.008, steps=109_474, warmup_steps=2705, decay_steps=742, decay_rate=0.97
    )
    assert learning_rate(settings, 2705) == pytest.approx(0.008 * 0.97**3)
    assert learning_rate(settings, 109_473) == pytest.approx(9.1e-5, rel=0.02)


def test_constant_stays() -> None:
    assert {learning_rate(training(schedule="constant"), step) for step in range(100)} == {0.8}


def test_a_warm_up_longer_than_the_training_does_not_divide_by_0() -> None:
    settings = training(steps=5, warmup_steps=50)
    assert [learning_rate(settings, step) for step in range(5)] == pytest.approx([0.016 * (s + 1) for s in range(5)])
    assert learning_rate(training(steps=5, warmup_steps=5), 4) == 0.8
