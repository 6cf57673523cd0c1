"""Images in shards, rows of Parquet files and members of tar files: read a piece at a time, in an order in which each piece is read once.

A piece is a row group of a Parquet file, or `STRETCH` bytes of a tar file. Rows in an order of chance would each cost a piece. So pieces
are put into an order of chance, as if they were one long file, and each row comes at a moment of chance within `reach` bytes from the
beginning of its piece: the pieces that are needed at a time are neighbors there, and together hardly larger than that.
"""

from __future__ import annotations

import bisect
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from noisystudent.addresses import scheme
from noisystudent.data.stored_files import for_parquet, read_part
from noisystudent.data.uris import file_path, inside, places_in_shards
from noisystudent.errors import UserError, changed_since

STRETCH = 8 * 2**20  # bytes: a disk that finds its place in 8 ms and reads 150 MB a second loses an eighth of its time
IN_TURN = 64 * 2**20  # bytes to keep where images are read in the order in which they lie
KEPT_AT_LEAST = 2  # pieces, whatever their size: a batch may begin in one and end in the next


class ShardCache:
    """Reads images out of shards; what was read last stays in memory, up to a limit. Many threads may use one.

    Args:
        limit: bytes to keep, of Parquet decompressed; the last two pieces are kept whatever their size.

    Example:
        >>> ShardCache().cell("train.parquet", "image", 12)  # doctest: +SKIP
        b'...'
    """

    def __init__(self, limit: int = IN_TURN) -> None:
        self.limit = limit
        self._starts: dict[str, list[int]] = {}  # of the row groups of a file, and its end
        self._pieces: OrderedDict[tuple[str, str, int], Future[tuple[Any, int]]] = OrderedDict()
        self._lock = threading.Lock()

    def cell(self, path: str, column: str, row: int) -> Any:
        """The value at a row of a column of a Parquet file: bytes, a dict for a struct, or None.

        Raises:
            IndexError: the file has no such row.
            OSError, pa.ArrowException: the file cannot be read.
        """
        if path not in self._starts:
            self._starts[path] = group_starts(pq.read_metadata(for_parquet(path))).tolist()
        starts = self._starts[path]
        if not 0 <= row < starts[-1]:
            raise IndexError(f"no row {row}")
        group = bisect.bisect_right(starts, row) - 1
        cells: pa.ChunkedArray = self._piece((path, column, group), _read_group)
        return cells[row - starts[group]].as_py()

    def stretch(self, path: str, offset: int, size: int) -> bytes:
        """`size` bytes of a file from `offset` on; fewer where it ends.

        Raises:
            OSError: the file cannot be read, or is none.
        """
        number, begin = divmod(offset, STRETCH)
        data: bytes = self._piece((path, "", number), _read_stretch)[begin : begin + size]
        rest = begin + size - STRETCH
        return data if rest <= 0 else data + read_part(path, (number + 1) * STRETCH, rest)

    def _piece(self, key: tuple[str, str, int], read: Callable[[str, str, int], tuple[Any, int]]) -> Any:
        with self._lock:
            is_new = key not in self._pieces
            piece = self._pieces.setdefault(key, Future())
            self._pieces.move_to_end(key)
        if is_new:  # who asks meanwhile waits for this one, and others read on
            try:
                piece.set_result(read(*key))
            except BaseException as error:
                with self._lock:
                    del self._pieces[key]
                piece.set_exception(error)
            with self._lock:
                self._forget_the_oldest()
        return piece.result()[0]

    def _forget_the_oldest(self) -> None:
        read = {key: piece.result()[1] for key, piece in self._pieces.items() if piece.done()}
        taken = sum(read.values())
        for key in list(read)[:-KEPT_AT_LEAST]:
            if taken <= self.limit:
                break
            del self._pieces[key]
            taken -= read[key]


def group_starts(metadata: pq.FileMetaData) -> np.ndarray:
    """The number of the first row of each row group of a Parquet file, and of its rows in all: int64 [groups + 1]."""
    sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    return np.cumsum([0, *sizes], dtype=np.int64)


