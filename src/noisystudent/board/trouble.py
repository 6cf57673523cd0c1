"""What keeps a command from being done although nothing is wrong with the program, told in one line."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from noisystudent.errors import RunError, UserError
from noisystudent.extras import how_to_install

EXTRA = ("fastapi", "markdown_it", "nh3", "python_multipart", "yaml", "uvicorn")
MESSAGES = {
    sqlite3.SQLITE_FULL: "the disk is full; nothing has changed. Free some space and give the same command again",
    sqlite3.SQLITE_IOERR: "the catalogue cannot be read or written; nothing has changed. Is the disk full, or damaged?",
    sqlite3.SQLITE_BUSY: "another process has been writing for a minute; nothing has changed. Try again when it is done",
    sqlite3.SQLITE_READONLY: "the catalogue cannot be written: may you write to the file and to its folder?",
    sqlite3.SQLITE_CANTOPEN: "the catalogue cannot be opened: does its folder exist, and may you write to it?",
    sqlite3.SQLITE_CORRUPT: "the catalogue is damaged: `noisystudent board check` says more; put a backup in its place",
    sqlite3.SQLITE_NOTADB: "the catalogue is damaged: it is no SQLite file any more; put a backup in its place",
}


@contextmanager
def told() -> Iterator[None]:
    """Around a command of the board: missing packages and what the database cannot do become a message.

    Raises:
        UserError: the extra `board` is not installed.
        RunError: the disk is full, the file is damaged or in use.
    """
    missing = [name for name in EXTRA if find_spec(name) is None]
    if missing:
        raise UserError(f"the board needs packages that are missing ({', '.join(missing)}): {how_to_install('board')}")
    try:
        yield
    except sqlite3.Error as error:
        message = message_of(error)
        if message is None:
            raise
        raise RunError(f"{message} ({error})") from error


def message_of(error: sqlite3.Error) -> str | None:
    """What to tell of an error that is not the program's fault; None of all others."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else MESSAGES.get(code & 0xFF)
