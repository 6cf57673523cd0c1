"""Checkpoints in the layout that TensorFlow writes, made by hand: for tests of the reader, with which it shares no code."""

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np


def number(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value % 128 + 128])
        value //= 128
    return out + bytes([value])


def block(pairs: list[tuple[bytes, bytes]], *, interval: int) -> bytes:
    """Keys share their beginnings with the one before, but for those at a restart."""
    body, restarts, last = b"", [], b""
    for place, (key, value) in enumerate(pairs):
        shared = 0
        if place % interval == 0:
            restarts.append(len(body))
        else:
            while shared < min(len(last), len(key)) and last[shared] == key[shared]:
                shared += 1
        body += number(shared) + number(len(key) - shared) + number(len(value)) + key[shared:] + value
        last = key
    restarts = restarts or [0]
    return body + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))


def entry(array: np.ndarray, *, shard: int, offset: int) -> bytes:
    kind = {"float32": 1, "int64": 9}[array.dtype.name]
    shape = b"".join(b"\x12" + number(len(dim)) + dim for dim in (b"\x08" + number(size) for size in array.shape))
    message = b"\x08" + number(kind) + b"\x12" + number(len(shape)) + shape
    if shard:
        message += b"\x18" + number(shard)
    if offset:
        message += b"\x20" + number(offset)
    return message + b"\x28" + number(array.nbytes) + b"\x35" + b"\0\0\0\0"


def write_checkpoint(prefix: Path, tensors: Mapping[str, np.ndarray], *, shards: int = 1, block_rows: int = 7) -> None:
    """`prefix.index` and `prefix.data-...`: tensors in the order of their names, spread over the shards in turn."""
    prefix.parent.mkdir(parents=True, exist_ok=True)
    values = [b""] * shards
    rows = [(b"", b"\x08" + number(shards) + b"\x1a\x02\x08\x01")]
    for place, name in enumerate(sorted(tensors)):
        shard = place % shards
        rows.append((name.encode(), entry(tensors[name], shard=shard, offset=len(values[shard]))))
        values[shard] += tensors[name].tobytes()
    for shard, content in enumerate(values):
        prefix.with_name(f"{prefix.name}.data-{shard:05d}-of-{shards:05d}").write_bytes(content)

    table, handles = b"", []
    for start in range(0, len(rows), block_rows):
        part = rows[start : start + block_rows]
        content = block(part, interval=3)
        handles.append((part[-1][0], number(len(table)) + number(len(content))))
        table += content + b"\0" + b"\0\0\0\0"
    meta = number(len(table)) + number(8)
    table += block([], interval=1) + b"\0" * 5
    index = block(handles, interval=1)
    handle = number(len(table)) + number(len(index))
    table += index + b"\0" * 5
    footer = (meta + handle).ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")
    prefix.with_name(f"{prefix.name}.index").write_bytes(table + footer)
