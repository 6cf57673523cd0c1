"""The resolution fix: after the training, some steps on clean labeled images at the size of use, the first layers frozen."""

import ast
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from user_inputs import quick, write_images

import noisystudent as ns
from noisystudent.config import Config
from noisystudent.errors import UserError
from noisystudent.models.loading import load_classifier
from noisystudent.pipeline import run
from noisystudent.run_plan import baseline_training
from noisystudent.stages import networks
from noisystudent.stages.networks import check_networks
from noisystudent.training.metrics_log import read_metrics
from noisystudent.training.schedule import learning_rate

FIX = (
    "student.resolution_fix.image_size=16",
    "student.resolution_fix.crop_pct=0.5",
    "student.resolution_fix.steps=2",
    "student.resolution_fix.frozen=['features.0']",
    "student.steps=5",
    "student.schedule=constant",
    "student.ema_decay=0.0",
    "execution.log_steps=1",
)


def config(folder: Path, *settings: str) -> Config:
    images = write_images(folder)
    sources = {"labeled": str(images.labeled), "unlabeled": str(images.unlabeled), "test": str(images.test)}
    plain = quick("data.val_fraction=0.0", *FIX, *settings, generations=2)
    return plain.model_copy(update={"data": plain.data.model_copy(update=sources)})


def test_each_student_and_the_baseline_are_fixed_and_the_fixed_network_is_handed_on(tmp_path: Path) -> None:
    settings = config(tmp_path, "student.schedule=linear")
    run(settings, tmp_path / "run")
    student = settings.generations[0].student
    for name in ("gen-1", "gen-2", "baseline"):
        folder = tmp_path / "run" / name
        before, after = (load_file(f / "model/model.safetensors") for f in (folder / "before-resolution-fix", folder))
        moved = {key for key in before if not torch.equal(before[key], after[key])}
        assert not any(key.startswith("features.0.") for key in moved)
        assert any(key.startswith("features.1.") for key in moved)
        assert "fc.weight" in moved
        view = load_classifier(str(folder)).preprocessing
        assert (view.image_size, view.crop_pct) == (16, 0.5)
        assert load_classifier(str(folder / "before-resolution-fix")).preprocessing.image_size == student.image_size
        rates = [line["learning_rate"] for line in read_metrics(folder / "metrics.jsonl") if "loss" in line]
        assert rates == [learning_rate(student, 3), learning_rate(student, 4)]
        assert json.loads((folder / "results.json").read_text())["metrics"]["top1"] >= 0
    assert not (tmp_path / "run" / "gen-0" / "before-resolution-fix").exists()


def test_a_run_that_is_killed_in_the_fix_goes_on_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(tmp_path, "baseline=false")
    run(settings, tmp_path / "whole")
    real = networks.fit

    def killed_after_it(*arguments: object, **options: object) -> object:
        trained = real(*arguments, **options)  # type: ignore[arg-type]
        if options.get("frozen"):
            raise KeyboardInterrupt
        return trained

    with monkeypatch.context() as patched:
        patched.setattr(networks, "fit", killed_after_it)
        with pytest.raises(KeyboardInterrupt):
            run(settings, tmp_path / "broken")
    run(settings, tmp_path / "broken")
    models = [(tmp_path / name / "gen-2/model/model.safetensors").read_bytes() for name in ("whole", "broken")]
    assert models[0] == models[1]


def test_the_fix_sees_clean_labeled_images_alone(tmp_path: Path) -> None:
    training = config(tmp_path).generations[0].student.at_full_resolution()
    assert (training.image_size, training.steps, training.unlabeled_ratio) == (16, 2, 0.0)
    assert not training.noise.flip
    assert (training.noise.crop, training.noise.randaugment, training.noise.cutout) == ("none", None, 0)


def test_the_baseline_is_fixed_as_the_last_student_is(tmp_path: Path) -> None:
    settings = config(tmp_path)
    assert baseline_training(settings).resolution_fix == settings.generations[-1].student.resolution_fix


def test_modules_that_the_network_does_not_have_are_named_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        check_networks(config(tmp_path, "student.resolution_fix.frozen=['feature.0', 'fc']"))
    assert caught.value.problems[0] == (
        "generations.0.student: resolution_fix.frozen: resnet9_8 has no module feature.0; did you mean features.0"
    )


def test_a_fix_longer_than_the_schedule_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"generations\.0\.student: resolution_fix\.steps is 6, more than its 5 steps"):
        config(tmp_path, "student.resolution_fix.steps=6")


@pytest.mark.parametrize(
    "suites", [pytest.param("['c','adversarial','calibration']", marks=pytest.mark.slow), "['adversarial']"]
)
def test_a_row_speaks_of_one_network(tmp_path: Path, suites: str) -> None:
    """Corruptions are those of the network before its fix, in rows of their own; attacks and calibration of the one handed on."""
    results = run(config(tmp_path, f"robustness={suites}"), tmp_path / "run")
    rows = {row["name"]: row["metrics"] for row in results["rows"]}
    before = {row["name"]: row["metrics"] for row in results.get("before_resolution_fix", ())}
    assert list(rows) == ["teacher", "student 1", "student 2", "baseline"]
    measured = [(rows["student 2"], "model", {"adversarial", "calibration"})]
    if "'c'" in suites:
        measured.append((before["student 2 before the resolution fix"], "before-resolution-fix/model", {"c"}))
    for metrics, model, allowed in measured:
        asked = [suite for suite in ast.literal_eval(suites) if suite in allowed]
        alone = ns.evaluate(str(tmp_path / "run/gen-2" / model), str(tmp_path / "test"), suites=["clean", *asked])
        shared = metrics.keys() & alone["metrics"].keys() - {"top5"}
        assert {
            "top1",
            *({"mce"} if "c" in asked else ()),
            *({"fgsm_eps16"} if "adversarial" in asked else ()),
        } <= shared
        assert {key: metrics[key] for key in shared} == pytest.approx({key: alone["metrics"][key] for key in shared})
        assert ("mce" in metrics, "fgsm_eps16" in metrics) == ("c" in asked, "adversarial" in asked)
    networks = ["student 2 before the resolution fix", "baseline before the resolution fix"]
    assert list(before) == (networks if "'c'" in suites else [])
    page = (tmp_path / "run/report.html").read_text()
    assert ("before their resolution fix, as in the paper" in page) == ("'c'" in suites)
