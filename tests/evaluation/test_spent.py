from __future__ import annotations

import pytest

from noisystudent.config import Config, Generation, Training
from noisystudent.evaluation.spent import spent
from noisystudent.run_plan import planned_stages

TEACHER = Training(model="net", image_size=10, steps=4, batch_size=5)
STUDENT = TEACHER.model_copy(update={"steps": 10, "batch_size": 2, "unlabeled_ratio": 4.0})
CONFIG = Config(teacher=TEACHER, generations=(Generation(student=STUDENT),))


def test_training_is_three_passes_of_every_image_and_labeling_one() -> None:
    stages = planned_stages(CONFIG, unlabeled=30)
    seconds = {stage.name: 2.0 for stage in stages}
    found = spent(stages, seconds, {"net": 1e12 / 10**2})  # a multiply-add count of 10^12 an image
    images = 4 * 5 + 2 * 10 * 10  # of the teacher, and as many of the student as of its baseline
    assert found["training_pflop"] == pytest.approx(3 * 2 * 1e12 * images / 1e15)
    assert found["labeling_pflop"] == pytest.approx(2 * 1e12 * 30 / 1e15)
    assert found["seconds"] == 2.0 * len(stages)


def test_what_is_not_done_costs_nothing() -> None:
    assert spent(planned_stages(CONFIG, unlabeled=30), {"prepare": 1.5}, {"net": 1e10}) == {
        "seconds": 1.5,
        "training_pflop": 0.0,
        "labeling_pflop": 0.0,
    }


def test_images_are_embedded_once_and_then_labeled_for_nothing() -> None:
    frozen = TEACHER.model_copy(update={"pretrained": True, "unlabeled_ratio": 3.0}).probe()
    config = Config(teacher=frozen, generations=tuple(Generation(student=frozen) for _ in range(3)))
    stages = planned_stages(config, unlabeled=30)
    found = spent(stages, {stage.name: 1.0 for stage in stages}, {"net": 1e12 / 10**2})
    assert found["training_pflop"] == 0
    assert found["labeling_pflop"] == pytest.approx(2 * 1e12 * 30 / 1e15)
