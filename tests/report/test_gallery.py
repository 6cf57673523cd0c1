from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from noisystudent.data.uris import file_uri
from noisystudent.report.gallery import EACH, SIDE, read_gallery, thumbnail
from noisystudent.report.run_reader import read_run

NewRun = Callable[..., Any]


def test_sure_pictures_take_turns_among_the_classes(new_run: NewRun) -> None:
    gallery = read_gallery(read_run(new_run().write()))
    assert gallery is not None
    assert len(gallery.sure) == EACH
    assert {picture.predicted for picture in gallery.sure[:3]} == {"ant", "bee", "cat"}
    assert gallery.sure[0].confidence == pytest.approx(0.96, abs=1e-6)
    assert gallery.sure[0].id == "image-059.png"


def test_unsure_pictures_are_the_least_confident_of_all(new_run: NewRun) -> None:
    gallery = read_gallery(read_run(new_run().write()))
    assert gallery is not None
    assert [picture.id for picture in gallery.unsure] == [f"image-{row:03d}.png" for row in range(EACH)]
    assert gallery.unsure[1].predicted == "cat"  # generation 2 is wrong on the 2nd of every four
    assert gallery.unsure[1].truth == "bee"


def test_changes_are_counted_between_the_first_and_the_last_generation(new_run: NewRun) -> None:
    writer = new_run()
    gallery = read_gallery(read_run(writer.write()))
    (first, _), (last, confidence) = writer.predicted(1), writer.predicted(2)
    changed, truth = first != last, np.arange(60) % 3
    assert gallery is not None
    assert gallery.changes is not None
    assert gallery.changes.images == changed.sum()
    assert gallery.changes.right_before == (changed & (first == truth)).sum()
    assert gallery.changes.right_after == (changed & (last == truth)).sum()
    surest = np.flatnonzero(changed)[np.argmax(confidence[changed])]
    assert gallery.changes.pictures[0].id == f"image-{surest:03d}.png"


def test_without_known_classes_nothing_is_said_to_be_right(new_run: NewRun) -> None:
    gallery = read_gallery(read_run(new_run(known=False).write()))
    assert gallery is not None
    assert not gallery.known
    assert gallery.changes is not None
    assert gallery.changes.known == 0


def test_thumbnails_are_small_and_tiny_images_keep_their_pixels(tmp_path: Path) -> None:
    Image.effect_noise((900, 300), 50).convert("RGB").save(tmp_path / "large.jpg")
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(tmp_path / "tiny.png")
    large = thumbnail(file_uri(str(tmp_path / "large.jpg")), channels=3)
    tiny = thumbnail(file_uri(str(tmp_path / "tiny.png")), channels=1)
    assert max(_open(large.uri).size) == SIDE
    assert not large.pixelated
    assert tiny.pixelated
    assert np.array_equal(np.asarray(_open(tiny.uri)).ravel(), np.arange(64))


@pytest.mark.parametrize("uri", ["file:///nowhere.png", "file:///", "gopher://x", "file:///x.parquet#row=a&column=b"])
def test_a_picture_that_cannot_be_had_says_why(uri: str) -> None:
    shown = thumbnail(uri, channels=3)
    assert shown.uri == ""
    assert shown.problem


def _open(data_uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(data_uri.partition(",")[2])))