def _read_group(path: str, column: str, group: int) -> tuple[pa.ChunkedArray, int]:
    with pq.ParquetFile(for_parquet(path), pre_buffer=bool(scheme(path))) as file:  # else a request a page
        cells = file.read_row_group(group, columns=[column], use_threads=False)[column]
    return cells, cells.nbytes


def _read_stretch(path: str, _: str, number: int) -> tuple[bytes, int]:
    data = read_part(path, number * STRETCH, STRETCH)
    return data, len(data)


class Pieces(NamedTuple):
    """How a set of N images lies in P pieces of shards.

    Args:
        of_image: int64 [N], the number of the piece in which each begins.
        sizes: int64 [P], bytes of each in memory.
    """

    of_image: np.ndarray
    sizes: np.ndarray

    def shuffled(self, rows: np.ndarray, draw: np.random.Generator, *, reach: int) -> np.ndarray:
        """Rows in an order of chance, in which at no time more than the pieces of `reach` bytes are needed, and one more.

        Where pieces come to the end, the first ones follow: what is begun there goes on at the beginning, so that the rows of all moments
        are as well mixed. Rows of a piece larger than `reach` are mixed with each other.
        """
        order = draw.permutation(len(self.sizes))
        ends = np.cumsum(self.sizes[order])
        starts = np.empty_like(ends)
        starts[order] = ends - self.sizes[order]
        piece = self.of_image[rows]
        further = np.maximum(self.sizes, reach)[piece] * draw.random(len(rows))
        shuffled: np.ndarray = rows[np.argsort((starts[piece] + further) % ends[-1], kind="stable")]
        return shuffled


def as_they_lie(uris: pa.ChunkedArray) -> np.ndarray:
    """The positions of addresses, shard after shard and there as the images lie, int64 [n]; as they are where some are in no shard."""
    places = places_in_shards(uris)
    return np.arange(len(uris)) if places is None else np.lexsort((places.at, places.shard))


def pieces_of(uris: pa.ChunkedArray) -> Pieces | None:
    """The pieces in which images lie, by the order in which the addresses first name their shards; None where some are in no shard.

    Raises:
        UserError: naming the Parquet files that cannot be read, or are shorter than they were.
    """
    places = places_in_shards(uris)
    if places is None:
        return None
    of_image = np.empty(len(uris), np.int64)
    sizes: list[np.ndarray] = []
    problems = []
    by_shard = np.argsort(places.shard, kind="stable")
    cuts = np.flatnonzero(np.diff(places.shard[by_shard])) + 1
    for name, rows in zip(places.names, np.split(by_shard, cuts), strict=True):
        try:
            within, taken = _within_shard(name, places.at[rows], places.size[rows])
        except (OSError, IndexError, pa.ArrowException) as error:
            problems.append(changed_since(file_path(inside(name)[0]), str(error)))
            continue
        of_image[rows] = within + sum(map(len, sizes))
        sizes.append(taken)
    if problems:
        raise UserError(problems)
    return Pieces(of_image, np.concatenate(sizes))


def _within_shard(name: str, at: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of images in a shard the number of the piece, counted among those that have images, int64 [n]; and the sizes of these pieces."""
    container, column = inside(name)
    if not column:
        used, within = np.unique(at // STRETCH, return_inverse=True)
        taken = np.zeros(len(used), np.int64)
        np.maximum.at(taken, within, np.minimum(at % STRETCH + size, STRETCH))
        return within, taken
    metadata = pq.read_metadata(for_parquet(file_path(container)))
    starts = group_starts(metadata)
    if at.max() >= starts[-1]:
        raise IndexError(f"no row {at.max()}")
    used, within = np.unique(np.searchsorted(starts, at, side="right") - 1, return_inverse=True)
    return within, np.array([_bytes_of(metadata.row_group(int(group)), column["column"]) for group in used], np.int64)


def _bytes_of(group: pq.RowGroupMetaData, column: str) -> int:
    """Of a column, or of all that a struct is made of, decompressed."""
    parts = (group.column(number) for number in range(group.num_columns))
    return sum(part.total_uncompressed_size for part in parts if part.path_in_schema.partition(".")[0] == column)
