"""Copies of a picture within one set are found, whatever they are called, and no others."""

from pathlib import Path

import numpy as np
from PIL import Image
from user_inputs import picture

from noisystudent.config import Execution
from noisystudent.data.copies import _candidates, copy_groups
from noisystudent.data.duplicates import dhash
from noisystudent.data.images import ImageSet
from noisystudent.data.manifest import Manifest
from noisystudent.data.sources import read_source


def groups_of(folder: Path, size: int) -> dict[str, int]:
    def view(manifest: Manifest) -> ImageSet:
        return ImageSet(manifest, size=size, channels=3, in_memory=False)

    manifest = read_source(str(folder), split="train", labels="ignored")
    hashes = dhash(view(manifest).fetch(np.arange(len(manifest))))
    return dict(zip(manifest.ids, copy_groups(manifest, hashes, Execution(), view=view).tolist(), strict=True))


def test_exact_and_re_encoded_copies_share_a_group_and_others_do_not(tmp_path: Path) -> None:
    for number in range(6):
        picture("disk", number, 64).save(tmp_path / f"{number}.png")
    picture("disk", 0, 64).save(tmp_path / "same.png")
    picture("disk", 1, 64).save(tmp_path / "jpeg.jpg", quality=85)
    groups = groups_of(tmp_path, 64)
    assert groups["same.png"] == groups["0.png"]
    assert groups["jpeg.jpg"] == groups["1.png"]
    assert len(set(groups.values())) == 6


def test_many_flat_pictures_are_compared_in_time_that_grows_with_their_number(tmp_path: Path) -> None:
    for number in range(60):
        Image.new("RGB", (16, 16), "white" if number % 3 else "black").save(tmp_path / f"{number:02d}.png")
    groups = groups_of(tmp_path, 16)
    assert len({groups[f"{number:02d}.png"] for number in range(60) if number % 3}) == 1
    assert len(set(groups.values())) == 2
    assert len(_candidates(np.zeros(100_000, np.uint64), Execution())[0]) == 0


def test_one_image_and_none_are_no_copies(tmp_path: Path) -> None:
    picture("disk", 0).save(tmp_path / "a.png")
    assert groups_of(tmp_path, 16) == {"a.png": 0}
    assert _candidates(np.empty(0, np.uint64), Execution())[0].shape == (0, 2)
