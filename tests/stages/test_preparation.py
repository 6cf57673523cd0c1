import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from noisystudent.config import Config, Data, Execution, Generation, Training
from noisystudent.data.duplicates import dhash
from noisystudent.data.images import Skipped
from noisystudent.data.manifest import Manifest
from noisystudent.errors import UserError
from noisystudent.rundir import RunDir
from noisystudent.stages.preparation import image_set, prepare, write_skipped

STUDENT = Training(model="resnet9_8", image_size=8, unlabeled_ratio=1.0)


def write(folder: Path, seed: int) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)
    Image.fromarray(pixels).save(folder)


def images(folder: Path, classes: dict[str, int], seed: int = 0) -> Path:
    """So many pictures of each class."""
    for number, (name, count) in enumerate(classes.items()):
        for i in range(count):
            write(folder / name / f"{i:02d}.png", seed * 10_000 + number * 100 + i)
    return folder


def config(*, students: int = 1, **data: object) -> Config:
    return Config(
        data=Data(**{"channels": 1, **{k: str(v) if isinstance(v, Path) else v for k, v in data.items()}}),  # type: ignore[arg-type]
        teacher=Training(model="resnet9_8", image_size=8),
        generations=(Generation(student=STUDENT),) * students,
        execution=Execution(device="cpu", workers=1),
    )


def problems(run: Path, config: Config) -> list[str]:
    with pytest.raises(UserError) as caught:
        prepare(RunDir(run), config)
    return caught.value.problems


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    return {
        "labeled": images(tmp_path / "labeled", {"cat": 10, "dog": 20}),
        "unlabeled": images(tmp_path / "unlabeled", {"": 5}, seed=1),
    }


def test_validation_data_are_split_off_class_by_class(tmp_path: Path, sources: dict[str, Path]) -> None:
    run = RunDir(tmp_path / "run")
    record = prepare(run, config(val_fraction=0.2, **sources))
    assert record["images"] == {"labeled": 24, "unlabeled": 5, "val": 6}
    assert record["class_names"] == ["cat", "dog"]
    assert record["warnings"] == []
    labeled, val = (Manifest.load(run.manifest(split)) for split in ("labeled", "val"))
    assert np.bincount(labeled.labels).tolist() == [8, 16]
    assert np.bincount(val.labels).tolist() == [2, 4]
    assert not set(labeled.ids) & set(val.ids)
    assert not run.manifest("test").exists()
    unlabeled = Manifest.load(run.manifest("unlabeled"))
    assert unlabeled.labels.tolist() == [-1] * 5
    assert json.loads(json.dumps(record)) == record


def test_normalization_is_measured_on_the_labeled_training_images(tmp_path: Path, sources: dict[str, Path]) -> None:
    run = RunDir(tmp_path / "run")
    settings = config(val_fraction=0.2, **sources)
    record = prepare(run, settings)
    labeled = Manifest.load(run.manifest("labeled"))
    pixels = np.stack([np.asarray(Image.open(sources["labeled"] / id)) for id in labeled.ids]) / 255
    assert record["mean"] == pytest.approx([pixels.mean()], abs=1e-5)
    assert record["std"] == pytest.approx([pixels.std(ddof=1)], abs=1e-5)


def test_hashes_of_held_out_images_are_kept_to_find_leaks(tmp_path: Path, sources: dict[str, Path]) -> None:
    run = RunDir(tmp_path / "run")
    test = images(tmp_path / "test", {"dog": 3, "cat": 2}, seed=2)
    settings = config(test=test, **sources)
    prepare(run, settings)
    table = pq.read_table(run.path / "data" / "hashes.parquet")
    manifest = Manifest.load(run.manifest("test"))
    assert manifest.class_names == ("cat", "dog")
    wanted = dhash(image_set(manifest, settings.teacher, settings).fetch(np.arange(5))).tolist()
    rows = [row for row in table.to_pylist() if row["split"] == "test"]
    assert [row["id"] for row in rows] == manifest.ids
    assert [row["dhash"] for row in rows] == wanted


def test_classes_of_other_splits_are_brought_into_the_order_of_the_labels(tmp_path: Path) -> None:
    labeled = images(tmp_path / "labeled", {"bird": 4, "cat": 4, "dog": 4})
    val = images(tmp_path / "val", {"dog": 1, "cat": 2}, seed=1)
    run = RunDir(tmp_path / "run")
    prepare(run, config(students=0, labeled=labeled, val=val))
    manifest = Manifest.load(run.manifest("val"))
    assert manifest.class_names == ("bird", "cat", "dog")
    assert {id.split("/")[0]: label for id, label in zip(manifest.ids, manifest.labels.tolist(), strict=True)} == {
        "cat": 1,
        "dog": 2,
    }


