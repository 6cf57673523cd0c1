"""One SQLite file: opening it, bringing it to the newest schema, reading from it, changing it."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path

from noisystudent import atomic
from noisystudent.board.catalogue import veil
from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.failures import PUT_BACK, message_of
from noisystudent.errors import RunError, UserError

APPLICATION_ID = 0x6E737462  # "nstb": SQLite's header says which program a file belongs to
BUSY_SECONDS = 60.0  # how long a writer waits for the one before it
LARGEST_LOG = 64 << 20  # bytes that the write-ahead log keeps when all of it is in the file
LONGEST_LOG = 256 << 20  # from which on large changes wait for those who read what was before


class Store:
    """A catalogue's file. Any number of processes may read it while one writes (write-ahead log).

    Args:
        path: the file.
        create: make it where it does not exist.
        read_only: never change the file, not even its schema.
        patience: seconds that a writer waits for another, before sqlite3.OperationalError says "locked".

    Raises:
        UserError: the file is missing, is not a catalogue, or was made by a newer version.
        RunError: it is damaged.

    Example:
        >>> import tempfile
        >>> store = Store(Path(tempfile.mkdtemp()) / "board.db", create=True)
        >>> with store.changing("anna", "add a task") as change:
        ...     task = change.task("Image Classification")
        >>> with store.reading() as connection:
        ...     connection.execute("SELECT slug FROM task").fetchone()["slug"]
        'image-classification'
    """

    def __init__(
        self, path: Path, *, create: bool = False, read_only: bool = False, patience: float = BUSY_SECONDS
    ) -> None:
        self.path = Path(path)
        self.patience = patience
        self.read_only = read_only
        self._kept = threading.local()  # a thread's connection is opened once: its page cache stays warm
        if not self.path.exists() and not create:
            raise UserError(
                f"--store {path}: there is no such file; `noisystudent board init --store {path}` makes one"
            )
        if not create and not self.path.stat().st_size:
            raise RunError(f"--store {path}: the catalogue is damaged: nothing is left in the file; {PUT_BACK}")
        self._check()
        if not read_only:
            self._migrate()

    @contextmanager
    def reading(self, *, unveiled: bool = False) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the catalogue from its first query on, and cannot change it.

        Args:
            unveiled: with what curators hid, for them.
        """
        name = "unveiled" if unveiled else "connection"
        kept: sqlite3.Connection | None = getattr(self._kept, name, None)
        if kept is None:
            kept = self.connect(read_only=True)
            setattr(self._kept, name, kept)
        if kept.in_transaction:
            raise RuntimeError("reading within reading: hand the connection on")
        if unveiled:
            kept.execute("BEGIN")
        else:
            self._begin_veiled(kept)
        try:
            yield kept
        finally:
            kept.execute("ROLLBACK")

    def _begin_veiled(self, connection: sqlite3.Connection) -> None:
        """Begin to read a state of the catalogue behind the veil that is of that very state."""
        while True:
            connection.execute("BEGIN")
            if veil.state(connection) == getattr(self._kept, "veiled", 0):
                return
            connection.execute("ROLLBACK")
            self._kept.veiled = veil.draw(connection, getattr(self._kept, "veiled", 0))

    @contextmanager
    def changing(self, actor: str, action: str, note: str = "") -> Iterator[Change]:
        """One change of the catalogue: all of it or nothing, with its row in the event log.

        Args:
            actor: who does it.
            action: what is done, in a word or two.
            note: why.
        """
        with self.noting() as connection:
            change = Change(connection)
            yield change
            change.finish(actor, action, note)

    @contextmanager
    def noting(self) -> Iterator[sqlite3.Connection]:
        """A connection that alone may write, for what is no change of the catalogue and has no event: all of it or nothing."""
        connection = self.connect()
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
            self._shorten_log(connection)
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            connection.close()

    def _shorten_log(self, connection: sqlite3.Connection) -> None:
        """After a large change: its log into the file and off the disk; where somebody reads what was before, a later one sees to it."""
        if self._log_bytes() <= LARGEST_LOG:
            return
        _, pages, written = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if written == pages:
            connection.execute("PRAGMA busy_timeout = 50")  # milliseconds in which nobody else can write
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def wait_for_readers(self, seconds: float) -> None:
        """For who makes large changes one after the other: while somebody reads what was before, the log only grows.

        Args:
            seconds: how long at most.
        """
        end = time.monotonic() + seconds
        while self._log_bytes() > LONGEST_LOG and time.monotonic() < end:
            time.sleep(0.2)
            with closing(self.connect()) as connection:
                self._shorten_log(connection)

    def connect(self, *, read_only: bool = False) -> sqlite3.Connection:
        """A connection in autocommit mode, its rows by name; whoever takes it closes it."""
        mode = "ro" if read_only or self.read_only else "rw"
        connection = sqlite3.connect(self._address(mode), uri=True, isolation_level=None, timeout=self.patience)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")  # a change that was answered survives a loss of power
        connection.execute(f"PRAGMA journal_size_limit = {LARGEST_LOG}")
        connection.execute(
            f"PRAGMA cache_size = {-16384 if mode == 'ro' else -65536}"
        )  # readers, who are many, have mapped pages
        connection.execute("PRAGMA mmap_size = 1073741824")
        if mode == "ro":
            connection.execute("PRAGMA query_only = ON")
        return connection

    def _address(self, mode: str) -> str:
        """The file for SQLite. Where nothing can be written beside it, nobody changes it, and no log of changes is looked for."""
        frozen = self.read_only and not os.access(self.path.absolute().parent, os.W_OK) and not self._log_bytes()
        return f"{self.path.absolute().as_uri()}?mode={mode}{'&immutable=1' if frozen else ''}"

    def _log_bytes(self) -> int:
        try:
            return self.path.with_name(f"{self.path.name}-wal").stat().st_size
        except FileNotFoundError:  # whoever closes last takes it away
            return 0

    def _check(self) -> None:
        """That an existing file is a catalogue, and not of a later version."""
        if not self.path.exists() or self.path.stat().st_size == 0:
            return
        connection = sqlite3.connect(self._address("ro"), uri=True, timeout=BUSY_SECONDS)
        try:
            owner = connection.execute("PRAGMA application_id").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            empty = connection.execute("SELECT count(*) = 0 FROM sqlite_schema").fetchone()[0]
        except sqlite3.DatabaseError as error:
            if (message := message_of(error)) is None:
                raise
            raise RunError(f"--store {self.path}: {message} ({error})") from error
        finally:
            connection.close()
        if owner != APPLICATION_ID and not (owner == version == 0 and empty):  # killed while it was made: begun anew
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
        """The steps that the file has not had, all or none of them; a copy of what was there is kept beside it first."""
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=BUSY_SECONDS)
        try:
            steps = migrations()
            if connection.execute("PRAGMA user_version").fetchone()[0] == len(steps):
                return
            _keep_a_log(connection)
            connection.execute("BEGIN IMMEDIATE")  # of several that come at once, one works and the others find it done
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if 0 < version < len(steps):
                # What a killed attempt left is replaced: the store may have changed since.
                copy(self.path, self.path.with_name(f"{self.path.name}.before-schema-{version + 1}"), replace=True)
            for statement in (statement for step in steps[version:] for statement in statements(step)):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {len(steps)}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            connection.close()


