from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noisystudent.errors import UserError
from noisystudent.pseudo.distributions import distributions
from noisystudent.pseudo.label import Predicted

CLASSES, IMAGES = 7, 30


@pytest.fixture
def given() -> np.ndarray:
    return np.random.default_rng(0).dirichlet(np.full(CLASSES, 0.3), IMAGES)


def write(folder: Path, given: np.ndarray, top_k: int) -> None:
    """Three parts of ten images."""
    folder.mkdir()
    for number in range(3):
        rows = slice(10 * number, 10 * number + 10)
        ids = [f"image {row}" for row in range(IMAGES)[rows]]
        predicted = Predicted(ids, given[rows], np.zeros(10, np.uint64), [])
        pq.write_table(predicted.table(top_k), folder / f"part-{number:05d}.parquet")


@pytest.mark.parametrize("top_k", [0, 1, 3, 6, 7, 100])
def test_rows_are_those_of_the_images_asked_for(tmp_path: Path, given: np.ndarray, top_k: int) -> None:
    write(tmp_path / "labels", given, top_k)
    chosen = np.array([29, 3, 11, 0])
    ids = pa.chunked_array([[f"image {row}" for row in chosen]])
    found = distributions(tmp_path / "labels", ids, tmp_path, classes=CLASSES)
    for numbers in (np.array([0, 1, 2, 3]), np.array([2, 2])):
        expected = np.float16(given[chosen[numbers]]).astype(np.float64)
        if 0 < top_k < CLASSES:
            highest = np.argsort(-expected, axis=1, kind="stable")[:, :top_k]
            kept = np.zeros_like(expected, bool)
            np.put_along_axis(kept, highest, True, axis=1)
            left = (1 - (expected * kept).sum(axis=1, keepdims=True)) / (CLASSES - top_k)
            expected = np.where(kept, expected, left.clip(0))
        read = found.read(numbers)
        assert read.shape == (len(numbers), CLASSES)
        assert read == pytest.approx(expected, abs=1e-6)
        assert read.sum(axis=1) == pytest.approx(1, abs=2e-3)  # float16


def test_of_very_many_classes_few_bytes_are_kept(tmp_path: Path) -> None:
    many = np.random.default_rng(0).dirichlet(np.full(1000, 0.01), IMAGES)
    for top_k in (0, 5):
        write(tmp_path / str(top_k), many, top_k)
    table = pq.read_table(tmp_path / "5")
    assert table.schema.names == ["id", "label", "confidence", "topk_labels", "topk_probabilities", "dhash"]
    assert table["label"].to_pylist() == [labels[0] for labels in table["topk_labels"].to_pylist()]
    schemas = [pq.read_schema(tmp_path / str(top_k) / "part-00000.parquet") for top_k in (0, 5)]
    lists = [[kind for kind in schema.types if pa.types.is_fixed_size_list(kind)] for schema in schemas]
    widths = [sum(kind.list_size * kind.value_type.bit_width for kind in kinds) for kinds in lists]
    assert widths == [16 * 1000, (32 + 16) * 5]


def test_a_selected_image_without_a_prediction_is_refused(tmp_path: Path, given: np.ndarray) -> None:
    write(tmp_path / "labels", given, 2)
    with pytest.raises(UserError, match="1 selected images have no prediction"):
        distributions(tmp_path / "labels", pa.chunked_array([["image 1", "other"]]), tmp_path, classes=CLASSES)
