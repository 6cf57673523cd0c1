from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from noisystudent.config import Execution
from noisystudent.data.duplicates import dhash
from noisystudent.data.images import ImageSet
from noisystudent.data.leaks import LEAK_SCHEMA, _candidates, held_out_twins
from noisystudent.data.manifest import Manifest
from noisystudent.data.sources import read_source

SIDE = 48


def picture(seed: int) -> Image.Image:
    """A smooth picture with a few shapes, so that a JPEG of it is nearly the same."""
    draw = np.random.default_rng(seed)
    coarse = Image.fromarray(draw.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    return coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def view(manifest: Manifest) -> ImageSet:
    return ImageSet(manifest, size=SIDE, channels=3, workers=1, in_memory=False)


def hashed(folder: Path, split: str) -> tuple[Manifest, pa.Table]:
    manifest = read_source(str(folder), split=split, labels="ignored")
    hashes = dhash(view(manifest).fetch(np.arange(len(manifest))))
    table = manifest.table.select(["id", "uri", "split"]).append_column("dhash", pa.array(hashes))
    return manifest, table


def found(unlabeled: Path, **held_out: Path) -> list[dict[str, object]]:
    manifest, hashes = hashed(unlabeled, "unlabeled")
    others = pa.concat_tables([hashed(folder, split)[1] for split, folder in held_out.items()])
    leaks = held_out_twins(manifest, hashes.select(["id", "dhash"]), others, Execution(), view=view)
    assert leaks.schema.equals(LEAK_SCHEMA)
    return leaks.to_pylist()


def folders(path: Path, *names: str) -> list[Path]:
    for name in names:
        (path / name).mkdir()
    return [path / name for name in names]


def test_identical_and_re_encoded_pictures_are_found_and_others_are_not(tmp_path: Path) -> None:
    unlabeled, val, test = folders(tmp_path, "unlabeled", "val", "test")
    for i in range(12):
        picture(i).save(unlabeled / f"{i:02d}.png")
    picture(3).save(val / "copy.png")
    picture(7).save(test / "encoded.jpg", quality=85)
    for i in range(12, 18):
        picture(i).save(test / f"other-{i}.png")
    assert found(unlabeled, val=val, test=test) == [
        {"id": "03.png", "split": "val", "twin": "copy.png", "exact": True},
        {"id": "07.png", "split": "test", "twin": "encoded.jpg", "exact": False},
    ]


def test_an_exact_twin_is_named_rather_than_a_near_one(tmp_path: Path) -> None:
    unlabeled, val, test = folders(tmp_path, "unlabeled", "val", "test")
    picture(0).save(unlabeled / "a.png")
    picture(0).save(val / "near.jpg", quality=85)
    picture(0).save(test / "exact.png")
    assert found(unlabeled, val=val, test=test) == [
        {"id": "a.png", "split": "test", "twin": "exact.png", "exact": True}
    ]


def test_splits_may_use_the_same_ids_for_different_pictures(tmp_path: Path) -> None:
    unlabeled, val, test = folders(tmp_path, "unlabeled", "val", "test")
    picture(0).save(unlabeled / "x.png")
    picture(1).save(val / "x.png")
    picture(0).save(test / "x.png")
    assert found(unlabeled, val=val, test=test) == [{"id": "x.png", "split": "test", "twin": "x.png", "exact": True}]


def test_the_same_hash_of_different_pixels_is_no_twin(tmp_path: Path) -> None:
    """A slope and a curve that both grow to the right share all 64 bits and are not the same picture."""
    unlabeled, val = folders(tmp_path, "unlabeled", "val")
    x = np.arange(SIDE)
    slope = np.tile((x * 5).astype(np.uint8), (SIDE, 1))
    curve = np.tile((47 * x / 47 + 200 * (x / 47) ** 6).astype(np.uint8), (SIDE, 1))
    Image.fromarray(slope).save(unlabeled / "slope.png")
    Image.fromarray(curve).save(val / "curve.png")
    hashes = [hashed(folder, "x")[1]["dhash"][0].as_py() for folder in (unlabeled, val)]
    assert hashes[0] == hashes[1]
    assert found(unlabeled, val=val) == []


def test_without_a_candidate_the_table_is_empty(tmp_path: Path) -> None:
    unlabeled, val = folders(tmp_path, "unlabeled", "val")
    picture(0).save(unlabeled / "a.png")
    picture(1).save(val / "b.png")
    assert found(unlabeled, val=val) == []


def test_flat_pictures_that_share_a_hash_are_compared_by_digest(tmp_path: Path) -> None:
    """Each with each would be 14,400 comparisons, and of 10,000 by 10,000 a hundred million."""
    unlabeled, test = folders(tmp_path, "unlabeled", "test")
    for number in range(120):
        Image.new("RGB", (8, 8), (number % 3, 0, 0)).save(unlabeled / f"{number:03d}.png")
        Image.new("RGB", (8, 8), (number % 2, 0, 0)).save(test / f"{number:03d}.png")
    candidates = _candidates(*tables(unlabeled, test), Execution(), view)
    assert len(candidates) == 80
    assert [row["id"] for row in found(unlabeled, test=test)] == [f"{n:03d}.png" for n in range(120) if n % 3 < 2]


def tables(ours: Path, theirs: Path) -> tuple[Manifest, pa.Table, Manifest, np.ndarray]:
    (manifest, hashes), (others, their_hashes) = hashed(ours, "unlabeled"), hashed(theirs, "test")
    return manifest, hashes, others, their_hashes["dhash"].to_numpy()
