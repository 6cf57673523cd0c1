"""Cells of Parquet files by row number: what was read last stays in memory, up to a limit.

Parquet is read a row group at a time, so that neighboring rows cost one read. Rows in random order are quick while the
images of all files fit in the limit; beyond it each may cost a row group.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

MEMORY_LIMIT = 512 * 2**20  # bytes
OPEN_FILES = 32


class ParquetCells:
    """Reads single cells; many threads may use one.

    Args:
        memory_limit: bytes of row groups to keep; the last one read is kept whatever its size.
        open_files: how many files to keep open.

    Example:
        >>> ParquetCells().read("train.parquet", "image", 12)  # doctest: +SKIP
        b'...'
    """

    def __init__(self, *, memory_limit: int = MEMORY_LIMIT, open_files: int = OPEN_FILES) -> None:
        self._memory_limit = memory_limit
        self._open_files = open_files
        self._files: OrderedDict[str, tuple[pq.ParquetFile, np.ndarray]] = OrderedDict()  # and its groups' starts
        self._groups: OrderedDict[tuple[str, str, int], pa.ChunkedArray] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, path: str, column: str, row: int) -> Any:
        """The value at a row of a column: bytes, a dict for a struct, or None.

        Raises:
            IndexError: the file has no such row.
            OSError, pa.ArrowException: the file cannot be read.
        """
        with self._lock:  # held while reading: threads that want the same row group must not all read it
            file, starts = self._open(path)
            if not 0 <= row < starts[-1]:
                raise IndexError(f"no row {row}")
            group = int(np.searchsorted(starts, row, side="right")) - 1
            cells = self._group(path, column, group, file)
        return cells[row - int(starts[group])].as_py()

    def _open(self, path: str) -> tuple[pq.ParquetFile, np.ndarray]:
        if path not in self._files:
            file = pq.ParquetFile(path)
            sizes = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
            self._files[path] = file, np.cumsum([0, *sizes])
            if len(self._files) > self._open_files:
                self._files.popitem(last=False)[1][0].close()
        self._files.move_to_end(path)
        return self._files[path]

    def _group(self, path: str, column: str, group: int, file: pq.ParquetFile) -> pa.ChunkedArray:
        key = (path, column, group)
        if key not in self._groups:
            self._groups[key] = file.read_row_group(group, columns=[column], use_threads=False)[column]
            while len(self._groups) > 1 and sum(cells.nbytes for cells in self._groups.values()) > self._memory_limit:
                self._groups.popitem(last=False)
        self._groups.move_to_end(key)
        return self._groups[key]
