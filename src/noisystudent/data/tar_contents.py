"""What a tar file holds, as far as listing its images needs it, and an index of it: headers are walked once, and not at each start.

A header is read and parsed in tens of microseconds, so that a million images with their labels take minutes (benchmarks/results/shards.md).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from noisystudent import atomic
from noisystudent.data.stored_files import version

SCHEMA = pa.schema([("key", pa.string()), ("offset", pa.int64()), ("size", pa.int64()), ("label", pa.string())])
_FILE, _FOUND = b"file", b"found"  # of the index: which file it is of, and all but the images
VERSION = 1  # of how a tar file is read: another one makes every index anew


@dataclass
class Found:
    """What there is in a tar file beside images that can be used.

    Attributes:
        problems, label_problems: what is wrong with it, and only with its labels.
        passed: the files that are no images and have no use, by their ending.
        beside: how many images are left out for another one of their sample.
        first_beside: the name of the first of them.
    """

    problems: list[str] = field(default_factory=list)
    label_problems: list[str] = field(default_factory=list)
    passed: dict[str, int] = field(default_factory=dict)
    beside: int = 0
    first_beside: str = ""


@dataclass
class TarContents:
    """What a tar file holds.

    Attributes:
        images: one a row; schema `SCHEMA`: the key of its sample as text, where its bytes lie, and its label or null.
        found: all else.
    """

    images: pa.Table
    found: Found = field(default_factory=Found)


def indexed(path: str, index: Path | None, read: Callable[[str], TarContents]) -> TarContents:
    """The contents of a tar file, from the folder `index` where they are there and the file is as it was.

    Args:
        path: of the file, absolute, or its address.
        index: receives what was read; None: nothing is kept.
        read: reads the file itself.
    """
    if index is None:
        return read(path)
    file = json.dumps([VERSION, path, *version(path)]).encode()
    kept = index / f"{hashlib.blake2b(os.fsencode(path), digest_size=16).hexdigest()}.parquet"
    with contextlib.suppress(FileNotFoundError, pa.ArrowInvalid):  # not made yet, or damaged: it is made anew
        table = pq.read_table(kept)
        metadata = table.schema.metadata or {}
        if metadata.get(_FILE) == file:
            return TarContents(table.replace_schema_metadata(None), Found(**json.loads(metadata[_FOUND])))
    contents = read(path)
    metadata = {_FILE: file, _FOUND: json.dumps(asdict(contents.found)).encode()}
    with atomic.replacing(kept) as temporary:
        pq.write_table(contents.images.replace_schema_metadata(metadata), temporary)
    return contents
