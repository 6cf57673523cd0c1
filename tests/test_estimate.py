"""What each network takes follows from the recipe, the numbers of images and the cost of one: closed forms."""

import pytest

from noisystudent.config import Config, Generation, Noise, ResolutionFix, Selection, Training
from noisystudent.estimate import Planned, estimate, planned_trainings
from noisystudent.trial import Cost

TRAINING, LABELING = 0.5, 0.25


def a_cost(part: Planned) -> Cost:
    return Cost(10, 100, 1000, 1e6, TRAINING, LABELING)


def config(**settings: object) -> Config:
    teacher = Training(model="resnet9_8", image_size=8, steps=30, batch_size=5, noise=Noise(crop_padding=1))
    student = teacher.model_copy(update={"unlabeled_ratio": 3.0})
    first, second = (Generation(student=student), Generation(student=student.model_copy(update={"steps": 40})))
    return Config(teacher=teacher, generations=(first, second), **settings)  # type: ignore[arg-type]


def rows(chosen: Config, images: dict[str, int], classes: int = 2) -> list[dict[str, object]]:
    return estimate(chosen, images, classes, a_cost, advance=lambda *_: None)


def test_every_network_is_trained_and_all_but_the_last_label_every_image() -> None:
    teacher, first, second, baseline = rows(config(), {"labeled": 10, "unlabeled": 1000})
    assert [row["training_seconds"] for row in (teacher, first, second, baseline)] == [
        30 * 5 * TRAINING,
        30 * 20 * TRAINING,
        40 * 20 * TRAINING,
        40 * 20 * TRAINING,
    ]
    assert [row["labels_for"] for row in (teacher, first, second, baseline)] == [1, 2, 0, 0]
    assert [row["labeling_seconds"] for row in (teacher, first, second, baseline)] == [250, 250, 0, 0]
    assert teacher["seconds"] == 75 + 250
    assert teacher["memory"] == 100 + 5 * 1000


def test_a_mirrored_teacher_looks_twice_and_one_from_elsewhere_costs_the_network_before_nothing() -> None:
    chosen = config(baseline=False)
    first, second = chosen.generations
    twice = first.model_copy(update={"mirrored": True})
    others = second.model_copy(update={"teachers": ("a-model/",)})
    found = rows(chosen.model_copy(update={"generations": (twice, others)}), {"labeled": 10, "unlabeled": 1000})
    assert [row["labels"] for row in found] == [2000, 0, 0]


def test_where_a_selection_is_kept_its_images_alone_are_labeled() -> None:
    select = Selection(per_class=40)
    chosen = config(baseline=False)
    pairs = zip(chosen.generations, (select, select.model_copy(update={"reassign": True})), strict=True)
    generations = tuple(generation.model_copy(update={"select": each}) for generation, each in pairs)
    found = rows(chosen.model_copy(update={"generations": generations}), {"labeled": 10, "unlabeled": 1000}, classes=3)
    assert [row["labels"] for row in found] == [1000, 3 * 40, 0]


def test_after_a_resolution_fix_labels_are_at_its_size() -> None:
    chosen = config(baseline=False)
    fix = ResolutionFix(image_size=16, steps=3)
    fixed = chosen.model_copy(update={"teacher": chosen.teacher.model_copy(update={"resolution_fix": fix})})
    parts = planned_trainings(fixed)
    assert [(part.name, part.training.image_size, part.labels_for) for part in parts[:2]] == [
        ("teacher", 8, 0),
        ("teacher at 16 px", 16, 1),
    ]
    assert [row["labels"] for row in rows(fixed, {"labeled": 10, "unlabeled": 7})][:2] == [0, 7]


def test_images_are_embedded_once() -> None:
    start = {"pretrained": True, "start": "probe"}
    teacher = Training(model="resnet9_8", steps=0, **start)  # type: ignore[arg-type]
    student = Training(model="resnet9_8", steps=0, unlabeled_ratio=1.0, **start)  # type: ignore[arg-type]
    chosen = Config(teacher=teacher, generations=(Generation(student=student), Generation(student=student)))
    found = rows(chosen, {"labeled": 10, "unlabeled": 1000, "val": 3})
    assert sum(int(str(row["embedded"])) for row in found) == 10 + 3 + 1000
    assert sum(row["labels"] for row in found) == 0  # type: ignore[misc]
    assert sum(row["seconds"] for row in found) == pytest.approx(1013 * LABELING)  # type: ignore[misc]


def test_what_fits_nowhere_has_no_seconds() -> None:
    found = estimate(config(), {"labeled": 1, "unlabeled": 1}, 2, lambda _: Cost(1, 2, 3, 4.0), advance=lambda *_: None)
    assert {row["seconds"] for row in found} == {None}
