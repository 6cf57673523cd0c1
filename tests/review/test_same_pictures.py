from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from user_inputs import picture

from noisystudent.config import Execution
from noisystudent.data.duplicates import dhash
from noisystudent.data.images import ImageSet
from noisystudent.data.manifest import SCHEMA, Manifest
from noisystudent.data.uris import file_uri
from noisystudent.review.same_pictures import torn, unlike_their_twins


def view(manifest: Manifest) -> ImageSet:
    return ImageSet(manifest, size=32, channels=3, workers=1, in_memory=False)


def hashes(manifest: Manifest) -> np.ndarray:
    return dhash(view(manifest).fetch(np.arange(len(manifest))))


@pytest.fixture
def labeled(tmp_path: Path) -> Manifest:
    """Pictures 0, 1 and 2, and a copy of 1 in another format, with another label and held out."""
    for number in range(3):
        picture("disk", number, size=32).save(tmp_path / f"{number}.png")
    picture("disk", 1, size=32).save(tmp_path / "copy.jpg", quality=95)
    names = ["0.png", "1.png", "2.png", "copy.jpg"]
    uris = [file_uri(str(tmp_path / name)) for name in names]
    columns = {"id": names, "uri": uris, "label": [0, 0, 1, 1], "split": ["train", "train", "train", "val"]}
    return Manifest(pa.table(columns, SCHEMA), ("cat", "dog"))


def test_copies_with_different_labels_name_each_other(labeled: Manifest) -> None:
    found = torn(labeled, hashes(labeled), Execution(), view=view)
    assert [(f.split, f.id) for f in found] == [("train", "1.png"), ("val", "copy.jpg")]
    assert found[0].why == "the same picture as copy.jpg, which is labeled dog"


def test_an_unlabeled_copy_is_told_where_the_network_says_another_class(labeled: Manifest, tmp_path: Path) -> None:
    for name, number in {"a.png": 0, "b.png": 2, "new.png": 9}.items():
        picture("disk", number, size=32).save(tmp_path / name)
    names = ["a.png", "b.png", "new.png"]
    columns = {
        "id": names,
        "uri": [file_uri(str(tmp_path / n)) for n in names],
        "label": [None] * 3,
        "split": ["unlabeled"] * 3,
    }
    unlabeled = Manifest(pa.table(columns, SCHEMA))
    seen = pa.table({"id": names, "label": pa.array([1, 1, 0], pa.int32()), "dhash": pa.array(hashes(unlabeled))})
    found = unlike_their_twins(unlabeled, seen, labeled, hashes(labeled), Execution(), view=view)
    assert [(f.split, f.id, f.why) for f in found] == [
        ("unlabeled", "a.png", "the same picture as 0.png, which is labeled cat")
    ]
    assert torch.equal(view(unlabeled).fetch(np.array([0])), view(labeled).fetch(np.array([0])))
