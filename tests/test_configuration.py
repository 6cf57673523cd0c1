"""A configuration from a recipe or a file, sources, weights and settings."""

from pathlib import Path

import pytest

from noisystudent.configuration import configure, missing_sources
from noisystudent.errors import UserError
from noisystudent.models.classifier import build_classifier


def test_a_configuration_is_a_recipe_then_the_sources_then_single_settings(tmp_path: Path) -> None:
    chosen = configure("digits", labeled="a", test="t", settings=["data.test=other", "teacher.steps=3"])
    assert (chosen.data.labeled, chosen.data.test, chosen.data.unlabeled) == (str(Path("a").absolute()), "other", "")
    assert chosen.teacher.steps == 3
    assert chosen.recipe == "digits"
    (tmp_path / "mine.toml").write_text(chosen.to_toml())
    assert configure(config=tmp_path / "mine.toml") == chosen
    assert configure(config=tmp_path / "mine.toml", labeled="b").data.labeled == str(Path("b").absolute())
    with pytest.raises(UserError, match="no recipe 'x'"):
        configure("x")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    from noisystudent.config import Training

    training = Training(model="resnet9_8", image_size=8)
    build_classifier(training, class_names=("a", "b"), channels=3, mean=[0.5], std=[0.25], seed=0).save(
        tmp_path / "run" / "model"
    )
    return tmp_path / "run"


def test_a_model_folder_takes_the_place_of_every_network_that_starts_from_weights(model: Path) -> None:
    chosen = configure("photos-fast", weights=model)
    networks = [chosen.teacher, *(generation.student for generation in chosen.generations)]
    assert {network.model for network in networks} == {f"local-dir:{model / 'model'}"}
    assert all(network.pretrained for network in networks)


def test_a_file_of_weights_is_for_the_network_that_the_recipe_names(tmp_path: Path) -> None:
    file = tmp_path / 'my "weights".safetensors'
    file.touch()
    assert configure("photos-fast", weights=file).generations[1].student.weights == str(file)
    mixed = tmp_path / "mixed.toml"
    mixed.write_text(configure("photos-fast", settings=["student.model=tf_efficientnet_lite1"]).to_toml())
    with pytest.raises(
        UserError, match=r"photos-fast.* has tf_efficientnet_lite0 and tf_efficientnet_lite1.*teacher\.weights=FILE"
    ):
        configure(config=mixed, weights=file)


def test_weights_that_are_nowhere_or_for_nobody_are_mistakes(tmp_path: Path, model: Path) -> None:
    with pytest.raises(UserError, match="the path does not exist"):
        configure("photos-fast", weights=tmp_path / "nowhere")
    with pytest.raises(UserError, match="no whole model"):
        configure("photos-fast", weights=tmp_path)
    with pytest.raises(UserError, match="no network of the recipe 'digits' starts from pretrained weights"):
        configure("digits", weights=model)


def test_sources_that_nobody_named_are_all_told() -> None:
    assert [problem.split()[0] for problem in missing_sources(configure("digits"))] == ["--labeled", "--unlabeled"]
    assert missing_sources(configure("digits", labeled="a", unlabeled="b")) == []


def test_the_advice_for_the_default_recipe_works() -> None:
    """Each setting that a message names, given as it says, is what was missing."""
    with pytest.raises(UserError) as caught:
        configure("photos-fast", settings=["teacher.pretrained=false"])
    message = str(caught.value)
    assert "generations.0.teachers: there are no frozen features, since the teacher is not pretrained" in message
    advice = ["generations.0.teachers=['previous']", "known_classes=false"]
    assert "set it to ['previous']" in message
    assert "set known_classes=false" in message
    assert configure("photos-fast", settings=["teacher.pretrained=false", *advice]).known_classes is None


def test_corrections_begin_with_the_configuration_of_the_run_that_was_reviewed(tmp_path: Path) -> None:
    old = configure("digits", labeled="a", unlabeled="b", settings=["teacher.steps=3"])
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.toml").write_text(old.to_toml())
    answers = tmp_path / "answers.csv"
    answers.write_text(f"path,label,run\na.png,cat,{tmp_path}/run\n")
    found = configure(corrections=answers)
    assert found.data == old.data.model_copy(update={"corrections": (str(answers),)})
    assert found.execution.earlier_run == str(tmp_path / "run")
    assert found.teacher == old.teacher
    (tmp_path / "run" / "config.toml").write_text(found.to_toml())
    (tmp_path / "more.csv").write_text(answers.read_text())
    assert configure(corrections=tmp_path / "more.csv").data.corrections == (str(answers), str(tmp_path / "more.csv"))
    own = tmp_path / "own.csv"
    own.write_text("path,label\na.png,cat\n")
    plain = configure("digits", corrections=own, labeled="c")
    assert (plain.data.corrections, plain.execution.earlier_run) == ((str(own),), "")
