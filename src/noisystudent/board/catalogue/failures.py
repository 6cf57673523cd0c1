"""What the database could not do, although nothing is wrong with the program, in a sentence."""

from __future__ import annotations

import sqlite3

# Of a log that stays there, SQLite would play what it holds into the backup.
PUT_BACK = "put a backup in its place, and delete the files beside it that end in -wal and -shm"
MESSAGES = {
    sqlite3.SQLITE_FULL: "the disk is full; {changed}. Free some space and do the same again",
    sqlite3.SQLITE_IOERR: "the catalogue cannot be read or written; {changed}. Is the disk full, or damaged?",
    sqlite3.SQLITE_BUSY: "another process has been writing for long; {changed}. Try again when it is done",
    sqlite3.SQLITE_READONLY: "the catalogue cannot be written: may this user write to the file and to its folder?",
    sqlite3.SQLITE_CANTOPEN: "the catalogue cannot be opened: does its folder exist, and may this user write to it?",
    sqlite3.SQLITE_CORRUPT: f"the catalogue is damaged: {PUT_BACK}; `noisystudent board check` may say more",
    sqlite3.SQLITE_NOTADB: f"this is no catalogue, or a damaged one: it is no SQLite file; {PUT_BACK}",
}


def message_of(error: sqlite3.Error, changed: str = "nothing has changed") -> str | None:
    """What to tell of an error that is not the program's fault; None of all others.

    Args:
        changed: what was done before it.
    """
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else message_of_code(code & 0xFF, changed)


def message_of_code(code: int, changed: str = "nothing has changed") -> str | None:
    """The same of SQLite's number for an error."""
    return MESSAGES[code].format(changed=changed) if code in MESSAGES else None
