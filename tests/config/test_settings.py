from typing import Any

import pytest

from noisystudent.config import Config, Generation, RandAugment, Training
from noisystudent.config.settings import apply_settings
from noisystudent.errors import UserError


def config(**settings: Any) -> Config:
    """A teacher and two students."""
    students = [Training(model="resnet18", unlabeled_ratio=ratio) for ratio in (1.0, 3.0)]
    return Config(
        teacher=Training(model="resnet18"), generations=tuple(Generation(student=s) for s in students), **settings
    )


def mistakes(attempt: Any) -> list[str]:
    with pytest.raises(UserError) as caught:
        attempt()
    return caught.value.problems


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ("seed=4", "seed: 4, not 0"),
        ("teacher.steps=7", "teacher.steps: 7, not 1000"),
        ("teacher.learning_rate=1e-3", "teacher.learning_rate: 0.001, not 0.05"),
        ("teacher.learning_rate=1", "teacher.learning_rate: 1.0, not 0.05"),
        ("teacher.model=resnet34", "teacher.model: 'resnet34', not 'resnet18'"),
        ('teacher.model="resnet34"', "teacher.model: 'resnet34', not 'resnet18'"),
        ("teacher.pretrained=true", "teacher.pretrained: True, not False"),
        ("data.labeled=dir/with=sign", "data.labeled: 'dir/with=sign', not ''"),
        ("teacher.noise.crop_scale=[0.2, 1]", "teacher.noise.crop_scale: [0.2, 1.0], not [0.08, 1.0]"),
        ("teacher.model_args.width=8", "teacher.model_args.width: 8, not 'absent'"),
        ("generations.1.student.steps=3", "generations.1.student.steps: 3, not 1000"),
        ("generations.0.select.per_class=mean", "generations.0.select.per_class: 'mean', not 0"),
        ("generations.0.select.per_class=130000", "generations.0.select.per_class: 130000, not 0"),
    ],
)
def test_one_setting_changes_one_thing(setting: str, key: str) -> None:
    changed = apply_settings(config(), [setting])
    assert key in changed.differences(config())
    assert len(changed.differences(config())) in (1, 2)  # two for a table that was empty


def test_student_select_and_noise_stand_for_all_of_them() -> None:
    changed = apply_settings(
        config(), ["student.steps=9", "select.threshold=0.7", "noise.flip=false", "generations.1.student.steps=8"]
    )
    assert [generation.student.steps for generation in changed.generations] == [9, 8]  # the later one counts
    assert [generation.select.threshold for generation in changed.generations] == [0.7, 0.7]
    assert not any(t.noise.flip for t in (changed.teacher, *(g.student for g in changed.generations)))
    assert changed.teacher.steps == 1000


def test_a_section_can_be_switched_off_and_on() -> None:
    off = apply_settings(config(), ["student.noise.randaugment=false"])
    assert all(generation.student.noise.randaugment is None for generation in off.generations)
    assert off.teacher.noise.randaugment == RandAugment()
    on = apply_settings(off, ["student.noise.randaugment=true"])
    assert on == config()
    for settings in ([], ["student.noise.randaugment=false"]):  # off in a file, or by a setting before
        with_magnitude = apply_settings(off, [*settings, "student.noise.randaugment.magnitude=4"])
        assert all(g.student.noise.randaugment == RandAugment(magnitude=4) for g in with_magnitude.generations)


def test_generation_stands_for_every_generation() -> None:
    noised = apply_settings(config(), ["generation.noised_teacher=true"])
    assert [generation.noised_teacher for generation in noised.generations] == [True] * len(config().generations)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("teacher.steps", "write KEY=VALUE"),
        ("=3", "write KEY=VALUE"),
        ("teacher.stps=3", "there is no teacher.stps; did you mean 'steps'?"),
        ("techer.steps=3", "there is no techer; did you mean 'teacher'?"),
        ("student.noise.flp=true", "did you mean 'flip'?"),
        ("generations.2.student.steps=3", "there is no generations.2: there are 2, counted from 0"),
        ("generations.x.student.steps=3", "there is no generations.x"),
        ("teacher.steps.x=1", "teacher.steps has no settings below it"),
        ("teacher.steps.x.y=1", "has no settings below it"),
        ("teacher.model.e.f=1", "has no settings below it"),
        ("teacher.steps=1.5", "teacher.steps = 1.5: input should be a valid integer"),
        (
            "select.per_class=-3",
            "generations.0.select.per_class = -3: should be a whole number from 0 on, a share between 0 and 1, or 'mean'",
        ),
        ("select.per_class=1.5", "generations.0.select.per_class = 1.5: should be a whole number from 0 on, a share"),
        ("select.per_class=true", "generations.0.select.per_class = True: should be"),
        ("execution.precision=fp16", "input should be 'fp32', 'bf16' or 'auto'"),
        ("student.unlabeled_ratio=0", "student 1 would see no pseudo-label"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_right(setting: str, message: str) -> None:
    found = mistakes(lambda: apply_settings(config(), [setting]))
    assert any(message in problem for problem in found), found
    assert all(problem.startswith("--set") for problem in found)


def test_several_settings_turn_a_section_on_that_was_off() -> None:
    off = apply_settings(config(), ["noise.randaugment=false"])
    on = apply_settings(off, ["noise.randaugment.magnitude=5", "noise.randaugment.num_ops=1"])
    found = on.generations[0].student.noise.randaugment
    assert found is not None
    assert (found.magnitude, found.num_ops) == (5, 1)
    assert mistakes(lambda: apply_settings(off, ["teacher.noise.randaugment.magnitud=5"])) == [
        "--set teacher.noise.randaugment.magnitud=5: there is no teacher.noise.randaugment.magnitud; did you mean 'magnitude'?"
    ]


def test_all_wrong_settings_are_named_at_once() -> None:
    found = mistakes(lambda: apply_settings(config(), ["a.b=1", "teacher.steps=2", "teacher.stps=3", "x"]))
    assert [problem.split(":")[0] for problem in found] == ["--set a.b=1", "--set teacher.stps=3", "--set x"]


def test_student_settings_without_a_student_are_not_swallowed() -> None:
    alone = Config(teacher=Training(model="x"))
    for setting in ("student.steps=3", "select.threshold=0.5"):
        assert "no generation" in mistakes(lambda setting=setting: apply_settings(alone, [setting]))[0]


def test_a_setting_does_not_change_the_configuration_it_starts_from() -> None:
    original = config()
    apply_settings(original, ["teacher.steps=1", "teacher.model_args.x=1", "noise.flip=false"])
    assert original == config()
