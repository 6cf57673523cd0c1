"""A table made of images, a part after another: what a kill costs is one part, and readers take the folder as one table."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from noisystudent import atomic, processes
from noisystudent.config import Execution
from noisystudent.data.ahead import ahead
from noisystudent.data.images import Skipped
from noisystudent.device import batches, compute_device
from noisystudent.errors import UserError
from noisystudent.progress import track

SKIPPED_SCHEMA = pa.schema([("id", pa.string()), ("stage", pa.string()), ("reason", pa.string())])
ROWS_AT_A_TIME = 1024
Read = TypeVar("Read")


def write_parts(
    read: Callable[[np.ndarray], Read],
    make: Callable[[np.ndarray, Read], tuple[pa.Table, list[Skipped]]],
    count: int,
    folder: Path,
    *,
    image_size: int,
    execution: Execution,
    description: str,
) -> list[Skipped]:
    """Write `folder/part-*.parquet`, a row for each image that can be read; parts that are there are not made again.

    Several processes have every so many-th part each; where there is less than a part for each, parts are smaller.

    Args:
        read: the images of a batch, while those before it are worked on.
        make: of them the rows of the table, and what cannot be read.
        count: of all images.
        folder: of the table.
        image_size: of the images that are looked at, pixels of a side, by which batches are cut.
        execution: device, batch size, images of a part.
        description: for the progress shown.

    Returns:
        The images that could not be read.

    Raises:
        UserError: none of them can be read.
    """
    most = min(execution.part_rows, max(math.ceil(count / processes.count()), 1))
    part_rows = processes.from_first(lambda: _rows_of_a_part(folder) or most)
    starts = range(0, count, part_rows)
    parts = [folder / f"part-{number:05d}.parquet" for number in range(len(starts))]
    missing = processes.from_first(lambda: [number for number, part in enumerate(parts) if not part.exists()])
    own = [np.arange(starts[number], min(starts[number] + part_rows, count)) for number in processes.own(missing)]
    images, device = sum(map(len, own)), compute_device(execution)
    done = count - images if processes.count() == 1 else 0
    with track(description, done + images, done=done) as advance:
        for rows in own:
            tables: list[pa.Table] = []
            unread: list[Skipped] = []
            for batch, given in ahead(batches(rows, image_size, execution), read, device):
                table, unreadable = make(batch, given)
                tables.append(table)
                unread += unreadable
                advance(len(batch), "")
            write_part(parts[rows[0] // part_rows], pa.concat_tables(tables), unread)
    processes.wait_for_all()
    skipped = [row for part in parts for row in read_skipped(part)]
    if len(skipped) == count:
        for part in parts:  # so that the same command, given when the images are mended, looks at them again
            part.unlink(missing_ok=True)
        raise UserError(f"none of the {count} images can be read; the first: {skipped[0].reason}")
    return skipped


def read_parts(folder: Path, columns: list[str]) -> pa.Table:
    """Some columns of such a table, part after part.

    Raises:
        UserError: a part is not Parquet.
    """
    try:
        return pq.read_table(sorted(folder.glob("part-*.parquet")), columns=columns)
    except pa.ArrowException as error:
        raise UserError(f"the table in {folder} cannot be read: {error}") from None


class PartsTable:
    """Such a table, of which rows are found by their ids and read a part at a time.

    Args:
        folder: of the table.
        columns: what is read of a row.
    """

    def __init__(self, folder: Path, columns: Sequence[str]) -> None:
        self._parts = sorted(folder.glob("part-*.parquet"))
        self._ends = np.cumsum([pq.read_metadata(part).num_rows for part in self._parts])
        self._ids = read_parts(folder, ["id"])["id"].combine_chunks()
        self._columns = list(columns)
        self._opened: tuple[int, list[np.ndarray]] | None = None

    @functools.cached_property
    def unread(self) -> dict[str, str]:
        """Why images could not be read, by id."""
        return {skipped.id: skipped.reason for part in self._parts for skipped in read_skipped(part)}

    def width(self, column: str) -> int:
        """How long the lists of a column are."""
        return int(pq.read_schema(self._parts[0]).field(column).type.list_size)

    def find(self, ids: pa.Array | pa.ChunkedArray) -> np.ndarray:
        """The positions of images in the table, int64 [n]; -1 for one that is not there."""
        positions: np.ndarray = pc.fill_null(pc.index_in(ids, value_set=self._ids), -1).to_numpy().astype(np.int64)
        return positions

    def by_part(self, positions: np.ndarray) -> Iterator[tuple[np.ndarray, list[np.ndarray]]]:
        """The rows at some positions, part after part: which of `positions` lie there, and their values of each column.

        A column of lists is a matrix.
        """
        of_part = np.searchsorted(self._ends, positions, side="right")
        order = np.argsort(of_part, kind="stable")
        numbers, starts = np.unique(of_part[order], return_index=True)
        for number, here in zip(numbers.tolist(), np.split(order, starts[1:]), strict=False):  # none are one empty part
            rows = positions[here] - (int(self._ends[number - 1]) if number else 0)
            yield here, [values[rows] for values in self._part(number)]

    def _part(self, number: int) -> list[np.ndarray]:
        if self._opened is None or self._opened[0] != number:
            self._opened = None  # before the next takes as much
            self._opened = number, _read_columns(self._parts[number], self._columns)
        return self._opened[1]


def _read_columns(part: Path, columns: list[str]) -> list[np.ndarray]:
    """Columns of a file, some rows at a time: to read lists takes several times what they hold."""
    read: list[np.ndarray] = []
    with pq.ParquetFile(part) as file:
        begin = 0
        for rows in file.iter_batches(ROWS_AT_A_TIME, columns=columns):
            values = [_values(rows.column(column)) for column in columns]
            if not read:
                read = [np.empty((file.metadata.num_rows, *some.shape[1:]), some.dtype) for some in values]
            for whole, some in zip(read, values, strict=True):
                whole[begin : begin + len(some)] = some
            begin += len(rows)
    return read


def _values(column: pa.Array) -> np.ndarray:
    if pa.types.is_fixed_size_list(column.type):
        flat: np.ndarray = column.flatten().to_numpy(zero_copy_only=False)
        return flat.reshape(len(column), column.type.list_size)
    values: np.ndarray = column.to_numpy()
    return values


def read_skipped(part: Path) -> list[Skipped]:
    """The images of a part that could not be read."""
    return [Skipped(**row) for row in pq.read_table(_skipped_path(part)).to_pylist()]


def _rows_of_a_part(folder: Path) -> int:
    """How many images the parts that are there were made of (the last one perhaps of fewer); 0 when there are none.

    A table that goes on keeps to it, whatever the setting says now.
    """
    first = folder / "part-00000.parquet"
    if not first.exists():
        return 0
    return int(pq.read_metadata(first).num_rows + pq.read_metadata(_skipped_path(first)).num_rows)


def _skipped_path(part: Path) -> Path:
    return part.parent / "_skipped" / part.name  # readers of Parquet folders pass over names that begin so


def write_part(part: Path, table: pa.Table, skipped: list[Skipped]) -> None:
    """Write a part with its rows and the images that could not be read: their list first, so that a part has it."""
    with atomic.replacing(_skipped_path(part)) as temporary:
        pq.write_table(pa.Table.from_pylist([row._asdict() for row in skipped], schema=SKIPPED_SCHEMA), temporary)
    with atomic.replacing(part) as temporary:
        # Few probabilities occur again, and to look for those takes longer than to write them all.
        pq.write_table(table, temporary, use_dictionary=False)
