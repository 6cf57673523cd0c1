"""The catalogue in a file, whole or not at all."""

from __future__ import annotations

import gzip
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO, cast

from noisystudent import atomic
from noisystudent.board.catalogue.names import meant
from noisystudent.board.catalogue.near import near_slugs
from noisystudent.board.catalogue.store import Store
from noisystudent.board.exporting import OF_FILES, export, files
from noisystudent.errors import UserError

OF = {"csv": "leaderboard", "bibtex": "paper"}


def export_file(store: Store, format: str, out: Path, *, of: str = "") -> dict[str, Any]:
    """Write one format to a file, or to a folder of files; the same catalogue gives the same bytes.

    Args:
        store: what is exported.
        format: of `noisystudent.board.exporting.FORMATS`, or of its `OF_FILES`.
        out: takes the place of what is there; compressed where it ends in `.gz`. Of `OF_FILES`, a new folder.
        of: slug of the leaderboard ("csv") or paper ("bibtex").

    Raises:
        UserError: no such format, leaderboard or paper, or a file that cannot be written.
    """
    if format in OF_FILES:
        return _export_files(store, format, out, of=of)
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise UserError(f"--out {out}: give the name of a file in a folder that exists")
    if of and format not in OF:
        raise UserError(f"--of goes with {' and '.join(OF)}; {format} has the whole catalogue")
    with store.reading() as connection:
        number = _number(connection, OF[format], of) if of else None
        with atomic.replacing(out) as temporary, temporary.open("wb") as file:
            if out.suffix == ".gz":
                with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
                    export(connection, format, cast(BinaryIO, packed), of=number)
            else:
                export(connection, format, file, of=number)
    return {"format": format, "out": str(out), "bytes": out.stat().st_size}


def _export_files(store: Store, format: str, out: Path, *, of: str) -> dict[str, Any]:
    if of:
        raise UserError(f"--of goes with {' and '.join(OF)}; {format} has the whole catalogue")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"--out {out} exists: {format} is a folder of files; give the name of a new one")
    if not out.absolute().parent.is_dir():
        raise UserError(f"--out {out}: give the name of a new folder in one that exists")
    left_out, written, size = Counter[str](), 0, 0
    with store.reading() as connection, atomic.replacing_folder(out) as temporary:
        for path, content in files(connection, format, left_out):
            (temporary / path).parent.mkdir(parents=True, exist_ok=True)
            (temporary / path).write_bytes(content)
            written, size = written + 1, size + len(content)
    return {"format": format, "out": str(out), "bytes": size, "files": written, "left_out": dict(left_out)}


def _number(connection: sqlite3.Connection, table: str, slug: str) -> int:
    number = meant(connection, table, slug)
    if number is None:
        raise UserError(f"--of {slug}: there is no such {table}{near_slugs(connection, table, slug)}")
    return number
