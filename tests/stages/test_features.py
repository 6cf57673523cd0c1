"""Linear classifiers on a pretrained network as it is: beside the others, as the teacher, as students, and as where students start."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from user_inputs import quick, write_images

from noisystudent.commands import evaluate
from noisystudent.config import Config
from noisystudent.config.settings import apply_settings
from noisystudent.data.parts import read_parts
from noisystudent.dry_run import dry_run
from noisystudent.errors import UserError
from noisystudent.models.classifier import Classifier
from noisystudent.pipeline import run
from noisystudent.report.run_reader import read_run
from noisystudent.run_plan import features_folder, run_networks, run_stages
from noisystudent.rundir import RunDir
from noisystudent.stages import features


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A run whose network is pretrained: from a file, with weights that nobody trained."""
    images = write_images(tmp_path)
    torch.manual_seed(0)
    save_file(timm.create_model("test_resnet").state_dict(), tmp_path / "weights.safetensors")
    sources = {"labeled": str(images.labeled), "unlabeled": str(images.unlabeled), "test": str(images.test)}
    plain = quick("data.val_fraction=0.0", generations=2)
    plain = plain.model_copy(update={"data": plain.data.model_copy(update=sources)})
    network = ["model=test_resnet", "model_args={}", "image_size=32", "pretrained=true"]
    network.append(f"weights={tmp_path / 'weights.safetensors'}")
    return apply_settings(plain, [f"{who}.{setting}" for who in ("teacher", "student") for setting in network])


def rows(out: Path) -> dict[str, dict]:
    return {row["name"]: row for row in json.loads((out / "results.json").read_text())["rows"]}


def body(out: Path) -> dict[str, torch.Tensor]:
    return {n: t for n, t in load_file(out / "model" / "model.safetensors").items() if not n.startswith("fc.")}


FROZEN_TEACHER = ["teacher.start=probe", "teacher.steps=0"]
FROZEN_STUDENTS = ["student.start=probe", "student.steps=0"]


