"""Unlabeled images that are test or validation images too are never learned from."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import Image
from user_inputs import Images, picture

LARGE = 48


def write_large(folder: Path, names: dict[str, tuple[str, int]]) -> None:
    """Pictures with a background of their own, as photos have one: no two of them are alike by chance."""
    for name, (kind, number) in names.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        rough = np.random.default_rng(number).integers(256, size=(6, 6, 3), dtype=np.uint8)
        background = Image.fromarray(rough).resize((LARGE, LARGE), Image.Resampling.BICUBIC)
        Image.blend(picture(kind, number, LARGE), background, 0.5).save(folder / name)


def numbered(kind: str, first: int, count: int) -> dict[str, tuple[str, int]]:
    return {f"{kind}/{number}.png": (kind, number) for number in range(first, first + count)}


def labeled_and_test(folder: Path) -> Images:
    """Twelve labeled images and eight others for testing."""
    images = Images(folder)
    write_large(images.labeled, numbered("bars", 0, 6) | numbered("disk", 0, 6))
    write_large(images.test, numbered("bars", 20, 4) | numbered("disk", 20, 4))
    return images


def test_copies_of_test_and_validation_images_are_left_out_of_every_selection(
    configuration: Callable[..., Path], noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    images = labeled_and_test(tmp_path)
    write_large(images.folder / "val", numbered("bars", 40, 3) | numbered("disk", 40, 3))
    write_large(images.unlabeled, {f"own-{number}.png": ("disk", number) for number in range(60, 70)})
    write_large(images.unlabeled, {f"other-{number}.png": ("bars", number) for number in range(60, 70)})

    shutil.copy(images.test / "disk" / "20.png", images.unlabeled / "same bytes.png")
    shutil.copy(images.folder / "val" / "bars" / "40.png", images.unlabeled / "of validation.png")
    with Image.open(images.test / "disk" / "21.png") as image:
        image.save(images.unlabeled / "again.bmp")
        image.resize((44, 44), Image.Resampling.BICUBIC).save(images.unlabeled / "smaller.png")
        image.save(images.unlabeled / "lossy.jpg", quality=75)
    shutil.copy(images.labeled / "disk" / "0.png", images.unlabeled / "a labeled one.png")
    expected = {
        "same bytes.png": ("test", "disk/20.png", True),
        "again.bmp": ("test", "disk/21.png", True),
        "of validation.png": ("val", "bars/40.png", True),
        "smaller.png": ("test", "disk/21.png", False),
        "lossy.jpg": ("test", "disk/21.png", False),
    }

    config = configuration("teacher.steps=4", "student.steps=4", "baseline=false")
    options = [*images.options, "--val", images.folder / "val", "--config", config, "--out", "run"]
    result = noisystudent("run", *options, "--json")
    assert result.status == 0, result.stderr
    warning = "unlabeled images found in the validation or test data too: 5 (3 identical, 2 nearly); they are left out"
    assert warning in result.message
    leaks = pq.read_table(tmp_path / "run/data/leaks.parquet").to_pylist()
    assert {row["id"]: (row["split"], row["twin"], row["exact"]) for row in leaks} == expected
    page = (tmp_path / "run/report.html").read_text()
    for generation in (tmp_path / "run/gen-1", tmp_path / "run/gen-2"):
        selected = set(pq.read_table(generation / "selection/selection.parquet")["id"].to_pylist())
        assert not selected & expected.keys()
        assert len(selected) == 21
        assert "a labeled one.png" in selected
        assert json.loads((generation / "selection/selection.json").read_text())["excluded"] == 5
    assert all(id in page for id in expected)


def test_where_every_unlabeled_image_is_a_test_image_the_run_says_so(
    configuration: Callable[..., Path], noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    images = labeled_and_test(tmp_path)
    for path in images.test.glob("*/*.png"):
        images.unlabeled.mkdir(exist_ok=True)
        shutil.copy(path, images.unlabeled / f"{path.parent.name} {path.name}")
    config = configuration("teacher.steps=4", "student.steps=4", "baseline=false")
    result = noisystudent("run", *images.options, "--config", config, "--out", "run", "--json")
    assert result.status == 2
    assert "all 8 unlabeled images are in the validation or test data too" in result.message
    assert "give others with --unlabeled" in result.message
    assert pq.read_table(tmp_path / "run/data/leaks.parquet").num_rows == 8


def test_a_test_image_that_is_a_labeled_one_is_warned_of(
    images: Images, configuration: Callable[..., Path], noisystudent: Callable[..., Any]
) -> None:
    config = configuration("teacher.steps=2", generations=0)
    options = ["--labeled", images.labeled, "--test", images.labeled, "--config", config, "--out", "run"]
    result = noisystudent("run", *options)
    assert result.status == 0
    expected = "16 labeled images are in --test too (16 identical, 0 nearly)"
    assert expected in result.message


def test_validation_images_split_off_the_labeled_ones_are_found_among_the_unlabeled_ones_too(
    configuration: Callable[..., Path], noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    images = Images(tmp_path)
    write_large(images.labeled, numbered("bars", 0, 8) | numbered("disk", 0, 8))
    write_large(images.unlabeled, numbered("bars", 0, 12) | numbered("disk", 0, 12))  # the labeled ones among them
    config = configuration(
        "teacher.steps=2", "student.steps=2", "baseline=false", "data.val_fraction=0.25", generations=1
    )
    sources = ["--labeled", images.labeled, "--unlabeled", images.unlabeled]
    result = noisystudent("run", *sources, "--config", config, "--out", "run")
    assert result.status == 0, result.stderr
    held_out = set(pq.read_table(tmp_path / "run/data/val.parquet")["id"].to_pylist())
    assert len(held_out) == 4
    selected = set(pq.read_table(tmp_path / "run/gen-1/selection/selection.parquet")["id"].to_pylist())
    assert selected == set(numbered("bars", 0, 12) | numbered("disk", 0, 12)) - held_out
