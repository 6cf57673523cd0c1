"""Who labels for a generation: the network before, the frozen features, models from elsewhere, several together."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from user_inputs import quick, write_images

from noisystudent.config import Config
from noisystudent.config.settings import apply_settings
from noisystudent.data.images import image_set
from noisystudent.data.manifest import Manifest
from noisystudent.data.parts import read_parts
from noisystudent.errors import UserError
from noisystudent.models.loading import load_classifier
from noisystudent.pipeline import run
from noisystudent.pseudo.temperature import at_temperature, fit_temperature
from noisystudent.rundir import RunDir


@pytest.fixture
def config(tmp_path: Path) -> Config:
    images = write_images(tmp_path)
    sources = {"labeled": str(images.labeled), "unlabeled": str(images.unlabeled), "test": str(images.test)}
    plain = quick("baseline=false", "data.val_fraction=0.0", generations=1)
    return plain.model_copy(update={"data": plain.data.model_copy(update=sources)})


def probabilities(out: Path) -> dict[str, np.ndarray]:
    table = read_parts(out / "gen-1" / "predictions", ["id", "probabilities"])
    return {row["id"]: np.array(row["probabilities"], dtype=np.float64) for row in table.to_pylist()}


def test_a_model_from_elsewhere_labels_with_the_teacher(config: Config, tmp_path: Path) -> None:
    run(config, tmp_path / "alone")
    run(apply_settings(config, ["seed=1"]), tmp_path / "other")
    other = tmp_path / "other" / "gen-0"
    run(apply_settings(config, [f"generations.0.teachers=['previous', '{other}']"]), tmp_path / "both")
    run(apply_settings(config, [f"generations.0.teachers=['{other}']"]), tmp_path / "elsewhere")
    first, second, both = (probabilities(tmp_path / name) for name in ("alone", "elsewhere", "both"))
    theirs = probabilities(tmp_path / "other")
    assert both.keys() == first.keys()
    assert all(np.allclose(second[id], theirs[id], atol=2e-3) for id in second)
    assert all(np.allclose(both[id], (first[id] + second[id]) / 2, atol=2e-3) for id in both)
    teacher = json.loads((tmp_path / "both" / "gen-1" / "selection" / "selection.json").read_text())["teacher"]
    assert [one["sha256"] for one in teacher["teachers"]] == [
        json.loads((tmp_path / name / "gen-1" / "selection" / "selection.json").read_text())["teacher"]["sha256"]
        for name in ("alone", "elsewhere")
    ]
    assert (tmp_path / "both" / "report.html").exists()


def test_votes_make_ones_and_halves(config: Config, tmp_path: Path) -> None:
    run(config, tmp_path / "other")
    teachers = f"generations.0.teachers=['previous', '{tmp_path / 'other' / 'gen-0'}']"
    run(apply_settings(config, [teachers, "generations.0.mean_of=votes", "seed=2"]), tmp_path / "run")
    values = {value for row in probabilities(tmp_path / "run").values() for value in row.tolist()}
    assert values <= {0.0, 0.5, 1.0}


def test_a_teacher_that_cannot_be_is_told_before_anything_is_trained(config: Config, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no model at"):
        run(apply_settings(config, [f"generations.0.teachers=['{tmp_path / 'nowhere'}']"]), tmp_path / "run")
    assert not (tmp_path / "run" / "gen-0").exists()
    with pytest.raises(UserError, match=r"generations\.0\.teachers: there are no frozen features"):
        apply_settings(config, ["generations.0.teachers=['frozen']"])
    with pytest.raises(UserError, match="noised_teacher: only the network before"):
        apply_settings(config, ["generations.0.teachers=['a/b']", "generations.0.noised_teacher=true"])


def test_a_calibrated_teacher_labels_at_the_temperature_that_is_best_on_the_validation_images(
    config: Config, tmp_path: Path
) -> None:
    config = apply_settings(config, ["data.val_fraction=0.4"])
    run(config, tmp_path / "plain")
    run(apply_settings(config, ["generations.0.calibrated=true"]), tmp_path / "calibrated")
    record = RunDir(tmp_path / "calibrated").record("gen-1/label")
    assert record is not None
    [temperature] = record["temperatures"]
    plain, calibrated = (probabilities(tmp_path / name) for name in ("plain", "calibrated"))
    for id, said in plain.items():
        np.testing.assert_allclose(calibrated[id], at_temperature(said[None], temperature)[0], atol=2e-3)
    right = pq.read_table(tmp_path / "plain" / "gen-0" / "evaluation" / "val.parquet")["correct"].to_numpy()
    of_two_classes = np.stack([right, 1 - right], axis=1)
    assert temperature == pytest.approx(fit_temperature(of_two_classes, np.zeros(len(right), dtype=int)), rel=0.01)


def test_without_validation_images_nothing_is_calibrated(config: Config, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"generations\.0\.calibrated: a temperature is fitted on validation images"):
        run(apply_settings(config, ["generations.0.calibrated=true"]), tmp_path / "run")
    assert not (tmp_path / "run" / "gen-0").exists()
    run(apply_settings(config, ["generations.0.calibrated=true", "data.val_fraction=0.2"]), tmp_path / "run")


def test_a_mirrored_teacher_says_the_mean_of_both_views(config: Config, tmp_path: Path) -> None:
    run(config, tmp_path / "plain")
    run(apply_settings(config, ["generations.0.mirrored=true"]), tmp_path / "mirrored")
    teacher = load_classifier(str(tmp_path / "plain" / "gen-0"))
    unlabeled = Manifest.load(tmp_path / "plain" / "data" / "unlabeled.parquet")
    pixels = image_set(unlabeled, teacher.preprocessing, config.execution).fetch(np.arange(len(unlabeled)))
    one, other = (torch.softmax(teacher.logits(view), dim=1).numpy() for view in (pixels, pixels.flip(3)))
    assert not np.allclose(one, other, atol=2e-3)
    said = probabilities(tmp_path / "mirrored")
    for id, expected in zip(unlabeled.ids, (one + other) / 2, strict=True):
        np.testing.assert_allclose(said[id], expected, atol=2e-3)
