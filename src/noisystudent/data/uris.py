"""Addresses of images: one string that says where the encoded bytes are, whatever the kind of source.

file:///photos/a%20b.jpg                           a file
file:///set/train-0.parquet#column=image&row=12    a cell of a Parquet file
file:///shards/000.tar#offset=512&size=1234   a member of a tar file
s3://bucket/000.tar#offset=512&size=1234      the same on another machine
hf:owner/name:train#row=12                    a row of a Hugging Face data set
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, unquote_to_bytes

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from noisystudent.addresses import scheme

AT_A_TIME = 2**16  # addresses
_IN_SHARD = r"^(?P<shard>[A-Za-z][A-Za-z0-9+.-]+://[^#]*#(?:column=\w+)?)(?:&row=|offset=)(?P<at>\d{1,18})(?:&size=(?P<size>\d{1,18}))?$"
_is_plain_place = re.compile(r"\w+=\w+(?:&\w+=\w+)*", re.ASCII).fullmatch
_is_plain = re.compile(r"[A-Za-z0-9_.~/-]*").fullmatch


def file_uri(path: str) -> str:
    """The address of the file at an absolute path; any bytes that a file system allows are kept. Of an address, the same, so written."""
    kind, _, rest = path.partition("://") if scheme(path) else ("file", "", path)
    return f"{kind}://{quote(os.fsencode(rest))}"


def from_folder(folder: str) -> Callable[[str], str]:
    """What gives the address of a path relative to `folder` (which is absolute), or absolute itself; quick, for many of them."""
    base = file_uri(os.path.join(folder, ""))

    def to_uri(path: str) -> str:
        return ("file://" if path.startswith("/") else base) + (path if _is_plain(path) else quote(os.fsencode(path)))

    return to_uri


def file_uris(folder: str, paths: list[str]) -> list[str]:
    """The addresses of files at paths relative to `folder`, which is absolute.

    Example:
        >>> file_uris("/photos", ["cat/a.jpg", "cat/a b.jpg"])
        ['file:///photos/cat/a.jpg', 'file:///photos/cat/a%20b.jpg']
    """
    base, to_uri, found = file_uri(os.path.join(folder, "")), from_folder(folder), list[str]()
    for begin in range(0, len(paths), AT_A_TIME):
        part = paths[begin : begin + AT_A_TIME]
        are_plain = _is_plain("".join(part))  # seen at one look
        found += [base + path for path in part] if are_plain else map(to_uri, part)
    return found


def is_of_a_part(address: str) -> bool:
    """Whether this is an address as this module writes it, of an image within a table, a shard or a data set."""
    container, place = inside(address)
    in_file = (container.startswith("file:///") or bool(scheme(container))) and (
        {"offset", "size"} == set(place) or {"column", "row"} == set(place)
    )
    return in_file or (container.startswith("hf:") and set(place) == {"row"})


def path_or_uri(uri: str) -> str:
    """How a table names an image: by the path of its file; by its address where it is no file, or its name no text.

    Example:
        >>> path_or_uri("file:///photos/a%20b.jpg"), path_or_uri("file:///s.tar#offset=512&size=9")
        ('/photos/a b.jpg', 'file:///s.tar#offset=512&size=9')
    """
    container, place = inside(uri)
    if place or not container.startswith("file://"):
        return uri
    path = file_path(container)
    return path if is_text(path) else uri


def is_text(path: str) -> bool:
    """Whether the bytes of a path are valid UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def hf_uri(name: str, split: str) -> str:
    """The address of a split of a Hugging Face data set; `name` is owner/name or a local folder."""
    return f"hf:{quote(name)}:{quote(split)}"


def inside(uri: str) -> tuple[str, dict[str, str]]:
    """Part an address into the container's address and where in it the image lies ({} for a plain file)."""
    container, _, fragment = uri.partition("#")
    if _is_plain_place(fragment):  # quick, since it is done for each image that is read
        return container, {name: value for name, _, value in (part.partition("=") for part in fragment.split("&"))}
    return container, dict(parse_qsl(fragment))


class Places(NamedTuple):
    """Where N images lie in shards.

    Args:
        names: the address of each shard, with the column if it is a table.
        shard: int32 [N], the number of its name.
        at: int64 [N], row or offset.
        size: int64 [N], bytes; 0 in a table.
    """

    names: list[str]
    shard: np.ndarray
    at: np.ndarray
    size: np.ndarray


def places_in_shards(uris: pa.ChunkedArray) -> Places | None:
    """What `inside` says of many addresses, if all are of members of tar files or rows of tables; None where some are not.

    Example:
        >>> places_in_shards(pa.chunked_array([["file:///s.tar#offset=512&size=9"]])).names
        ['file:///s.tar#']
    """
    names: dict[str, int] = {}
    parts = []
    for first in range(0, len(uris), AT_A_TIME):  # taken apart, they need more memory than they are large
        found = pc.extract_regex(uris.slice(first, AT_A_TIME).combine_chunks(), _IN_SHARD)
        if found.null_count:
            return None
        shards, size = pc.struct_field(found, "shard").dictionary_encode(), pc.struct_field(found, "size")
        numbers = [names.setdefault(name, len(names)) for name in shards.dictionary.to_pylist()]
        shard = np.array(numbers, np.int32)[shards.indices.to_numpy()]
        at = pc.struct_field(found, "at").cast(pa.int64()).to_numpy()
        parts.append((shard, at, pc.if_else(pc.equal(size, ""), "0", size).cast(pa.int64()).to_numpy()))
    return Places(list(names), *map(np.concatenate, zip(*parts, strict=True))) if parts else None


def file_path(container: str) -> str:
    """The path, or the address of another machine, that `file_uri` was given."""
    if not container.startswith("file://") and not scheme(container):
        raise ValueError(f"not the address of a file: {container}")
    return os.fsdecode(unquote_to_bytes(container.removeprefix("file://")))


def hf_split(container: str) -> tuple[str, str]:
    """The name and the split that `hf_uri` was given."""
    name, _, split = container.removeprefix("hf:").rpartition(":")
    return unquote(name), unquote(split)


def absolute(source: str | Path) -> str:
    """The same source, so named that it means the same from any folder.

    Example:
        >>> absolute("hf:owner/name:train")
        'hf:owner/name:train'
    """
    source = os.fspath(source)
    if scheme(source):
        return source
    if not source.startswith("hf:"):
        return os.path.abspath(os.path.expanduser(source))
    name, split = hf_source(source)
    return f"hf:{name}:{split}" if split else f"hf:{name}"


def hf_source(source: str) -> tuple[str, str]:
    """The name, absolute if it is a folder here, and the split ("" for none) of `hf:NAME[:SPLIT]`."""
    name, split = source.removeprefix("hf:"), ""
    if ":" in name and not os.path.exists(os.path.expanduser(name)):
        name, _, split = name.rpartition(":")
    is_local = name.startswith(("/", ".", "~")) or os.path.exists(name)
    return os.path.abspath(os.path.expanduser(name)) if is_local else name, split
