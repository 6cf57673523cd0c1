"""Rows of one length that are drawn at random and are too many for memory: in a file that goes with the process."""

from __future__ import annotations

import errno
import os
import tempfile
import weakref
from pathlib import Path

import numpy as np


class RowFile:
    """A matrix on disk, written and read by the numbers of its rows. Its file has no name, so that a kill leaves nothing behind.

    Args:
        folder: on whose disk it lies.
        width: numbers in a row.
        dtype: of each.

    Example:
        >>> rows = RowFile(Path("."), 3, np.float16)
        >>> rows.write(np.array([2, 0]), np.array([[1, 2, 3], [4, 5, 6]], np.float16))
        >>> rows.read(np.array([0, 2, 0])).tolist()
        [[4.0, 5.0, 6.0], [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    """

    def __init__(self, folder: Path, width: int, dtype: type[np.generic]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 (it is closed with this object)
        weakref.finalize(self, self._file.close)
        self._width, self._dtype = width, np.dtype(dtype)
        self._bytes = width * self._dtype.itemsize

    def write(self, numbers: np.ndarray, rows: np.ndarray) -> None:
        """Put rows [n, width] at their numbers, int [n].

        Raises:
            OSError: the disk is full.
        """
        kept = np.ascontiguousarray(rows, self._dtype)
        for number, row in zip(numbers.tolist(), kept, strict=True):
            if os.pwrite(self._file.fileno(), row.data, number * self._bytes) < self._bytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def read(self, numbers: np.ndarray) -> np.ndarray:
        """The rows of those numbers, [n, width]."""
        read = b"".join(os.pread(self._file.fileno(), self._bytes, number * self._bytes) for number in numbers.tolist())
        return np.frombuffer(bytearray(read), self._dtype).reshape(len(numbers), self._width)
