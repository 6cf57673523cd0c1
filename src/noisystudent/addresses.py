"""Addresses of files on other machines, told from paths on this one."""

from __future__ import annotations

import os
import re

_begins_as_one = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)://").match


def scheme(name: str | os.PathLike[str]) -> str:
    """The scheme of an address, in small letters; empty for a path and for `file://`, which is on this machine.

    Args:
        name: as it was given; a `Path`, which has no two slashes in a row, counts as the address of which it was made.

    Example:
        >>> from pathlib import Path
        >>> scheme("s3://bucket/shards/{000..099}.tar"), scheme(Path("s3://bucket")), scheme("hf:./folder"), scheme("C:/photos")
        ('s3', 's3', '', '')
    """
    found = _begins_as_one(as_given(name))
    return found["scheme"].lower() if found and found["scheme"].lower() != "file" else ""


def as_given(name: str | os.PathLike[str]) -> str:
    """An address that may have become a `Path`, which has no two slashes in a row, as it was given.

    Example:
        >>> from pathlib import Path
        >>> as_given(Path("s3://bucket/run"))
        's3://bucket/run'
    """
    return name if isinstance(name, str) else os.fspath(name).replace(":/", "://", 1)
