"""What the database could not do, although nothing is wrong with the program, in a sentence."""

from __future__ import annotations

import sqlite3

# Of a log that stays there, SQLite would play what it holds into the backup.
PUT_BACK = "put a backup in its place, and delete the files beside it that end in -wal and -shm"
MESSAGES = {
    sqlite3.SQLITE_FULL: "the disk is full; nothing has changed. Free some space and do the same again",
    sqlite3.SQLITE_IOERR: "the catalogue cannot be read or written; nothing has changed. Is the disk full, or damaged?",
    sqlite3.SQLITE_BUSY: "another process has been writing for long; nothing has changed. Try again when it is done",
    sqlite3.SQLITE_READONLY: "the catalogue cannot be written: may this user write to the file and to its folder?",
    sqlite3.SQLITE_CANTOPEN: "the catalogue cannot be opened: does its folder exist, and may this user write to it?",
    sqlite3.SQLITE_CORRUPT: f"the catalogue is damaged: {PUT_BACK}; `noisystudent board check` may say more",
    sqlite3.SQLITE_NOTADB: f"this is no catalogue, or a damaged one: it is no SQLite file; {PUT_BACK}",
}


def message_of(error: sqlite3.Error) -> str | None:
    """What to tell of an error that is not the program's fault; None of all others."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else MESSAGES.get(code & 0xFF)
