"""The commands on files, one at a time; those that train are run in tests/e2e."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from tiny_model import expected, write_cats_and_dogs, write_model

from noisystudent import commands
from noisystudent.config import Config, Execution, Generation, Noise, RandAugment, Selection, Training
from noisystudent.configuration import configure
from noisystudent.errors import UserError
from noisystudent.models.loading import load_classifier
from noisystudent.pseudo.selecting import select
from noisystudent.stages.networks import check_networks

EXECUTION = Execution(device="cpu", labeling_precision="fp32", workers=1, label_batch_size=4)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_cats_and_dogs(tmp_path / "pictures")


def test_label_writes_what_the_network_says_and_who_it_is(model: Path, pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "predictions"
    record = commands.label(str(model), str(pictures), out, execution=EXECUTION)
    assert record["images"] == 7
    ids, probabilities = expected(model, pictures)
    table = pq.read_table(sorted(out.glob("part-*.parquet")))
    assert table["id"].to_pylist() == ids
    assert table["confidence"].to_numpy() == pytest.approx(probabilities.max(axis=1), abs=1e-5)
    teacher = json.loads((out / "teacher.json").read_text())
    assert teacher["class_names"] == ["cat", "dog"]
    assert teacher["architecture"] == "resnet9_8"


def test_label_does_not_mix_the_predictions_of_two_models(model: Path, pictures: Path, tmp_path: Path) -> None:
    commands.label(str(model), str(pictures), tmp_path / "out", execution=EXECUTION)
    commands.label(str(model), str(pictures), tmp_path / "out", execution=EXECUTION)  # the same again goes on
    classifier = load_classifier(str(model))
    classifier.network.fc.bias.data += 1
    classifier.save(tmp_path / "other")
    with pytest.raises(UserError, match="holds predictions of another model or other images"):
        commands.label(str(tmp_path / "other"), str(pictures), tmp_path / "out", execution=EXECUTION)
    (pictures / "dog" / "new.png").write_bytes((pictures / "cat" / '0, "so".png').read_bytes())
    with pytest.raises(UserError, match="other images"):
        commands.label(str(model), str(pictures), tmp_path / "out", execution=EXECUTION)


def test_paths_and_home_folders_are_taken_wherever_a_source_is(
    model: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hub").mkdir()
    by_path = configure("digits", labeled=pictures, unlabeled=Path("pictures"), test="~/pictures")
    assert {by_path.data.labeled, by_path.data.unlabeled, by_path.data.test} == {str(pictures)}
    by_hub = configure("digits", labeled="hf:./hub", unlabeled="hf:~/hub:train", test="hf:owner/name:test")
    folder = f"hf:{tmp_path}/hub"
    assert (by_hub.data.labeled, by_hub.data.unlabeled, by_hub.data.test) == (
        folder,
        f"{folder}:train",
        "hf:owner/name:test",
    )
    assert Config(data={"labeled": pictures}, teacher=by_path.teacher).data.labeled == str(pictures)
    record = commands.evaluate(str(model), Path("~/pictures"), execution=EXECUTION)
    assert (record["n"], record["data"]) == (7, str(pictures))
    assert commands.label(str(model), pictures, tmp_path / "labels", execution=EXECUTION)["images"] == 7


def test_evaluate_measures_and_says_of_what(model: Path, pictures: Path) -> None:
    results = commands.evaluate(str(model), str(pictures), execution=EXECUTION)
    _, probabilities = expected(model, pictures)
    right = probabilities.argmax(axis=1) == np.array([0, 0, 0, 1, 1, 1, 1])
    assert results["metrics"]["top1"] == pytest.approx(100 * right.mean())
    assert results["n"] == 7
    assert results["metrics"]["params"] == sum(p.numel() for p in load_classifier(str(model)).network.parameters())
    assert len(results["provenance"]["sha256"]) == 64
    (pictures / "cat").rename(pictures / "wolf")
    with pytest.raises(UserError, match="does not know: 'wolf'"):
        commands.evaluate(str(model), str(pictures), execution=EXECUTION)


def config() -> Config:
    student = Training(model="resnet9_8", image_size=8, unlabeled_ratio=1.0)
    return Config(teacher=Training(model="resnet9_8"), generations=(Generation(student=student),))


def test_a_student_needs_a_generation_and_a_selection(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no generation"):
        commands.student(Config(teacher=Training(model="resnet9_8")), tmp_path, tmp_path / "out")
    with pytest.raises(UserError, match=r"no selection\.json and no selection\.parquet"):
        commands.student(config(), tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_selection_of_another_teachers_classes_is_refused(pictures: Path, tmp_path: Path) -> None:
    rows = {"id": ["a"], "label": pa.array([0], pa.int32()), "confidence": pa.array([0.9], pa.float32())}
    (tmp_path / "p").mkdir()
    pq.write_table(pa.table(rows), tmp_path / "p" / "part-00000.parquet")
    (tmp_path / "p" / "teacher.json").write_text(json.dumps({"class_names": ["cat", "dog", "fox"]}))
    select(tmp_path / "p", tmp_path / "selection", Selection())
    data = {"labeled": str(pictures), "unlabeled": str(pictures), "channels": 1}
    settings = config().model_copy(update={"data": config().data.model_copy(update=data)})
    with pytest.raises(
        UserError, match=r"\['cat', 'dog', 'fox'\], in this order, and those of --labeled \['cat', 'dog'\]"
    ):
        commands.student(settings, tmp_path / "selection", tmp_path / "out")


def test_networks_and_operations_that_do_not_exist_are_all_named_before_anything_is_done() -> None:
    wrong = Noise(randaugment=RandAugment(ops=("spin",)))
    students = [
        Training(model="resnet9_8", unlabeled_ratio=1.0, noise=wrong),
        Training(model="reset18", unlabeled_ratio=1.0, noise=wrong),
    ]
    generations = tuple(Generation(student=student) for student in students)
    with pytest.raises(UserError) as caught:
        check_networks(Config(teacher=Training(model="wrn_16_3"), generations=generations))
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "teacher",
        "generations.0.student",
        "generations.1.student",
        "generations.1.student",
    ]
    assert "wrn_16_2" in caught.value.problems[0]
    check_networks(config())


@pytest.mark.parametrize(
    ("teacher", "refused"),
    [
        (Training(model="resnet10t", image_size=32, batch_size=1), True),
        (Training(model="resnet10t", image_size=32, batch_size=1, unlabeled_ratio=3.0), True),  # it sees labels only
        (Training(model="resnet10t", image_size=64, batch_size=1), False),
        (Training(model="resnet10t", image_size=32, batch_size=2), False),
        (Training(model="resnet9_8", image_size=32, batch_size=1), False),
        (
            Training(
                model="resnet10t", image_size=64, batch_size=1, steps=4, resolution_fix={"image_size": 32, "steps": 2}
            ),
            True,
        ),
    ],
)
def test_one_image_a_step_is_refused_where_batchnorm_would_compare_it_with_nothing(
    teacher: Training, refused: bool
) -> None:
    if not refused:
        check_networks(Config(teacher=teacher))
        return
    with pytest.raises(UserError) as caught:
        check_networks(Config(teacher=teacher))
    (problem,) = caught.value.problems
    assert problem.startswith("teacher: one image a step is too few: at 32 pixels resnet10t has BatchNorm")


def test_evaluate_measures_images_of_one_class_alone(model: Path, pictures: Path) -> None:
    shutil.rmtree(pictures / "dog")
    _, probabilities = expected(model, pictures)
    results = commands.evaluate(str(model), str(pictures), execution=EXECUTION)
    assert results["metrics"]["top1"] == pytest.approx(100 * (probabilities.argmax(axis=1) == 0).mean())
    assert results["n"] == 3


def test_evaluate_refuses_images_without_labels(model: Path, tmp_path: Path) -> None:
    (tmp_path / "flat").mkdir()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "flat" / "a.png")
    with pytest.raises(UserError, match="1 of 1 images have no label"):
        commands.evaluate(str(model), str(tmp_path / "flat"), execution=EXECUTION)


def test_profile_of_a_folder_and_of_a_name_without_weights(model: Path) -> None:
    found = commands.profile(str(model), batch=2, execution=EXECUTION)
    assert (found["model"], found["size"], found["batch"]) == ("resnet9_8", 8, 2)
    assert found["metrics"]["params"] == sum(p.numel() for p in load_classifier(str(model)).network.parameters())
    named = commands.profile("resnet18", size=32, batch=1, execution=EXECUTION)
    assert named["metrics"]["params"] == 11_689_512


def test_profile_refuses_a_size_that_the_network_does_not_take() -> None:
    with pytest.raises(UserError, match=r"--size 100: vit_tiny_patch16_224 does not take such images"):
        commands.profile("vit_tiny_patch16_224", size=100, execution=EXECUTION)
