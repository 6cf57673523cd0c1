import io
import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.datasets import load_digits

from noisystudent.config import Execution
from noisystudent.data.duplicates import dhash, near_pairs, same_picture
from noisystudent.errors import UserError


def slow_dhash(image: np.ndarray) -> int:
    """From the definition, in exact fractions; image is uint8 [channels, height, width]."""
    weights = [Fraction(1)] if len(image) == 1 else [Fraction(299, 1000), Fraction(587, 1000), Fraction(114, 1000)]
    grey = sum(weight * channel.astype(object) for weight, channel in zip(weights, image, strict=True))
    height, width = grey.shape

    def overlap(pixel: int, cell: int, pixels: int, cells: int) -> Fraction:
        start, end = Fraction(cell * pixels, cells), Fraction((cell + 1) * pixels, cells)
        return max(Fraction(0), min(end, Fraction(pixel + 1)) - max(start, Fraction(pixel)))

    rows = [[overlap(y, row, height, 8) for y in range(height)] for row in range(8)]
    columns = [[overlap(x, column, width, 9) for x in range(width)] for column in range(9)]
    cells = np.array(rows) @ grey @ np.array(columns).T
    return int("".join("1" if cells[y, x] < cells[y, x + 1] else "0" for y in range(8) for x in range(8)), 2)


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 8, 8), (3, 11, 7), (1, 1, 1), (3, 32, 32)])
def test_dhash_is_its_definition(shape: tuple[int, int, int]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, *shape), dtype=np.uint8)
    images[3] //= 128  # many ties
    hashes = dhash(torch.from_numpy(images))
    assert hashes.dtype == np.uint64
    assert hashes.tolist() == [slow_dhash(image) for image in images]


def test_dhash_of_flat_and_no_pictures() -> None:
    assert dhash(torch.full((2, 3, 33, 57), 201, dtype=torch.uint8)).tolist() == [0, 0]
    assert dhash(torch.empty((0, 3, 8, 8), dtype=torch.uint8)).tolist() == []


hashes = st.lists(st.integers(0, 2**64 - 1), max_size=12)
flips = st.lists(st.tuples(st.integers(0, 11), st.sets(st.integers(0, 63), max_size=5)), max_size=12)


@settings(max_examples=25)
@given(left=hashes, right=hashes, flips=flips, max_distance=st.integers(0, 3))
def test_near_pairs_are_those_of_brute_force(
    left: list[int], right: list[int], flips: list[tuple[int, set[int]]], max_distance: int
) -> None:
    # Close pairs do not come by chance: some are made by flipping bits.
    right = right + [left[i] ^ sum(1 << bit for bit in bits) for i, bits in flips if i < len(left)]
    found = near_pairs(table("l", left), table("r", right), Execution(), max_distance=max_distance)
    expected = [
        (f"l{i:02d}", f"r{j:02d}", (a ^ b).bit_count())
        for i, a in enumerate(left)
        for j, b in enumerate(right)
        if (a ^ b).bit_count() <= max_distance
    ]
    assert list(zip(*(found[column].to_pylist() for column in found.column_names), strict=True)) == expected
    assert found.column_names == ["left_id", "right_id", "distance"]


def table(prefix: str, values: list[int]) -> pa.Table:
    ids = pa.array([f"{prefix}{i:02d}" for i in range(len(values))], pa.string())
    return pa.table({"id": ids, "dhash": pa.array(values, pa.uint64())})


def test_more_than_three_bits_are_not_promised() -> None:
    with pytest.raises(ValueError, match="0 to 3"):
        near_pairs(table("l", []), table("r", []), Execution(), max_distance=4)


def test_exact_and_flat_pictures() -> None:
    white, black = torch.full((1, 3, 32, 32), 255, dtype=torch.uint8), torch.zeros((1, 3, 32, 32), dtype=torch.uint8)
    exact, near = same_picture(torch.cat([white, white]), torch.cat([white, black]))
    assert exact.tolist() == [True, False]
    assert near.tolist() == [True, False]
    exact, near = same_picture(white[:0], black[:0])
    assert len(exact) == len(near) == 0


def test_no_two_digits_are_near() -> None:
    digits = torch.from_numpy(np.rint(load_digits().images[:400] * (255 / 16)).astype(np.uint8))[:, None]
    left, right = torch.triu_indices(400, 400, 1)
    exact, near = same_picture(digits[left], digits[right])
    assert not exact.any()
    assert not near.any()
    assert all(side.all() for side in same_picture(digits, digits.clone()))


@pytest.mark.skipif("NOISYSTUDENT_DATA" not in os.environ, reason="NOISYSTUDENT_DATA is not set")
def test_cifar10_reencoded_is_near_and_others_are_not() -> None:
    path = os.environ["NOISYSTUDENT_DATA"] + "/cifar10/test-00000-of-00001.parquet"
    cells = pq.ParquetFile(path).read_row_group(0, columns=["image"])["image"].to_pylist()[:500]
    pictures = [Image.open(io.BytesIO(cell)).convert("RGB") for cell in cells]
    originals = stacked(pictures)
    small = [picture.resize((29, 29), Image.Resampling.BICUBIC).resize((32, 32)) for picture in pictures]
    for changed in (stacked([reencoded(picture) for picture in pictures]), stacked(small)):
        assert same_picture(originals, changed)[1].mean() > 0.97
    left, right = torch.triu_indices(500, 500, 1)[:, ::10]
    assert not same_picture(originals[left], originals[right])[1].any()


def reencoded(picture: Image.Image) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=75)
    return Image.open(file)


def stacked(pictures: list[Image.Image]) -> torch.Tensor:
    return torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures])).permute(0, 3, 1, 2)


def test_pairs_spill_where_tables_are_to(tmp_path: Path) -> None:
    hashes = pa.table({"id": ["a"], "dhash": np.array([1], np.uint64)})
    with pytest.raises(UserError, match=r"spill_folder = '.*nowhere'"):
        near_pairs(hashes, hashes, Execution(spill_folder=str(tmp_path / "nowhere")))
