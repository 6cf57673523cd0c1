"""Rows on disk: what is read is what was written, nothing is left behind, and a full disk is an error."""

from __future__ import annotations

import gc
import resource
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisystudent.data.row_file import RowFile


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60), st.integers(1, 9))
def test_rows_are_read_as_they_were_written_last(tmp_path_factory, numbers: list[int], width: int) -> None:
    written = np.arange(len(numbers) * width, dtype=np.float16).reshape(-1, width)
    rows = RowFile(tmp_path_factory.mktemp("rows"), width, np.float16)
    rows.write(np.array(numbers), written)
    last = dict(zip(numbers, written, strict=True))
    assert np.array_equal(rows.read(np.array(numbers)), np.stack([last[number] for number in numbers]))
    assert rows.read(np.array([], np.int64)).shape == (0, width)


def test_its_file_has_no_name(tmp_path: Path) -> None:
    rows = RowFile(tmp_path / "new", 2, np.float16)
    rows.write(np.array([3]), np.ones((1, 2), np.float16))
    assert list((tmp_path / "new").iterdir()) == []


def test_its_file_is_closed_when_nobody_has_the_rows(tmp_path: Path) -> None:
    rows = RowFile(tmp_path, 2, np.float16)
    handle = rows._file
    del rows
    gc.collect()
    assert handle.closed


def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    rows = RowFile(tmp_path, 1000, np.float16)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, before[1]))
    try:
        with pytest.raises(OSError, match=r"File too large|No space left"):
            rows.write(np.arange(2), np.ones((2, 1000), np.float16))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
