import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from noisystudent.config import Execution, View
from noisystudent.data.decoding import read_bytes
from noisystudent.data.images import ImageSet, RandomCrops, Skipped, check_readable, image_set
from noisystudent.data.manifest import Manifest
from noisystudent.data.sources import read_source
from noisystudent.errors import UserError

COUNT = 20


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    rng = np.random.default_rng(0)
    for i in range(COUNT):
        Image.fromarray(rng.integers(0, 256, (20 + i, 30, 3), dtype=np.uint8)).save(tmp_path / f"{i:02d}.png")
    return read_source(str(tmp_path), split="train", labels="ignored")


def images(manifest: Manifest, *, workers: int = 2, in_memory: bool = False) -> ImageSet:
    return ImageSet(manifest, size=16, channels=3, crop_pct=0.9, workers=workers, in_memory=in_memory)


def test_memory_and_threads_change_nothing(manifest: Manifest) -> None:
    rows = np.array([5, 0, 19, 5])
    plain = images(manifest, workers=1).fetch(rows)
    assert plain.shape == (4, 3, 16, 16)
    assert plain.dtype == torch.uint8
    assert torch.equal(plain[0], plain[3])
    assert not torch.equal(plain[0], plain[1])
    for workers in (1, 3):
        for in_memory in (True, False):
            assert torch.equal(images(manifest, workers=workers, in_memory=in_memory).fetch(rows), plain)
    assert images(manifest).fetch(np.empty(0, np.int64)).shape == (0, 3, 16, 16)


def test_random_crops_depend_on_seed_and_position_alone(manifest: Manifest) -> None:
    rows = np.array([3, 3, 4, 5, 6, 7])
    crops = [images(manifest, workers=workers).fetch(rows, crops=RandomCrops(11)) for workers in (1, 2, 5)]
    assert torch.equal(crops[0], crops[1])
    assert torch.equal(crops[0], crops[2])
    assert not torch.equal(crops[0][0], crops[0][1])
    assert torch.equal(images(manifest).fetch(rows[:2], crops=RandomCrops(11)), crops[0][:2])
    assert not torch.equal(images(manifest).fetch(rows, crops=RandomCrops(12)), crops[0])
    with pytest.raises(ValueError, match="in_memory=False"):
        images(manifest, in_memory=True).fetch(rows, crops=RandomCrops(1))


def test_crop_scale(tmp_path: Path) -> None:
    ramp = np.repeat(np.arange(200, dtype=np.uint8)[:, None], 200, axis=1)  # each row has a brightness of its own
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    whole = ImageSet(
        read_source(str(tmp_path), split="train", labels="ignored"), size=50, channels=1, workers=1, in_memory=False
    )
    small = whole.fetch(np.zeros(20, np.int64), crops=RandomCrops(0, (0.01, 0.02))).int()
    large = whole.fetch(np.zeros(20, np.int64), crops=RandomCrops(0, (0.8, 1.0))).int()
    spans = [(crops.amax(dim=(1, 2, 3)) - crops.amin(dim=(1, 2, 3))) for crops in (small, large)]
    assert spans[0].max() <= 35  # sqrt(0.02 * 4 / 3) of 200 rows, and a little
    assert spans[1].min() >= 150


@pytest.mark.parametrize("in_memory", [True, False])
def test_what_cannot_be_read(manifest: Manifest, tmp_path: Path, in_memory: bool) -> None:
    (tmp_path / "03.png").unlink()
    (tmp_path / "07.png").write_bytes(b"")
    some = images(manifest, in_memory=in_memory)
    pixels, unreadable = some.try_fetch(np.array([7, 1, 3]))
    assert unreadable == {0: "zero bytes", 2: "missing file"}
    assert not pixels[0].any()
    assert pixels[1].any()
    assert torch.equal(some.fetch(np.array([1])), pixels[1:2])
    with pytest.raises(UserError) as caught:
        some.fetch(np.array([7, 1, 3]))
    assert caught.value.problems == [
        "'07.png' disappeared or changed since the run began (zero bytes): put it back",
        "'03.png' disappeared or changed since the run began (missing file): put it back",
    ]


def test_check_readable(manifest: Manifest, tmp_path: Path) -> None:
    (tmp_path / "03.png").write_bytes((tmp_path / "03.png").read_bytes()[:200])
    (tmp_path / "07.png").write_text("no picture")
    (tmp_path / "09.png").write_bytes((tmp_path / "08.png").read_bytes())
    rows, skipped, hashes = check_readable(manifest, channels=3, size=16, crop_pct=1.0, workers=2)
    assert rows.tolist() == [row for row in range(COUNT) if row not in (3, 7)]
    assert skipped == [Skipped("03.png", "decode", "truncated"), Skipped("07.png", "decode", "not an image")]
    assert hashes.dtype == np.uint64
    assert hashes[rows.tolist().index(8)] == hashes[rows.tolist().index(9)]
    assert len(np.unique(hashes)) == len(rows) - 1


def test_check_readable_of_nothing(manifest: Manifest) -> None:
    rows, skipped, hashes = check_readable(
        manifest.take(np.empty(0, np.int64)), channels=3, size=16, crop_pct=1.0, workers=2
    )
    assert len(rows) == len(skipped) == len(hashes) == 0


def test_large_jpegs_decoded_small_look_the_same(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    picture = Image.fromarray(noise).resize((1600, 1200), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=95)
    (tmp_path / "a.jpg").write_bytes(file.getvalue())
    picture.save(tmp_path / "b.png")
    both = ImageSet(
        read_source(str(tmp_path), split="train", labels="ignored"), size=64, channels=3, workers=1, in_memory=False
    )
    small, full = both.fetch(np.arange(2)).int()
    assert (small - full).abs().float().mean() < 3


@pytest.mark.parametrize(("sixteenths", "decoded"), [(15, 40), (16, 20)])  # of what the set takes
def test_a_set_is_kept_in_memory_by_the_setting_alone(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch, sixteenths: int, decoded: int
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("noisystudent.data.images.read_bytes", lambda uri, _: asked.append(uri) or read_bytes(uri))
    execution = Execution(memory_gib=COUNT * 32 * 32 * 3 / 2**30 * sixteenths / 16)
    often, once = (image_set(manifest, View(32, 3, 1.0), execution, often=often) for often in (True, False))
    often.fetch(np.arange(COUNT))
    often.fetch(np.arange(COUNT))
    assert len(asked) == decoded
    once.fetch(np.arange(COUNT))
    once.fetch(np.arange(COUNT))
    assert len(asked) == decoded + 2 * COUNT
