"""A dry run: what it counts follows from the settings, and it finds what a run would stumble over."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from noisystudent.config import Config, Data, Generation, Noise, ResolutionFix, Selection, Training
from noisystudent.dry_run import dry_run
from noisystudent.errors import UserError
from noisystudent.screen import show_dry_run
from noisystudent.trial import Cost


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    for number in range(12):
        folder = tmp_path / ("cat" if number % 2 else "dog")
        folder.mkdir(exist_ok=True)
        Image.fromarray(draw.integers(0, 256, (8, 8), dtype=np.uint8)).save(folder / f"{number}.png")
    return tmp_path


def config(pictures: Path, **settings: object) -> Config:
    teacher = Training(
        model="resnet9_8",
        image_size=8,
        steps=30,
        batch_size=5,
        warmup_steps=3,
        learning_rate=0.3,
        noise=Noise(crop_padding=1, cutout=2),
    )
    student = teacher.model_copy(update={"unlabeled_ratio": 3.0, "optimizer": "adamw"})
    data = Data(labeled=str(pictures), unlabeled=str(pictures), channels=1, val_fraction=1 / 6)
    return Config(data=data, teacher=teacher, generations=(Generation(student=student),), **settings)  # type: ignore[arg-type]


def test_steps_images_and_rates_follow_from_the_settings(pictures: Path) -> None:
    plan = dry_run(config(pictures))
    assert plan["images"] == {"labeled": 10, "unlabeled": 12, "val": 2}
    assert [row["name"] for row in plan["classes"]] == ["cat", "dog"]
    assert not any(plan["unreadable"].values())
    teacher, student, baseline = plan["networks"]
    assert [row["name"] for row in plan["networks"]] == ["teacher", "student 1", "baseline"]
    assert (teacher["images"], teacher["label_epochs"]) == (150, 15)
    assert (student["labeled_batch"], student["unlabeled_batch"], student["images"]) == (5, 15, 600)
    assert (baseline["labeled_batch"], baseline["unlabeled_batch"], baseline["label_epochs"]) == (20, 0, 60)
    assert teacher["highest_rate"] == 0.3
    assert teacher["last_rate"] == pytest.approx(0.3 / 27)
    assert plan["seconds"] == pytest.approx(sum(row["seconds"] for row in plan["networks"]))
    assert all(row["seconds"] > 0 for row in plan["networks"])
    # Four times the batch keeps four times as much for the backward pass; the weights are the same.
    weights = 4 * 3 * teacher["parameters"]
    assert student["memory"] > baseline["memory"] - 4 * teacher["parameters"] * 2 > teacher["memory"] > weights
    assert sorted(path.name for path in pictures.iterdir()) == ["cat", "dog"]


def test_networks_that_cost_the_same_are_tried_once(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def count(training: Training, *_: object) -> Cost:
        tried.append(training.optimizer)
        return Cost(10, 100, 1000, 1e6, 0.5, 0.25)

    monkeypatch.setattr("noisystudent.estimate.cost_an_image", count)
    plan = dry_run(config(pictures))
    assert tried == ["sgd", "adamw"]
    teacher, student, baseline = plan["networks"]
    assert teacher["seconds"] == 150 * 0.5 + 12 * 0.25
    assert (student["seconds"], baseline["seconds"]) == (600 * 0.5, 600 * 0.5)
    assert student["memory"] == 100 + 1000 * 20


def test_a_resolution_fix_is_a_training_of_its_own_and_labels(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("noisystudent.estimate.cost_an_image", lambda *_: Cost(10, 100, 1000, 1e6, 0.5, 0.25))
    plain = config(pictures, baseline=False)
    fix = ResolutionFix(image_size=16, steps=3)
    fixed = plain.model_copy(update={"teacher": plain.teacher.model_copy(update={"resolution_fix": fix})})
    teacher, last, student = dry_run(fixed)["networks"]
    assert [row["name"] for row in (teacher, last, student)] == ["teacher", "teacher at 16 px", "student 1"]
    assert (last["image_size"], last["steps"], last["images"], last["unlabeled_batch"]) == (16, 3, 15, 0)
    assert last["highest_rate"] == pytest.approx(3 * last["last_rate"])
    assert (teacher["seconds"], last["seconds"]) == (150 * 0.5, 15 * 0.5 + 12 * 0.25)


def test_a_network_that_fits_at_no_size_has_no_time_and_the_run_none(
    pictures: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("noisystudent.estimate.cost_an_image", lambda *_: Cost(10, 100, 1000, 1e6))
    plan = dry_run(config(pictures))
    assert [row["seconds"] for row in plan["networks"]] == [None] * 3
    assert plan["seconds"] is None
    show_dry_run(plan)
    assert "it does not fit into the memory here" in " ".join(capsys.readouterr().out.split())


def test_unreadable_images_of_the_sample_are_named(pictures: Path) -> None:
    (pictures / "cat" / "broken.png").write_bytes(b"no picture")
    plan = dry_run(config(pictures, baseline=False))
    assert [row["id"] for row in plan["unreadable"]["unlabeled"]] == ["cat/broken.png"]
    assert [row["name"] for row in plan["networks"]] == ["teacher", "student 1"]


def test_a_run_without_students_needs_no_unlabeled_images(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("noisystudent.estimate.cost_an_image", lambda *_: Cost(10, 100, 1000, 1e6, 0.5, 0.25))
    whole = config(pictures)
    alone = {"data": whole.data.model_copy(update={"unlabeled": ""}), "generations": ()}
    assert [row["name"] for row in dry_run(whole.model_copy(update=alone))["networks"]] == ["teacher"]


def test_what_is_left_out_of_a_source_is_said_once(
    pictures: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("noisystudent.estimate.cost_an_image", lambda *_: Cost(10, 100, 1000, 1e6, 0.5, 0.25))
    (pictures / "cat" / "a.psd").write_bytes(b"8BPS")
    plan = dry_run(config(pictures))  # the labeled images are the unlabeled ones too
    assert plan["warnings"][0] == f"{pictures}: left out: 1 .psd file: convert them to PNG or JPEG"
    assert caplog.messages.count(plan["warnings"][0]) == 1


def test_everything_wrong_is_named_as_in_a_run(pictures: Path) -> None:
    wrong = config(pictures).model_copy(update={"data": Data(labeled=str(pictures / "none"), channels=1)})
    with pytest.raises(UserError) as caught:
        dry_run(wrong)
    assert len(caught.value.problems) == 2


def test_where_a_selection_is_kept_no_other_image_is_labeled(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second an image labeled, nothing for training: the seconds are the images."""
    cost = Cost(10, 100, 1000, 1e6, 0.0, 1.0)
    monkeypatch.setattr("noisystudent.estimate.cost_an_image", lambda *_: cost)
    student = config(pictures).generations[0].student
    select = Selection(per_class=4)
    kept = select.model_copy(update={"reassign": True})
    chain = tuple(Generation(student=student, select=each) for each in (select, kept, select))
    plan = dry_run(config(pictures).model_copy(update={"generations": chain}))
    assert [row["seconds"] for row in plan["networks"]] == [12, 2 * 4, 12, 0, 0]
