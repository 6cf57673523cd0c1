"""One SQLite file: opening it, bringing it to the newest schema, reading from it, changing it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from noisystudent.board.catalogue import Change
from noisystudent.errors import UserError

APPLICATION_ID = 0x6E737462  # "nstb": SQLite's header says which program a file belongs to
BUSY_SECONDS = 60.0  # how long a writer waits for the one before it


class Store:
    """A catalogue's file. Any number of processes may read it while one writes (write-ahead log).

    Args:
        path: the file.
        create: make it where it does not exist.
        read_only: never change the file, not even its schema.

    Raises:
        UserError: the file is missing, is not a catalogue, or was made by a newer version.

    Example:
        >>> import tempfile
        >>> store = Store(Path(tempfile.mkdtemp()) / "board.db", create=True)
        >>> with store.changing("anna", "add a task") as change:
        ...     task = change.task("Image Classification")
        >>> with store.reading() as connection:
        ...     connection.execute("SELECT slug FROM task").fetchone()["slug"]
        'image-classification'
    """

    def __init__(self, path: Path, *, create: bool = False, read_only: bool = False) -> None:
        self.path = Path(path)
        self.read_only = read_only
        self._kept = threading.local()  # a thread's connection is opened once: its page cache stays warm
        if not self.path.exists() and not create:
            raise UserError(
                f"--store {path}: there is no such file; `noisystudent board init --store {path}` makes one"
            )
        self._check()
        if not read_only:
            self._migrate()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the catalogue from its first query on, and cannot change it."""
        kept: sqlite3.Connection | None = getattr(self._kept, "connection", None)
        if kept is None:
            kept = self._kept.connection = self.connect(read_only=True)
        if kept.in_transaction:
            raise RuntimeError("reading within reading: hand the connection on")
        kept.execute("BEGIN")
        try:
            yield kept
        finally:
            kept.execute("ROLLBACK")

    @contextmanager
    def changing(self, actor: str, action: str, note: str = "") -> Iterator[Change]:
        """One change of the catalogue: all of it or nothing, with its row in the event log.

        Args:
            actor: who does it.
            action: what is done, in a word or two.
            note: why.
        """
        connection = self.connect()
        try:
            connection.execute("BEGIN IMMEDIATE")
            change = Change(connection)
            yield change
            change.finish(actor, action, note)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            connection.close()

    def connect(self, *, read_only: bool = False) -> sqlite3.Connection:
        """A connection in autocommit mode, its rows by name; whoever takes it closes it."""
        mode = "ro" if read_only or self.read_only else "rw"
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=BUSY_SECONDS
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")  # a change that was answered survives a loss of power
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute("PRAGMA mmap_size = 1073741824")
        if mode == "ro":
            connection.execute("PRAGMA query_only = ON")
        return connection

    def _check(self) -> None:
        """That an existing file is a catalogue, and not of a later version."""
        if not self.path.exists() or self.path.stat().st_size == 0:
            return
        connection = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)
        try:
            owner = connection.execute("PRAGMA application_id").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.DatabaseError as error:
            raise UserError(f"--store {self.path} is not a catalogue: {error}") from error
        finally:
            connection.close()
        if owner != APPLICATION_ID:
            raise UserError(f"--store {self.path} is an SQLite file of another program: give another name")
        if version > len(migrations()):
            raise UserError(
                f"--store {self.path} was made by a newer version (schema {version}, this one knows {len(migrations())}): upgrade"
            )
        if self.read_only and version < len(migrations()):
            raise UserError(
                f"--store {self.path} has an older schema: run `noisystudent board check --store {self.path}` once"
            )

    def _migrate(self) -> None:
        """Each step that the file has not had, in a transaction of its own; a copy of what was there is kept beside it first."""
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=BUSY_SECONDS)
        try:
            if connection.execute("PRAGMA user_version").fetchone()[0] == len(migrations()):
                return
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            connection.execute("ROLLBACK")
            if 0 < version < len(migrations()):
                copy(self.path, self.path.with_name(f"{self.path.name}.before-schema-{version + 1}"))
            for number, script in enumerate(migrations()[version:], version + 1):
                connection.executescript(
                    f"BEGIN IMMEDIATE;\n{script}\nPRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {number};\nCOMMIT;"
                )
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            connection.close()


def migrations() -> list[str]:
    """The SQL of every version of the schema, in order."""
    folder = files("noisystudent.board") / "migrations"
    scripts = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return [script.read_text(encoding="utf-8") for script in scripts]


def copy(store: Path, to: Path) -> None:
    """A whole copy of a catalogue while others read and write it; nothing that exists is overwritten.

    Raises:
        UserError: `to` exists.
    """
    if to.exists():
        raise UserError(f"{to} exists: give a new name, nothing is overwritten")
    temporary = to.with_name(f".{to.name}.tmp")
    temporary.unlink(missing_ok=True)
    source = sqlite3.connect(f"{store.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)
    try:
        target = sqlite3.connect(temporary)
        try:
            source.backup(target)
        finally:
            target.close()
        temporary.rename(to)
    finally:
        source.close()
        temporary.unlink(missing_ok=True)
