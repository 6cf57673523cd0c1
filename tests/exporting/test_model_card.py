"""The card of a network: what stands in it, and what must not."""

import shutil
from pathlib import Path

import pytest
from huggingface_hub import ModelCard
from run_writer import RunWriter

from noisystudent.config import load_config
from noisystudent.exporting.model_card import as_text, model_card, settings
from noisystudent.models.classifier import Classifier
from noisystudent.report.run_reader import read_run


def test_a_networks_figures_stand_in_the_table_and_in_the_hubs_form(classifier: Classifier, tmp_path: Path) -> None:
    run = read_run(RunWriter(tmp_path / "run").write())
    card = ModelCard(model_card("my model", classifier, run, run.networks[2]))
    assert "| student 2 (this one) | 80.0 | 73.9 to 85.0 | 200 |" in card.text
    assert "| teacher | 60.0 |" in card.text
    assert "from 20 labeled images and 60 without labels" in card.text
    assert run.answer["sentence"] in card.text
    [result] = card.data.eval_results
    assert (result.metric_value, result.dataset_type, result.dataset_split) == (0.8, "custom", "test")


def test_what_is_not_known_is_not_said(classifier: Classifier, tmp_path: Path) -> None:
    alone = ModelCard(model_card("x", classifier, None, None))
    assert "## Results" not in alone.text
    assert "Its accuracy was not measured." in alone.text
    assert alone.data.eval_results is None
    unmeasured = read_run(RunWriter(tmp_path / "run", splits=()).write())
    card = ModelCard(model_card("x", classifier, unmeasured, unmeasured.networks[0]))
    assert "Its accuracy was not measured." in card.text
    assert card.data.eval_results is None


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "[x](javascript:y)", "a\n---\nb: c", "*b* `c` | d"])
def test_names_are_text(classifier: Classifier, name: str) -> None:
    text = ModelCard(model_card(name, classifier, None, None)).text
    assert name not in text
    assert as_text(name) in text.splitlines()[0] or as_text(name) in text
    assert "\\<script\\>\\|" in text  # a class of the network is called so
    assert ModelCard(model_card(name, classifier, None, None)).data.to_dict()["library_name"] == "timm"


def test_the_settings_name_nothing_on_somebodys_machine(tmp_path: Path) -> None:
    folder = RunWriter(tmp_path / "run").write()
    config = load_config(folder / "config.toml")
    (tmp_path / "weights.bin").touch()
    student = config.generations[0].student.model_copy(update={"weights": str(tmp_path / "weights.bin")})
    first = config.generations[0].model_copy(
        update={"student": student, "teachers": ("previous", str(tmp_path / "other run"))}
    )
    places = config.data.model_copy(update={"labeled": str(tmp_path), "test": "/secret"})
    execution = config.execution.model_copy(update={"spill_folder": str(tmp_path), "ray_address": "host:1"})
    config = config.model_copy(update={"generations": (first,), "data": places, "execution": execution})
    written = settings(config)
    assert not any(secret in written for secret in (str(tmp_path), "/secret", "host:1"))
    (tmp_path / "again.toml").write_text(written)
    shutil.rmtree(folder)
    assert load_config(tmp_path / "again.toml").teacher == config.teacher
