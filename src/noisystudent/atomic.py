"""Files and folders that are whole or absent: written beside their place, flushed to disk, then renamed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to, which takes the place of `path` when the block ends well, and is removed when it does not.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "a.txt"
        >>> with replacing(target) as temporary:
        ...     _ = temporary.write_text("whole")
        >>> target.read_text()
        'whole'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = beside(path)
    try:
        yield temporary
        _flush(temporary)
        os.replace(temporary, path)
        _flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """The same for a folder. What stood at `path` is removed only once the new folder is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = beside(path)
    shutil.rmtree(temporary, ignore_errors=True)  # left by a process that was killed
    temporary.mkdir()
    try:
        yield temporary
        for file in temporary.rglob("*"):
            _flush(file)
        if path.exists():
            shutil.rmtree(path)
        os.replace(temporary, path)
        _flush(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def is_temporary(name: str) -> bool:
    """Whether a file or folder is called as what is not whole yet.

    Example:
        >>> is_temporary(beside(Path("a.txt")).name), is_temporary(".lock")
        (True, False)
    """
    return name.startswith(".") and name.endswith(".tmp")


def beside(path: Path) -> Path:
    """Where a file or folder is written before it takes its place."""
    return path.with_name(f".{path.name}.tmp")


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, whole or not at all; floats that are not finite are refused (they are not JSON)."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def is_as_recorded(path: Path, value: Any) -> bool:
    """Whether a JSON file holds this value; where there is none it is written.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "made-by.json"
        >>> is_as_recorded(path, {"seed": 0}), is_as_recorded(path, {"seed": 0}), is_as_recorded(path, {"seed": 1})
        (True, True, False)
    """
    if path.exists():
        return bool(json.loads(path.read_text(encoding="utf-8")) == value)
    write_json(path, value)
    return True


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