def _keep_a_log(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on. SQLite answers "locked" at once, whatever the timeout, where several turn it on together."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        time.sleep(0.01)


def migrations() -> list[str]:
    """The SQL of every version of the schema, in order."""
    folder = files("noisystudent.board.catalogue") / "migrations"
    scripts = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return [script.read_text(encoding="utf-8") for script in scripts]


def statements(script: str) -> Iterator[str]:
    r"""The statements of a script, which begin on lines of their own; `sqlite3`'s `executescript` would commit what came before.

    Example:
        >>> list(statements("CREATE TABLE a (b);\nINSERT INTO a -- why\nVALUES (1);"))
        ['CREATE TABLE a (b);\n', 'INSERT INTO a -- why\nVALUES (1);']
    """
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement


def copy(store: Path, to: Path, *, replace: bool = False) -> None:
    """A whole copy of a catalogue while others read and write it.

    Args:
        store, to: the file and its copy, which is there when it is whole.
        replace: put it in the place of one that is there.

    Raises:
        UserError: `to` exists, or its folder does not.
    """
    if to.exists() and not replace:
        raise UserError(f"{to} exists: give a new name, nothing is overwritten")
    if not to.absolute().parent.is_dir():
        raise UserError(f"{to.absolute().parent} is no folder")
    address = f"{store.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as source, atomic.replacing(to) as temporary:
        temporary.unlink(missing_ok=True)  # of a process that was killed
        with closing(sqlite3.connect(temporary)) as target:
            # One of a copy that was killed would be played into the next one, which has the same name.
            target.execute("PRAGMA journal_mode = OFF")
            source.backup(target)
