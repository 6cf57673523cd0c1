"""A dry run: what it counts follows from the settings, and it finds what a run would stumble over."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from noisystudent.config import Config, Data, Generation, Noise, Training
from noisystudent.dry_run import _SavedForBackward, dry_run
from noisystudent.errors import UserError


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
    assert plan["class_names"] == ["cat", "dog"]
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


def test_what_is_kept_for_the_backward_pass_is_counted_once() -> None:
    network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    saved = _SavedForBackward(network)
    images = torch.zeros(3, 4)
    with saved:
        network(images)
    # A linear layer keeps its input; ReLU keeps its output, which is the next layer's input.
    assert saved.bytes == 4 * (3 * 4 + 3 * 8)


def test_unreadable_images_of_the_sample_are_named(pictures: Path) -> None:
    (pictures / "cat" / "broken.png").write_bytes(b"no picture")
    plan = dry_run(config(pictures, baseline=False))
    assert [row["id"] for row in plan["unreadable"]["unlabeled"]] == ["cat/broken.png"]
    assert [row["name"] for row in plan["networks"]] == ["teacher", "student 1"]


def test_everything_wrong_is_named_as_in_a_run(pictures: Path) -> None:
    wrong = config(pictures).model_copy(update={"data": Data(labeled=str(pictures / "none"), channels=1)})
    with pytest.raises(UserError) as caught:
        dry_run(wrong)
    assert len(caught.value.problems) == 2
