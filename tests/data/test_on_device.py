"""Sets that stay on the GPU that trains on them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from user_inputs import picture

from noisystudent.data.images import ImageSet, RandomCrops
from noisystudent.data.on_device import OnDevice, where_they_train
from noisystudent.data.sources import read_source

META = torch.device("meta")  # stands in for a GPU


def image_set(folder: Path, *, in_memory: bool) -> ImageSet:
    for number in range(5):
        picture("disk", number).save(folder / f"{number}.png")
    manifest = read_source(str(folder), split="train", labels="ignored")
    return ImageSet(manifest, size=8, channels=3, workers=1, in_memory=in_memory)


def test_it_gives_what_the_set_gives_and_asks_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = image_set(tmp_path, in_memory=True)
    rows = np.array([3, 0, 3, 4])
    expected = images.fetch(rows)
    kept = OnDevice(images, torch.device("cpu"))
    monkeypatch.setattr(images, "fetch", None)
    assert torch.equal(kept.fetch(rows), expected)
    order = kept.shuffled(np.arange(5), np.random.default_rng(0))
    assert order.tolist() == images.shuffled(np.arange(5), np.random.default_rng(0)).tolist()
    with pytest.raises(ValueError, match="whole pictures"):
        kept.fetch(rows, crops=RandomCrops(0))


def test_what_is_kept_in_memory_is_kept_where_it_is_trained_on(tmp_path: Path) -> None:
    small = image_set(tmp_path, in_memory=True)
    kept = where_they_train(small, META)
    assert isinstance(kept, OnDevice)
    assert kept.fetch(np.array([1, 2])).device == META
    assert where_they_train(small, torch.device("cpu")) is small
    large = image_set(tmp_path, in_memory=False)
    assert where_they_train(large, META) is large