def test_labels_of_unlabeled_images_are_kept_only_when_asked_for(tmp_path: Path, sources: dict[str, Path]) -> None:
    sources["unlabeled"] = images(tmp_path / "known", {"dog": 2, "wolf": 1, "cat": 1}, seed=3)
    prepare(RunDir(tmp_path / "a"), config(**sources))
    assert set(Manifest.load(RunDir(tmp_path / "a").manifest("unlabeled")).labels.tolist()) == {-1}
    prepare(RunDir(tmp_path / "b"), config(score_pseudo_labels=True, **sources))
    manifest = Manifest.load(RunDir(tmp_path / "b").manifest("unlabeled"))
    labels = {id.split("/")[0]: label for id, label in zip(manifest.ids, manifest.labels.tolist(), strict=True)}
    assert labels == {"cat": 0, "dog": 1, "wolf": -1}  # a class that the labels do not have is no class


def test_unreadable_images_are_left_out_and_listed(tmp_path: Path, sources: dict[str, Path]) -> None:
    (sources["labeled"] / "cat" / "00.png").write_bytes(b"no picture")
    run = RunDir(tmp_path / "run")
    record = prepare(run, config(max_skipped=0.1, **sources))
    assert record["skipped"] == 1
    listed = pq.read_table(run.path / "skipped.parquet").to_pylist()
    assert [(row["id"], row["stage"]) for row in listed] == [("cat/00.png", "prepare")]
    assert listed[0]["reason"]
    ids = Manifest.load(run.manifest("labeled")).ids + Manifest.load(run.manifest("val")).ids
    assert "cat/00.png" not in ids
    assert len(ids) == 29


def test_too_many_unreadable_labeled_images_stop_the_run(tmp_path: Path, sources: dict[str, Path]) -> None:
    for i in range(2):
        (sources["labeled"] / "dog" / f"{i:02d}.png").write_bytes(b"no picture")
    found = problems(tmp_path / "run", config(**sources))
    assert "--labeled: 2 of 30 images cannot be read (6.7 %)" in found[0]
    assert "'dog/00.png'" in found[0]
    assert "data.max_skipped = 1 %" in found[0]


def test_a_class_of_which_nothing_is_readable_is_named(tmp_path: Path, sources: dict[str, Path]) -> None:
    for path in (sources["labeled"] / "cat").iterdir():
        path.write_bytes(b"no picture")
    found = problems(tmp_path / "run", config(max_skipped=1.0, **sources))
    assert any("no readable image is left of 'cat'" in problem for problem in found)


def test_everything_that_is_wrong_with_the_sources_is_told_at_once(tmp_path: Path) -> None:
    test = images(tmp_path / "test", {"wolf": 1, "cat": 1})
    labeled = images(tmp_path / "labeled", {"cat": 4, "dog": 4})
    found = problems(tmp_path / "run", config(labeled=labeled, test=test, val=tmp_path / "nowhere"))
    assert len(found) == 3
    assert any(problem.startswith("--unlabeled is missing") for problem in found)
    assert any(problem.startswith("--val: ") and "nowhere" in problem for problem in found)
    assert any(
        problem.startswith("--test: has classes that the labeled images do not have: 'wolf'") for problem in found
    )
    assert problems(tmp_path / "run", config(students=0))[0].startswith("--labeled is missing")


def test_more_validation_than_training_labels_are_refused(tmp_path: Path) -> None:
    labeled = images(tmp_path / "labeled", {"cat": 2, "dog": 2})
    val = images(tmp_path / "val", {"cat": 3, "dog": 3}, seed=1)
    found = problems(tmp_path / "run", config(students=0, labeled=labeled, val=val))
    assert found[0].startswith("--val has 6 labels and the training part of --labeled 4")


def test_labeled_images_that_are_also_held_out_are_warned_of(tmp_path: Path, sources: dict[str, Path]) -> None:
    record = prepare(RunDir(tmp_path / "run"), config(val_fraction=0.0, test=sources["labeled"], **sources))
    assert record["warnings"] == [
        "30 images of --test are labeled training images too: its accuracy is too good to be true"
    ]
    assert "val" not in record["images"]


def test_what_is_skipped_is_replaced_stage_by_stage(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    write_skipped(run, "prepare", [Skipped("a", "decode", "empty")])
    write_skipped(run, "label", [Skipped("b", "x", "cut off"), Skipped("c", "x", "no picture")])
    write_skipped(run, "label", [Skipped("b", "x", "cut off")])
    rows = pq.read_table(tmp_path / "skipped.parquet").to_pylist()
    assert [(row["id"], row["stage"], row["reason"]) for row in rows] == [
        ("a", "prepare", "empty"),
        ("b", "label", "cut off"),
    ]
