import tomllib
from pathlib import Path
from typing import Any

import pytest

from noisystudent import recipes
from noisystudent.config import (
    Config,
    Data,
    Generation,
    Noise,
    RandAugment,
    Selection,
    Training,
    load_config,
)
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


@pytest.mark.parametrize("name", list(recipes.RECIPES))
def test_every_recipe_survives_toml(name: str) -> None:
    original = recipes.recipe(name)
    assert Config.from_toml(original.to_toml()) == original
    assert original.differences(Config.from_toml(original.to_toml())) == []


def test_toml_is_complete_and_keeps_every_kind_of_value() -> None:
    original = config(
        seed=3,
        baseline=False,
        data=Data(labeled='a "quoted" \\ path\né', channels=1, val_fraction=0.25),
    ).model_copy(
        update={
            "teacher": Training(
                model="resnet9_16",
                model_args={"blocks": [0, 1, 0], "act": "gelu", "flag": False, "nested": {"x": 1.5}},
                noise=Noise(crop="random-resized", crop_scale=(0.2, 0.9), randaugment=None),
            )
        }
    )
    assert Config.from_toml(original.to_toml()) == original
    plain = tomllib.loads(original.to_toml())
    assert plain["teacher"]["noise"]["randaugment"] is False
    assert plain["data"]["channels"] == 1
    assert set(plain) == set(Config.model_fields)
    assert set(plain["teacher"]) == set(Training.model_fields)
    assert set(plain["generations"][1]["select"]) == set(Selection.model_fields)


def test_a_file_names_what_differs_from_the_defaults_only(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        """
        seed = 5
        [teacher]
        model = "resnet18"
        noise.randaugment = true
        [[generations]]
        student = {model = "resnet34", unlabeled_ratio = 2, noise = {randaugment = false, flip = false}}
        select = {per_class = "mean", threshold = 0}
        """
    )
    loaded = load_config(path)
    assert loaded.teacher == Training(model="resnet18")
    assert loaded.generations == (
        Generation(
            student=Training(model="resnet34", unlabeled_ratio=2.0, noise=Noise(randaugment=None, flip=False)),
            select=Selection(per_class="mean", threshold=0.0),
        ),
    )
    assert loaded.seed == 5


def test_all_mistakes_are_told_at_once_with_the_nearest_names(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(
        """
        sed = 1
        seed = -1
        [data]
        labled = "x"
        channels = 2
        [teacher]
        model = "resnet18"
        steps = "many"
        optimiser = "sgd"
        learning_rate = nan
        [[generations]]
        [generations.student.noise.randaugment]
        magnitud = 3
        [generations.select]
        per_class = "most"
        """
    )
    found = mistakes(lambda: load_config(path))
    assert all(problem.startswith(f"{path}: ") for problem in found)
    for expected in (
        "unknown key sed; did you mean 'seed'?",
        "seed = -1: input should be greater than or equal to 0",
        "unknown key data.labled; did you mean 'labeled'?",
        "data.channels = 2: input should be 1 or 3",
        "teacher.steps = 'many': input should be a valid integer",
        "unknown key teacher.optimiser; did you mean 'optimizer'?",
        "teacher.learning_rate = nan: input should be a finite number",
        "generations.0.student.model is missing",
        "unknown key generations.0.student.noise.randaugment.magnitud; did you mean 'magnitude'?",
        "generations.0.select.per_class = 'most': should be a whole number from 0 on, a share between 0 and 1, or 'mean'",
    ):
        assert sum(expected in problem for problem in found) == 1, expected
    assert len(found) == 10


def test_a_key_like_no_other_is_answered_with_all_there_are() -> None:
    found = mistakes(lambda: Config.from_toml("[teacher]\nmodel = 'x'\n[execution]\nzzzzz = 1"))
    assert found[0].startswith("the configuration: unknown key execution.zzzzz (there are: device, precision, ")


def test_a_student_without_pseudo_labels_is_a_mistake() -> None:
    text = "[teacher]\nmodel='x'\n[[generations]]\nstudent.model='x'\nstudent.unlabeled_ratio=1\n"
    text += "[[generations]]\nstudent.model='x'"
    found = mistakes(lambda: Config.from_toml(text))
    assert found == [
        "the configuration: generations.1.student.unlabeled_ratio is 0: student 2 would see no pseudo-label"
    ]


def test_files_that_cannot_be_read_are_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("a = ")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    assert "is not TOML" in mistakes(lambda: load_config(tmp_path / "bad.toml"))[0]
    (tmp_path / "bad.toml").write_text("seed = 1\nteacher = = 3\n")
    assert "line 2, column 11" in mistakes(lambda: load_config(tmp_path / "bad.toml"))[0]
    for name in ("missing.toml", "binary.toml"):
        assert f"{tmp_path / name}: cannot be read" in mistakes(lambda name=name: load_config(tmp_path / name))[0]


def test_differences_name_both_sides_and_leave_execution_out() -> None:
    mine = apply_settings(config(), ["teacher.steps=1", "execution.device=cpu", "noise.randaugment=false"])
    assert "teacher.steps: 1, not 1000" in mine.differences(config())
    assert not any("execution" in line for line in mine.differences(config()))
    assert any(line.startswith("teacher.noise.randaugment") for line in mine.differences(config()))
    assert apply_settings(config(), ["execution.workers=7"]).differences(config()) == []


def test_a_removed_generation_is_a_difference() -> None:
    shorter = config().model_copy(update={"generations": config().generations[:1]})
    assert any(line.startswith("generations.1.student.model: 'absent', not") for line in shorter.differences(config()))


def test_defaults_are_the_papers_where_the_documentation_says_so() -> None:
    # Spec 1.2 and 2.1: soft labels, threshold 0.3, two operations, decay 0.97.
    training = Training(model="x")
    assert training.pseudo_labels == "soft"
    assert training.decay_rate == 0.97
    assert Selection().threshold == 0.3
    assert RandAugment().num_ops == 2


def test_values_do_not_change_once_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        config().teacher.steps = 3


def test_a_ratio_that_is_no_image_a_step_is_refused_and_what_it_advises_is_one() -> None:
    with pytest.raises(UserError, match=r"generations\.0\.student: unlabeled_ratio is 1e-09.*at 0\.0156 there is one"):
        apply_settings(recipes.recipe("digits"), ["student.batch_size=64", "student.unlabeled_ratio=1e-9"])
    assert Training(model="resnet18", batch_size=64, unlabeled_ratio=0.0156).unlabeled_batch_size == 1
