"""Read the tensors of a TensorFlow checkpoint without TensorFlow.

A checkpoint `model.ckpt` is an index, `model.ckpt.index`, and shards of raw little-endian values, `model.ckpt.data-00000-of-00001`. The
index is a sorted string table of LevelDB's format (https://github.com/google/leveldb/blob/main/doc/table_format.md) from a tensor's
name to a BundleEntryProto (tensorflow/core/protobuf/tensor_bundle.proto). TensorFlow writes its blocks uncompressed. Checksums are
not compared.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from noisystudent.errors import UserError

FOOTER_BYTES = 48
MAGIC = 0xDB4775248B80FB57
TRAILER_BYTES = 5  # of a block: its kind of compression, and a checksum
# tensorflow/core/framework/types.proto
DTYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype("<f4"),
    2: np.dtype("<f8"),
    3: np.dtype("<i4"),
    9: np.dtype("<i8"),
}


class Entry(NamedTuple):
    """Where a tensor lies, and what it is."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int


def read_checkpoint(prefix: Path) -> dict[str, np.ndarray]:
    """All floating-point and integer tensors by name, mapped from the file and read when used.

    Args:
        prefix: of the files' names: `folder/model.ckpt`.

    Raises:
        UserError: a file is missing, cut off or no checkpoint.
    """
    index = prefix.with_name(f"{prefix.name}.index")
    try:
        data = index.read_bytes()
        entries = dict(_entries(data))
    except FileNotFoundError:
        raise UserError(f"{index} does not exist: give the checkpoint's name without .index or .data-...") from None
    except (struct.error, IndexError, ValueError) as error:
        raise UserError(f"{index} is no TensorFlow checkpoint index, or not whole: {error}") from None
    shards = 1 + max((entry.shard for entry in entries.values()), default=0)
    paths = [prefix.with_name(f"{prefix.name}.data-{shard:05d}-of-{shards:05d}") for shard in range(shards)]
    for path in paths:
        if not path.is_file():
            raise UserError(f"{path} is missing: a checkpoint is its index and {shards} such files")
    tensors: dict[str, np.ndarray] = {}
    for name, entry in entries.items():
        if entry.dtype not in DTYPES:
            continue  # strings: what TensorFlow needs to build its graph
        path, dtype = paths[entry.shard], DTYPES[entry.dtype]
        values = int(np.prod(entry.shape, dtype=np.int64))
        if entry.size != values * dtype.itemsize or entry.offset + entry.size > path.stat().st_size:
            raise UserError(f"{path} is cut off, or not that of {index.name}: {name} lies beyond its end")
        tensors[name] = (
            np.memmap(path, dtype, "r", entry.offset, entry.shape) if values else np.empty(entry.shape, dtype)
        )
    return tensors


def _entries(data: bytes) -> Iterator[tuple[str, Entry]]:
    """Names and places of the tensors; the empty name is the header, which says nothing that is needed."""
    footer = data[-FOOTER_BYTES:]
    if len(footer) < FOOTER_BYTES or struct.unpack("<Q", footer[-8:])[0] != MAGIC:
        raise ValueError("its last bytes are not those of a table")
    position = 0
    _, position = _varint(footer, position)  # where the index of other metadata lies, and its size: of no use here
    _, position = _varint(footer, position)
    offset, position = _varint(footer, position)
    size, position = _varint(footer, position)
    for _, handle in _block(data, offset, size):
        start, used = _varint(handle, 0)
        length, _ = _varint(handle, used)
        for key, value in _block(data, start, length):
            if key:
                yield key.decode(), _entry(value)


def _block(data: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block. A key is stored as how much it shares with the one before, and the rest."""
    if offset + size + TRAILER_BYTES > len(data):
        raise ValueError("it ends within a block")
    if data[offset + size] != 0:
        raise ValueError("its blocks are compressed, which TensorFlow's are not")
    block = data[offset : offset + size]
    (restarts,) = struct.unpack("<I", block[-4:])
    end = len(block) - 4 * (restarts + 1)
    position, key = 0, b""
    while position < end:
        shared, position = _varint(block, position)
        rest, position = _varint(block, position)
        length, position = _varint(block, position)
        key = key[:shared] + block[position : position + rest]
        position += rest
        yield key, block[position : position + length]
        position += length


def _entry(message: bytes) -> Entry:
    """A BundleEntryProto: dtype = 1, shape = 2, shard_id = 3, offset = 4, size = 5."""
    fields = dict(_fields(message))
    numbers = [value if isinstance(value := fields.get(number, 0), int) else 0 for number in (1, 3, 4, 5)]
    shape = fields.get(2, b"")
    assert isinstance(shape, bytes)
    dimensions = [dict(_fields(value)).get(1, 0) for number, value in _fields(shape) if isinstance(value, bytes)]
    return Entry(numbers[0], tuple(int(d) for d in dimensions if isinstance(d, int)), *numbers[1:])


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protocol buffer message: numbers, and the bytes of what is nested."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, position = _varint(message, position)
            yield number, value
            continue
        length, position = _varint(message, position) if kind == 2 else ({1: 8, 5: 4}[kind], position)
        yield number, message[position : position + length]
        position += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A whole number of seven bits a byte, lowest first, and the position after it."""
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return value, position
