"""The ablations that are a stage's: a warm start, a noised teacher, fewer unlabeled images."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from user_inputs import quick, write_images

from noisystudent.config import Config, Noise, RandAugment, Training
from noisystudent.data.parts import read_parts
from noisystudent.errors import UserError
from noisystudent.models.classifier import build_classifier
from noisystudent.pipeline import run
from noisystudent.pseudo.noised_teacher import noised_teacher
from noisystudent.pseudo.selections import read_selection
from noisystudent.run_plan import baseline_training
from noisystudent.rundir import RunDir
from noisystudent.stages.networks import check_networks
from noisystudent.stages.pseudo_labels import selected_examples


def config(folder: Path, *settings: str) -> Config:
    images = write_images(folder)
    sources = {"labeled": str(images.labeled), "unlabeled": str(images.unlabeled), "test": str(images.test)}
    plain = quick("baseline=false", "data.val_fraction=0.0", *settings, generations=1)
    return plain.model_copy(update={"data": plain.data.model_copy(update=sources)})


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model" / "model.safetensors")


STANDING_STILL = ("student.steps=1", "student.learning_rate=1e-12", "student.ema_decay=0.0", "student.warmup_steps=0")


@pytest.mark.parametrize("warm", [True, False])
def test_a_warm_student_starts_from_its_teachers_weights(tmp_path: Path, warm: bool) -> None:
    run(config(tmp_path, *STANDING_STILL, f"student.warm_start={str(warm).lower()}"), tmp_path / "run")
    teacher, first = weights(tmp_path / "run" / "gen-0"), weights(tmp_path / "run" / "gen-1")
    learned = [name for name in teacher if name.endswith("weight") and teacher[name].ndim > 1]
    assert learned
    assert all(torch.allclose(teacher[name], first[name], atol=1e-6) for name in learned) == warm


def test_a_warm_start_from_another_network_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    other = config(tmp_path, "student.warm_start=true", "student.model=resnet9_16")
    with pytest.raises(UserError, match=r"generations\.0\.student: warm_start needs the teacher's network"):
        check_networks(other)
    with pytest.raises(UserError, match="the teacher has no teacher"):
        check_networks(config(tmp_path / "b", "teacher.warm_start=true"))


def test_images_that_the_teacher_is_sure_of_are_seen_more_often(tmp_path: Path) -> None:
    out = tmp_path / "run"
    sampled = config(tmp_path, "student.sampling=confidence")
    run(sampled, out)
    selection = read_selection(out / "gen-1" / "selection").table
    examples = selected_examples(RunDir(out), sampled, 1, sampled.generations[0].student)
    assert examples.weights is not None
    np.testing.assert_array_equal(examples.weights, selection["confidence"].to_numpy())
    even = config(tmp_path)
    run(even, tmp_path / "even")
    assert not torch.equal(weights(tmp_path / "even" / "gen-1")["fc.weight"], weights(out / "gen-1")["fc.weight"])
    assert torch.equal(weights(tmp_path / "even" / "gen-0")["fc.weight"], weights(out / "gen-0")["fc.weight"])


def test_the_baseline_never_starts_warm(tmp_path: Path) -> None:
    assert not baseline_training(config(tmp_path, "student.warm_start=true")).warm_start


def test_a_smaller_share_of_the_unlabeled_images_is_a_part_of_a_larger_one(tmp_path: Path) -> None:
    ids = []
    for share in (0.25, 0.5, 1.0):
        out = tmp_path / f"run {share}"
        run(config(tmp_path / str(share), *STANDING_STILL, f"data.unlabeled_fraction={share}"), out)
        ids.append(set(read_parts(out / "gen-1" / "predictions", ["id"])["id"].to_pylist()))
    assert [len(some) for some in ids] == [6, 12, 24]
    assert ids[0] < ids[1] < ids[2]


def test_a_noised_teacher_hands_on_other_labels_the_same_each_time(tmp_path: Path) -> None:
    predicted = []
    for name, noised in (("plain", "false"), ("noised", "true"), ("again", "true")):
        settings = (*STANDING_STILL, f"generations.0.noised_teacher={noised}", "teacher.drop_rate=0.5")
        run(config(tmp_path / name, *settings), tmp_path / f"run {name}")
        table = read_parts(tmp_path / f"run {name}" / "gen-1" / "predictions", ["confidence"])
        predicted.append(table["confidence"].to_numpy())
    assert np.array_equal(predicted[1], predicted[2])
    assert not np.allclose(predicted[0], predicted[1], atol=1e-3)


TRAINING = Training(
    model="wrn_16_2", image_size=8, drop_rate=0.5, drop_path_rate=0.5, noise=Noise(randaugment=RandAugment())
)


@pytest.mark.parametrize(
    ("settings", "noised"),
    [
        ({}, True),
        ({"drop_rate": 0.0, "drop_path_rate": 0.0}, True),
        ({"drop_path_rate": 0.0, "noise": Noise(crop="none", flip=False, randaugment=None)}, True),
        ({"drop_rate": 0.0, "noise": Noise(crop="none", flip=False, randaugment=None)}, True),
        ({"drop_rate": 0.0, "drop_path_rate": 0.0, "noise": Noise(crop="none", flip=False, randaugment=None)}, False),
    ],
)
def test_each_kind_of_noise_reaches_the_teacher_and_batchnorm_stays(
    tmp_path: Path, settings: dict[str, object], noised: bool
) -> None:
    training = TRAINING.model_copy(update=settings)
    plain = build_classifier(training, class_names=("a", "b"), channels=1, mean=(0.5,), std=(0.2,), seed=1)
    plain.network.eval()
    plain.save(tmp_path / "model")
    images = torch.randint(256, (6, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    teacher = noised_teacher(plain, tmp_path / "model", training, seed=3)
    first, again = teacher.logits(images), teacher.logits(images)
    assert torch.equal(first, again)
    assert torch.allclose(first, plain.logits(images), atol=1e-5) != noised
    after = teacher.network.state_dict()
    assert all(torch.equal(after[name], value) for name, value in plain.network.state_dict().items())
