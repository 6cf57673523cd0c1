"""The files and folders that a source stands for by its name, and whether they are there; nothing is opened."""

from __future__ import annotations

import glob
import itertools
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from noisystudent.addresses import scheme
from noisystudent.data.kinds import ending
from noisystudent.data.stored_files import is_there, matching, why_not_read
from noisystudent.errors import meant, some

KINDS = "a folder of images or of class folders, image files, a .csv or .parquet table, a .tar shard, or hf:owner/name[:split]"
LOOKED_AT = 1000  # names of a folder that may have millions
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")


def absent(source: str | Path) -> str | None:
    """What to say of a source whose files are not there; None where they are, or where that is not known without asking a hub.

    Example:
        >>> absent("/nowhere").partition(": give ")[0]
        "'/nowhere' does not exist"
    """
    source = os.fspath(source)
    if source.startswith("hf:"):
        return None
    if scheme(source):
        return _absent_address(source)
    paths = expanded(os.path.expanduser(source))
    missing = [path for path in paths if not os.path.exists(path)]
    if not missing:
        return None
    near = _nearly(source) if len(paths) == 1 else ""
    return f"{some(missing if len(paths) > 1 else [source])} does not exist{near}: give {KINDS}"


def _nearly(source: str) -> str:
    """What is beside a path that does not exist and is called nearly so, for a message."""
    folder, name = os.path.split(source.rstrip(os.sep))
    try:
        with os.scandir(os.path.expanduser(folder) or ".") as entries:
            beside = [entry.name for entry in itertools.islice(entries, LOOKED_AT)]
    except OSError:
        return ""
    return meant(name, beside)


def absent_of(sources: Sequence[str | Path]) -> str | None:
    """The same of several sources, in one message."""
    if len(sources) == 1:
        return absent(sources[0])
    missing = [os.fspath(source) for source in sources if absent(source)]
    return f"{some(missing)} cannot be read: it is not there, or no image source" if missing else None


def _absent_address(source: str) -> str | None:
    if ending(source) not in ("tar", "parquet"):
        return (
            f"{source!r} is no image source: of other machines tar and Parquet files are read, such as s3://bucket/{{000..099}}.tar: "
            "give these, or copy the images here"
        )
    if problem := why_not_read(source):
        return f"{source!r} cannot be read: {problem}"
    try:
        missing = [path for path in expanded(source) if not is_there(path)]
    except OSError as error:
        return f"{source!r} cannot be read: {error.strerror or error}"
    return f"{some(missing)} does not exist" if missing else None


def listed(stream: BinaryIO) -> list[str]:
    """The paths that a stream lists: a line each, or ended by NUL where there is one, as `find -print0` writes names with line breaks.

    Example:
        >>> import io
        >>> listed(io.BytesIO(b"a.jpg\\nb.jpg\\n")), listed(io.BytesIO(b"a\\nb.jpg\\0"))
        (['a.jpg', 'b.jpg'], ['a\\nb.jpg'])
    """
    text = stream.read()
    names = text.split(b"\0") if b"\0" in text else text.splitlines()
    return [os.fsdecode(name) for name in names if name]


def fixed_folder(pattern: str) -> str:
    """The folder that a pattern names before anything in it varies: the same whatever files there are."""
    return os.path.dirname(re.split(r"[*?\[{]", pattern, maxsplit=1)[0])


def expanded(pattern: str) -> list[str]:
    """The paths that a pattern with {000..099}, {a,b}, * or ? stands for; those named in braces need not exist."""
    if not scheme(pattern) and os.path.exists(pattern):
        return [pattern]
    if braces := _BRACES.search(pattern):
        between = _RANGE.fullmatch(braces[1])
        if between:
            first, last = between.groups()
            width = len(first) if first.startswith("0") else 0
            step = 1 if int(first) <= int(last) else -1
            words = [str(number).zfill(width) for number in range(int(first), int(last) + step, step)]
        else:
            words = braces[1].split(",")
        before, after = pattern[: braces.start()], pattern[braces.end() :]
        return [path for word in words for path in expanded(before + word + after)]
    if scheme(pattern):
        return (matching(pattern) if glob.has_magic(pattern) else []) or [pattern]
    return sorted(glob.glob(pattern, recursive=True)) or [pattern]