def test_a_pretrained_run_has_a_row_of_frozen_features(config: Config, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(config, out)
    found = rows(out)
    assert list(found) == ["frozen features", "teacher", "student 1", "student 2", "baseline"]
    assert found["frozen features"]["n"] == 16
    pretrained = load_file(tmp_path / "weights.safetensors")
    assert all(torch.equal(tensor, pretrained[name]) for name, tensor in body(out / "frozen").items())
    # It is a classifier like any other: what its folder answers is what the run measured on the embedded images.
    again = evaluate(out / "frozen", config.data.test, execution=config.execution)
    assert again["metrics"]["top1"] == found["frozen features"]["metrics"]["top1"]
    assert again["metrics"]["nll"] == pytest.approx(found["frozen features"]["metrics"]["nll"], abs=0.01)
    assert "frozen features" in (out / "report.html").read_text()
    # Nothing labels with it, so that the many images without labels are not embedded.
    assert sorted(path.name for path in (out / features_folder(config.teacher)).iterdir()) == ["labeled", "test"]


def test_the_row_can_be_left_out(config: Config, tmp_path: Path) -> None:
    run(apply_settings(config, ["frozen_features=false", "generations.1.student.steps=1"]), tmp_path / "run")
    assert "frozen features" not in rows(tmp_path / "run")
    assert not (tmp_path / "run" / "features").exists()


def test_generations_in_feature_space_train_no_network_and_look_at_images_once(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = apply_settings(config, [*FROZEN_TEACHER, *FROZEN_STUDENTS, "data.score_pseudo_labels=true"])
    embedded: list[int] = []
    written = features.write_features
    monkeypatch.setattr(
        features,
        "write_features",
        lambda c, images, *a, **k: embedded.append(len(images)) or written(c, images, *a, **k),
    )
    out = tmp_path / "run"
    run(frozen, out)
    assert embedded == [20, 16, 24]
    found = rows(out)
    assert list(found) == ["frozen features", "student 1", "student 2"]  # a baseline would be the first again
    for number in (0, 1, 2):
        assert all(torch.equal(t, body(out / "gen-0")[n]) for n, t in body(out / f"gen-{number}").items())
        assert not (out / f"gen-{number}" / "checkpoints").exists()
    table = read_parts(out / "gen-1" / "predictions", ["id", "confidence", "dhash"])
    assert len(table) == 24
    assert pq.read_table(out / "gen-2" / "selection" / "selection.parquet").num_rows > 0
    report = (out / "report.html").read_text()
    assert "The whole run took" in report
    assert "Learning curves" not in report
    assert json.loads((out / "results.json").read_text())["cost"]["training_pflop"] == 0
    assert sorted(json.loads(p.read_text())["seconds"] > 0 for p in (out / ".stages").glob("features*")) == [True, True]


def test_a_probe_is_the_start_of_a_training(config: Config, tmp_path: Path) -> None:
    standing = ["student.start=probe", "student.steps=1", "student.learning_rate=1e-12", "student.ema_decay=0.0"]
    both = apply_settings(config, [*FROZEN_TEACHER, *standing, "baseline=false"])
    run(both, tmp_path / "run")
    run(apply_settings(both, FROZEN_STUDENTS), tmp_path / "frozen")
    heads = [
        load_file(tmp_path / name / "gen-1" / "model" / "model.safetensors")["fc.weight"] for name in ("run", "frozen")
    ]
    assert torch.allclose(*heads, atol=1e-5)
    assert heads[0].abs().max() > 0


def test_stages_are_planned_as_they_are_done(config: Config, tmp_path: Path) -> None:
    for number, settings in enumerate(
        ([], FROZEN_TEACHER, [*FROZEN_TEACHER, *FROZEN_STUDENTS], ["student.start=probe"])
    ):
        out = tmp_path / f"run-{number}"
        asked = apply_settings(config, settings)
        run(asked, out)
        assert read_run(out).missing == []
        done = {path.stem.replace(".", "/") for path in (out / ".stages").glob("*.json")}
        assert done == set(run_stages(asked))
        assert [network.name for network in run_networks(asked)] == list(rows(out))


def test_a_run_that_is_killed_while_it_embeds_goes_on_to_the_same_classifiers(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = apply_settings(
        config, [*FROZEN_TEACHER, *FROZEN_STUDENTS, "execution.part_rows=7", "execution.label_batch_size=7"]
    )
    run(frozen, tmp_path / "whole")
    embed, calls = Classifier.features, 0

    class Killed(BaseException):
        pass

    def killed(classifier: Classifier, images: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if (
            calls == 9
        ):  # one to look at the network, three of labeled and three of test images, and the first without labels
            raise Killed
        return embed(classifier, images)

    monkeypatch.setattr(Classifier, "features", killed)
    with pytest.raises(Killed):
        run(frozen, tmp_path / "broken")
    parts = tmp_path / "broken" / features_folder(frozen.teacher) / "unlabeled"
    assert [path.name for path in parts.glob("*.parquet")] == ["part-00000.parquet"]
    monkeypatch.setattr(Classifier, "features", lambda *given: first.append(1) or embed(*given))
    first: list[int] = []
    run(frozen, tmp_path / "broken")
    assert len(first) == 3  # the parts that were not there
    for number in (0, 1, 2):
        whole, broken = (
            load_file(tmp_path / n / f"gen-{number}" / "model" / "model.safetensors") for n in ("whole", "broken")
        )
        assert all(torch.equal(whole[name], broken[name]) for name in whole)


def test_one_image_a_class_has_no_cross_validation_and_works(config: Config, tmp_path: Path) -> None:
    few = tmp_path / "few"
    for kind in Path(config.data.labeled).iterdir():
        (few / kind.name).mkdir(parents=True)
        first = sorted(kind.iterdir())[0]
        (few / kind.name / first.name).write_bytes(first.read_bytes())
    run(apply_settings(config, [*FROZEN_TEACHER, *FROZEN_STUDENTS, f"data.labeled={few}"]), tmp_path / "run")
    assert np.isfinite(rows(tmp_path / "run")["student 2"]["metrics"]["nll"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["teacher.steps=0"], "steps is 0, and nothing would be learned"),
        (["teacher.start=probe", "teacher.pretrained=false"], "pretrained is false"),
        (["student.start=probe", "student.warm_start=true"], "warm_start takes the teacher's last layer"),
        ([*FROZEN_TEACHER, "generations.0.noised_teacher=true"], "embedded|without noise"),
    ],
)
def test_what_cannot_be_is_refused(config: Config, settings: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        apply_settings(config, settings)


def test_a_dry_run_counts_the_images_that_are_embedded(config: Config) -> None:
    plan = dry_run(apply_settings(config, [*FROZEN_TEACHER, *FROZEN_STUDENTS]))
    assert [row["name"] for row in plan["networks"]] == ["frozen features", "student 1", "student 2"]
    assert plan["networks"][0]["seconds"] > 0
    assert plan["networks"][1]["seconds"] == 0


KNOWN = ["known_classes.generations=[0.5, 'mean']"]


@pytest.mark.parametrize("known", [True, False])
def test_where_frozen_features_suffice_on_the_labels_no_network_is_trained(
    config: Config, tmp_path: Path, known: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="noisystudent")
    asked = apply_settings(config, [*KNOWN, "baseline=false"])
    if not known:  # classes that nobody can tell apart
        for kind in sorted(Path(config.data.labeled).iterdir()):
            for number, picture in enumerate(sorted(kind.iterdir())):
                mixed = tmp_path / "mixed" / str(number % 2)
                mixed.mkdir(parents=True, exist_ok=True)
                picture.rename(mixed / f"{kind.name}-{picture.name}")
        asked = apply_settings(asked, [f"data.labeled={tmp_path / 'mixed'}", "data.test=''"])
    out = tmp_path / "run"
    run(asked, out)
    found = rows(out)
    trained = [name for name in found if (out / found[name]["provenance"]["folder"] / "metrics.jsonl").exists()]
    assert list(found) == ["frozen features", *([] if known else ["teacher"]), "student 1", "student 2"]
    assert trained == ([] if known else ["teacher", "student 1", "student 2"])
    said = [
        sentence
        for sentence in json.loads((out / "results.json").read_text())["answer"]["more"]
        if "Frozen" in sentence
    ]
    assert len(said) == 1
    assert ("knows these classes" in said[0]) == known
    assert said[0].split(",")[0] in caplog.text.replace("\n", " ")
    assert said[0].split(",")[0] in (out / "report.html").read_text()
    again = read_run(out)
    assert again.missing == []
    assert [network.name for network in again.networks] == list(found)
    run(asked, out)  # nothing is done anew
    assert rows(out) == found


def test_known_classes_need_a_pretrained_teacher(config: Config) -> None:
    with pytest.raises(UserError, match="known_classes: the teacher is not pretrained: set known_classes=false"):
        apply_settings(config, [*KNOWN, "teacher.pretrained=false"])


def test_labels_out_of_balance_are_balanced_in_fits_and_in_batches(config: Config, tmp_path: Path) -> None:
    few = sorted(sorted(Path(config.data.labeled).iterdir())[1].iterdir())[2:]
    for picture in few:
        picture.unlink()
    predicted = {}
    for balance in ("none", "sampling", "logits"):
        settings = [
            *FROZEN_TEACHER,
            "student.steps=2",
            f"teacher.class_balance={balance}",
            f"student.class_balance={balance}",
        ]
        run(apply_settings(config, [*settings, "baseline=false"]), tmp_path / balance)
        table = pq.read_table(tmp_path / balance / "gen-0" / "evaluation" / "test.parquet")
        predicted[balance] = int((table["predicted"].to_numpy() == 1).sum())
    # The class of two images is found no less often than without, and in the mean as often as the other.
    assert predicted["none"] <= predicted["sampling"]
    assert predicted["none"] <= predicted["logits"]
    states = [load_file(tmp_path / b / "gen-1" / "model" / "model.safetensors")["fc.weight"] for b in predicted]
    assert not torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_adjusted_logits_need_joint_batches(config: Config) -> None:
    with pytest.raises(UserError, match="class_balance = logits needs joint = true"):
        apply_settings(config, ["student.class_balance=logits", "student.joint=false"])


def test_a_resolution_fix_goes_on_from_what_a_probe_started(config: Config, tmp_path: Path) -> None:
    fix = ["student.resolution_fix.image_size=64", "student.resolution_fix.steps=1", "student.learning_rate=1e-12"]
    asked = [*FROZEN_TEACHER, "student.start=probe", "student.steps=1", "student.ema_decay=0.0", *fix, "baseline=false"]
    run(apply_settings(config, asked), tmp_path / "run")
    before, fixed = (tmp_path / "run" / "gen-1" / name for name in ("before-resolution-fix", "."))
    heads = [load_file(path / "model" / "model.safetensors")["fc.weight"] for path in (before, fixed)]
    assert heads[0].abs().max() > 0
    assert torch.allclose(*heads, atol=1e-6)


def test_a_linear_classifier_and_a_network_that_label_together_are_both_calibrated(
    config: Config, tmp_path: Path
) -> None:
    together = ["generations.0.teachers=['previous', 'frozen']", "generations.0.calibrated=true"]
    run(apply_settings(config, ["data.val_fraction=0.4", *together]), tmp_path / "run")
    record = RunDir(tmp_path / "run").record("gen-1/label")
    assert record is not None
    assert len(set(record["temperatures"])) == 2
