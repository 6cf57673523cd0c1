"""The catalogue into files of others: the same bytes as long as the catalogue is the same."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from typing import BinaryIO

from noisystudent.errors import UserError

FORMATS = {
    "evaluation-tables": "evaluation_tables",
    "papers-with-abstracts": "papers",
    "links-between-papers-and-code": "links",
    "methods": "methods",
    "datasets": "datasets",
    "runs": "runs",
    "csv": "leaderboard_csv",
    "bibtex": "bibtex",
}
OF_FILES = {"every-eval-ever": "every_eval_ever", "hugging-face": "hugging_face"}  # formats of many small files


def export(connection: sqlite3.Connection, format: str, stream: BinaryIO, *, of: int | None = None) -> None:
    """Write one format.

    Args:
        connection: in a transaction that sees one state of the catalogue (`Store.reading`).
        format: one of `FORMATS`.
        stream: it is not closed.
        of: the number of the leaderboard ("csv") or paper ("bibtex") that is asked for; without it, all of them.

    Raises:
        UserError: there is no such format, or "csv" is asked for without a leaderboard.
    """
    if format not in FORMATS:
        raise UserError(f"there is no format {format!r} to export; there are {', '.join([*FORMATS, *OF_FILES])}")
    write = import_module(f"noisystudent.board.exporting.{FORMATS[format]}").write
    if format in ("csv", "bibtex"):
        write(connection, stream, of=of)
    else:
        write(connection, stream)


def files(connection: sqlite3.Connection, format: str, left_out: Counter[str]) -> Iterator[tuple[str, bytes]]:
    """The files of a format of many, each a path within a folder and its bytes.

    Args:
        connection: as for `export`.
        format: one of `OF_FILES`.
        left_out: is counted up by what the format has no room for.
    """
    found: Iterator[tuple[str, bytes]] = import_module(f"noisystudent.board.exporting.{OF_FILES[format]}").files(
        connection, left_out
    )
    return found
