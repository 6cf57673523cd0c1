import json
import shutil
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
from noisystudent.stages.preparation import as_the_teacher_sees, prepare, write_skipped

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
    assert [warning.split(" are held out")[0] for warning in record["warnings"]] == ["only 6 images"]
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
    wanted = dhash(as_the_teacher_sees(manifest, settings).fetch(np.arange(5))).tolist()
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
    record = prepare(run, config(max_skipped=0.1, val_fraction=0.2, **sources))
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
    copied = tmp_path / "elsewhere"  # other names, another folder: the pictures tell
    for number, file in enumerate(sorted(sources["labeled"].rglob("*.png"))):
        (copied / file.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copied / file.parent.name / f"copy{number}.png")
    record = prepare(RunDir(tmp_path / "run"), config(val_fraction=0.0, test=copied, **sources))
    (shared,) = [warning for warning in record["warnings"] if "--test too" in warning]
    assert shared.startswith("30 labeled images are in --test too (30 identical, 0 nearly), such as 'cat/00.png'")
    assert "val" not in record["images"]


def test_copies_among_the_labeled_images_are_told_and_stay_on_one_side(tmp_path: Path) -> None:
    labeled = images(tmp_path / "labeled", {"cat": 20, "dog": 20})
    for file in sorted(labeled.rglob("*.png")):
        shutil.copy(file, file.with_name(f"copy-{file.name}"))
    shutil.copy(labeled / "cat" / "00.png", labeled / "dog" / "a-cat.png")
    run = RunDir(tmp_path / "run")
    record = prepare(run, config(students=0, val_fraction=0.2, labeled=labeled))
    copies, torn, *_ = record["warnings"]
    assert copies.startswith("41 labeled images are copies of others")
    assert torn.startswith(
        "1 pictures are labeled with more than one class, such as 'cat/00.png', 'cat/copy-00.png', 'dog/a-cat.png'"
    )
    pictures = [
        {Path(id).name.removeprefix("copy-") + Path(id).parent.name for id in Manifest.load(run.manifest(split)).ids}
        for split in ("labeled", "val")
    ]
    assert not pictures[0] & pictures[1]
    assert record["images"]["val"] >= 14


def test_what_was_left_out_is_said_though_validation_images_are_split_off(tmp_path: Path) -> None:
    labeled = images(tmp_path / "labeled", {"cat": 10, "dog": 10})
    (labeled / "cat" / "a.psd").write_bytes(b"8BPS")
    record = prepare(RunDir(tmp_path / "run"), config(students=0, val_fraction=0.2, labeled=labeled))
    assert record["warnings"][0] == f"{labeled}: left out: 1 .psd file: convert them to PNG or JPEG"


def test_few_labels_are_not_split_and_it_is_said(tmp_path: Path, sources: dict[str, Path]) -> None:
    record = prepare(RunDir(tmp_path / "run"), config(**sources))
    assert record["images"] == {"labeled": 30, "unlabeled": 5}
    assert record["warnings"][-1].startswith("no image is held out, so that no accuracy can be measured")


def test_many_labels_are_split_and_classes_without_held_out_images_are_named(tmp_path: Path) -> None:
    for seed, (name, count) in enumerate({"cat": 300, "dog": 300, "emu": 2}.items()):
        labeled = images(tmp_path / "labeled", {name: count}, seed=seed)
    record = prepare(RunDir(tmp_path / "run"), config(students=0, labeled=labeled))
    assert record["images"] == {"labeled": 542, "val": 60}
    few, missing = record["warnings"][-2:]
    assert few.startswith("only 60 images are held out to measure on: differences below about 13 points cannot be seen")
    assert missing.startswith("of 1 of 3 classes no image is held out, and nothing is measured of them: 'emu'")


def test_a_folder_of_splits_is_refused_with_the_command_that_works(tmp_path: Path) -> None:
    for split in ("train", "val", "test"):
        images(tmp_path / "set" / split, {"cat": 4, "dog": 4}, seed=len(split))
    whole = tmp_path / "set"
    (problem,) = problems(tmp_path / "run", config(students=0, labeled=whole))
    assert f"give --labeled {whole / 'train'} --val {whole / 'val'} --test {whole / 'test'}" in problem
    given = config(students=0, labeled=whole / "train", val=whole / "val", test=whole / "test")
    assert prepare(RunDir(tmp_path / "run"), given)["class_names"] == ["cat", "dog"]


def test_classes_and_their_counts_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    labeled = images(tmp_path / "labeled", {"cat": 3, "dog": 5})
    test = images(tmp_path / "test", {"cat": 1, "dog": 2}, seed=1)
    with caplog.at_level("INFO", logger="noisystudent"):
        prepare(RunDir(tmp_path / "run"), config(students=0, labeled=labeled, test=test))
    assert "2 classes, with the number of labeled + test images: 'cat' 3 + 1, 'dog' 5 + 2" in caplog.text


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


def test_images_that_every_generation_skips_are_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for skipped in ("ab", "ab", "a", "ac"):
        write_skipped(RunDir(tmp_path), "label", [Skipped(id, "x", "cut off") for id in skipped])
    said = "2 images cannot be read and are left out"
    assert [message[: len(said)] for message in caplog.messages] == [said, said]  # the first time, and the new one
