from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noisystudent.config import Execution
from noisystudent.data.images import Skipped
from noisystudent.data.parts import PartsTable, read_parts, write_parts
from noisystudent.errors import UserError


def write(make: Made, count: int, folder: Path, *, part_rows: int) -> list[Skipped]:
    execution = Execution(device="cpu", part_rows=part_rows)
    return write_parts(make.read, make, count, folder, image_size=8, execution=execution, description="")


class Made:
    """Makes a row an image, and remembers which were asked for; odd rows cannot be read when `unreadable`."""

    def __init__(self, *, stop_at: int | None = None, unreadable: bool = False) -> None:
        self.rows: list[int] = []
        self.stop_at = stop_at
        self.unreadable = unreadable

    def read(self, rows: np.ndarray) -> list[int]:
        return rows.tolist()

    def __call__(self, rows: np.ndarray, read: list[int]) -> tuple[pa.Table, list[Skipped]]:
        assert read == rows.tolist()
        if self.stop_at is not None and self.stop_at in rows:
            raise KeyboardInterrupt
        self.rows += rows.tolist()
        good = [row for row in rows.tolist() if not (self.unreadable and row % 2)]
        return pa.table({"row": pa.array(good, pa.int64())}), [
            Skipped(str(row), "embed", "broken") for row in rows.tolist() if row not in good
        ]


def test_a_part_that_is_there_is_not_made_again_whatever_part_rows_says_now(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write(Made(stop_at=7), 10, tmp_path, part_rows=3)
    assert read_parts(tmp_path, ["row"])["row"].to_pylist() == [0, 1, 2, 3, 4, 5]
    made = Made()
    write(made, 10, tmp_path, part_rows=100)
    assert made.rows == [6, 7, 8, 9]
    assert read_parts(tmp_path, ["row"])["row"].to_pylist() == list(range(10))


def test_what_cannot_be_read_is_named_also_when_a_folder_goes_on(tmp_path: Path) -> None:
    skipped = write(Made(unreadable=True), 5, tmp_path, part_rows=2)
    assert [row.id for row in skipped] == ["1", "3"]
    assert write(Made(stop_at=0), 5, tmp_path, part_rows=2) == skipped


def test_where_nothing_can_be_read_the_same_again_looks_again(tmp_path: Path) -> None:
    class Nothing(Made):
        def __call__(self, rows: np.ndarray, _: list[int]) -> tuple[pa.Table, list[Skipped]]:
            return pa.table({"row": pa.array([], pa.int64())}), [Skipped(str(row), "embed", "broken") for row in rows]

    with pytest.raises(UserError, match="none of the 3 images can be read; the first: broken"):
        write(Nothing(), 3, tmp_path, part_rows=2)
    assert write(Made(), 3, tmp_path, part_rows=2) == []


def test_a_broken_part_is_told(tmp_path: Path) -> None:
    (tmp_path / "part-00000.parquet").write_bytes(b"no table")
    with pytest.raises(UserError, match="cannot be read"):
        read_parts(tmp_path, ["row"])


def test_rows_are_found_by_id_where_no_list_of_skipped_images_lies_beside_the_parts(tmp_path: Path) -> None:
    for number, ids in enumerate((["a", "b"], ["c"])):
        values = pa.FixedSizeListArray.from_arrays(pa.array(np.arange(2 * len(ids)) + 10.0 * number), 2)
        pq.write_table(pa.table({"id": ids, "values": values}), tmp_path / f"part-{number:05d}.parquet")
    table = PartsTable(tmp_path, ["values"])
    positions = table.find(pa.array(["c", "nowhere", "a", "c"]))
    assert positions.tolist() == [2, -1, 0, 2]
    found: dict[int, list[float]] = {}
    for here, (rows,) in table.by_part(positions[[0, 2, 3]]):
        found |= dict(zip(here.tolist(), rows.tolist(), strict=True))
    assert found == {0: [10.0, 11.0], 1: [0.0, 1.0], 2: [10.0, 11.0]}
    assert table.width("values") == 2
