"""Pictures that a program holds, in any form, are seen as those of a source are."""

import io
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image
from user_inputs import picture

from noisystudent.data.given_images import each_of, given_pixels
from noisystudent.data.images import ImageSet
from noisystudent.data.sources import read_source
from noisystudent.errors import UserError


class View(NamedTuple):
    image_size: int = 12
    channels: int = 3
    crop_pct: float = 0.8


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def of_source(path: Path, view: View) -> torch.Tensor:
    manifest = read_source(path, split="x", labels="ignored")
    size, channels, crop = view
    images = ImageSet(manifest, size=size, channels=channels, crop_pct=crop, in_memory=False)
    return images.fetch(np.arange(len(manifest)))


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_form_of_a_picture_gives_the_pixels_of_its_file(mode: str, channels: int, tmp_path: Path) -> None:
    image = picture("disk", 1, 40).convert(mode)
    if mode == "RGBA":
        image.putalpha(picture("ring", 2, 40).convert("L"))
    path = tmp_path / 'a, "b"\n.png'
    image.save(path)
    rows = np.asarray(image)
    layers = torch.from_numpy(rows.copy())
    layers = layers.movedim(-1, 0) if rows.ndim == 3 else layers
    forms = [
        *(path, str(path), path.read_bytes(), image, Image.open(path), rows, layers),
        *(rows / 255, rows.astype(np.float32) / 255, layers.float() / 255),
    ]
    view = View(channels=channels)
    expected = of_source(path, view).expand(len(forms), -1, -1, -1)
    assert torch.equal(given_pixels(forms, view), expected)
    assert torch.equal(given_pixels(forms, view, threads=3), expected)


def test_a_picture_that_lies_on_its_side_is_turned_as_its_file_is(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture("stairs", 3, 40).crop((0, 0, 40, 24)).save(tmp_path / "a.png", exif=exif)
    opened = Image.open(tmp_path / "a.png")
    assert torch.equal(given_pixels([opened], View()), of_source(tmp_path / "a.png", View()))
    assert opened.size == (40, 24)


def test_paths_are_those_that_a_table_may_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    name = os.fsdecode(b"a\xff #1.png")
    picture("bars", 1).save(tmp_path / name)
    forms = [name, f"~/{name}", Path("~") / name, f"file://{tmp_path}/a%FF%20%231.png"]
    seen = given_pixels(forms, View())
    assert (seen == seen[:1]).all()
    assert seen.any()


@pytest.mark.parametrize(
    ("images", "count", "one"),
    [
        ("a.png", 1, True),
        (Path("a.png"), 1, True),
        (b"bytes", 1, True),
        (Image.new("L", (2, 2)), 1, True),
        (np.zeros((4, 5), np.uint8), 1, True),
        (np.zeros((4, 5, 3), np.uint8), 1, True),
        (torch.zeros(3, 4, 5), 1, True),
        (["a.png"], 1, False),
        ([], 0, False),
        (("a.png", b""), 2, False),
        ((name for name in "ab"), 2, False),
        (np.zeros((1, 4, 5, 3), np.uint8), 1, False),
        (np.zeros((0, 4, 5, 3), np.uint8), 0, False),
        (torch.zeros(6, 3, 4, 5), 6, False),
        (np.array(["a.png", "b.png"]), 2, False),
        (np.array([Path("a"), "b"], dtype=object), 2, False),
    ],
)
def test_one_image_is_told_from_many(images: Any, count: int, one: bool) -> None:
    given, is_one = each_of(images)
    assert (len(given), is_one) == (count, one)


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("nowhere.png", "'nowhere.png': missing file"),
        (".", "'.': is a folder: noisystudent.predict takes folders"),
        ("https://example.org/cat.jpg", "'https://example.org/cat.jpg': is on another machine: download it first"),
        (b"", "image 7: zero bytes"),
        (b"<html><body>", "image 7: not an image but a web page"),
        (encoded(picture("disk", 1, 64))[:-200], "image 7: truncated"),
        (Image.new("RGB", (0, 3)), "image 7: no pixels"),
        (np.zeros((0, 3), np.uint8), "image 7: no pixels"),
        (
            np.zeros((9, 28, 28), np.uint8),
            r"image 7: an array \[9, 28, 28\] is no image \[H, W, C\].*many are \[N, H, W, C\]",
        ),
        (torch.zeros(9, 28, 28), r"a tensor \[9, 28, 28\] is no image \[C, H, W\].*many are \[N, C, H, W\]"),
        (np.zeros(5, np.uint8), r"\[5\] is not the shape of an image"),
        (np.full((2, 2), 1.5), "floats are taken between 0 and 1, not normalized"),
        (np.full((2, 2), np.nan), "floats are taken between 0 and 1"),
        (torch.full((3, 2, 2), -0.1), "floats are taken between 0 and 1"),
        (np.zeros((2, 2), np.int64), "pixels of type int64: give uint8"),
        (3, "int is no image: give a path"),
        (None, "NoneType is no image"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_reason(image: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        given_pixels([image], View(), first=7)


def test_all_that_cannot_be_read_are_named_at_once() -> None:
    with pytest.raises(UserError) as caught:
        given_pixels(["nowhere.png", picture("disk", 1), b""], View(), threads=2)
    assert caught.value.problems == ["'nowhere.png': missing file", "image 2: zero bytes"]
