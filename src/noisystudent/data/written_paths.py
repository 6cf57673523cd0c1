"""Paths as people and programs write them into tables: relative, absolute, with ~, with backslashes, as file:// addresses."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from noisystudent.data import uris

_is_common = re.compile(r"[^~:\\][^:\\]*", re.DOTALL).fullmatch  # there is no other way to take it than as it is
_NET = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


def written_uris(folder: str, paths: Iterable[str]) -> tuple[list[str], list[str]]:
    """The addresses of the images that a table's rows name.

    Args:
        folder: absolute; what relative paths start from.
        paths: a path each, or an address as `uris` has them.

    Returns:
        The addresses; and what is wrong with rows whose files cannot be on this machine.
    """
    found, unreachable = [], _Unreachable()
    to_uri = uris.from_folder(folder)
    for row, path in enumerate(paths, start=1):
        if _is_common(path):
            found.append(to_uri(path))
        elif uris.is_of_a_part(path):
            found.append(path)
        elif path.startswith("file:"):
            found.append(to_uri(_of_address(path)))
        else:
            unreachable.check(row, path)
            found.append(to_uri(_of_words(folder, path)))
    return found, unreachable.problems()


def _of_address(address: str) -> str:
    """The path in file:///path, file://localhost/path, file:/path."""
    path = re.sub(r"^file:(//(localhost(?=/))?)?", "", address)
    return os.fsdecode(unquote_to_bytes(path))


def _of_words(folder: str, path: str) -> str:
    """A path with the user's home folder in place of ~, and slashes for backslashes unless a file here has them in its name."""
    if "\\" in path and not os.path.lexists(os.path.join(folder, path)):
        path = path.replace("\\", "/")
    return os.path.expanduser(path) if path.startswith("~") else path


class _Unreachable:
    """Rows that name something that no file here can be."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], list[str]] = {}

    def check(self, row: int, path: str) -> None:
        if _NET.match(path):
            self._add(row, path, "in the net", "download them and name the files")
        elif _DRIVE.match(path) and os.name != "nt":
            self._add(row, path, "on a drive of Windows", "give paths relative to the table")

    def _add(self, row: int, path: str, where: str, do: str) -> None:
        self._rows.setdefault((where, do), []).append(f"row {row:,}, {path!r}")

    def problems(self) -> list[str]:
        return [
            f"'path' names images {where} in {len(rows):,} rows (the first: {rows[0]}, counted from 1 without the header): {do}"
            for (where, do), rows in self._rows.items()
        ]
