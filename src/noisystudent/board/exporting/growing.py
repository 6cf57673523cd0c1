"""Files of the catalogue for many readers: each is made once for a state of it, at its own pace, and read while it grows.

So a reader who is slow, or who has gone, holds up neither the making nor the snapshot of the catalogue that it reads. A process of its own
makes it (`packed.py`), so that those who answer readers of pages are not held up either; it is ended when nobody has the file any more.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import weakref

from noisystudent.board.catalogue.store import Store

MOST_MADE = 2  # at a time: each keeps a core busy
MOST_KEPT = 12  # files on the disk, of older states of the catalogue too, as long as they are read


def program(store: Store, format: str) -> list[str]:
    """The command that makes a file."""
    return [sys.executable, "-m", "noisystudent.board.exporting.packed", str(store.path), format]


class GrowingFile:
    """A gzipped export in a file without a name, which goes when nobody has it any more.

    Args:
        store: what is exported, as it is when the file is begun.
        format: of `noisystudent.board.exporting.FORMATS`.
    """

    def __init__(self, store: Store, format: str) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # it is open for as long as this object is there
        weakref.finalize(self, self._file.close)
        self._process = subprocess.Popen(
            program(store, format), stdin=subprocess.DEVNULL, stdout=self._file, stderr=subprocess.PIPE, text=True
        )
        self._event: int | None = None
        self._lock = threading.Lock()
        weakref.finalize(self, _end, self._process)

    def begin(self) -> int:
        """Wait until there is something to read; the event after which the catalogue was so, or raise what went wrong."""
        with self._lock:
            if self._event is None:
                assert self._process.stderr is not None
                line = self._process.stderr.readline()
                if not line.strip().isdigit():
                    told = line + self._process.stderr.read()
                    self._process.wait()  # from here on it `has_failed`
                    raise _error(told)
                self._event = int(line)
            return self._event

    def read(self, at: int, most: int) -> bytes:
        """What there is from a place on, so far; all of it, once the file is whole."""
        return os.pread(self._file.fileno(), most, at)

    @property
    def is_whole(self) -> bool:
        """Whether all of it is there."""
        return self._process.poll() == 0

    @property
    def is_made(self) -> bool:
        """Whether nobody works on it any more."""
        return self._process.poll() is not None

    @property
    def has_failed(self) -> bool:
        """Whether it will never be whole."""
        return self.is_made and not self.is_whole

    def check(self) -> None:
        """Raise what went wrong, where something did after the beginning."""
        if self.has_failed:
            with self._lock:
                assert self._process.stderr is not None
                raise _error(self._process.stderr.read())


class Files:
    """The newest file of each format, and those that are still read. Safe among threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._newest: dict[str, GrowingFile] = {}
        self._living: weakref.WeakSet[GrowingFile] = weakref.WeakSet()

    def of(self, format: str, event: int) -> GrowingFile | None:
        """The file of a format as the catalogue is after an event, or later; None where too many are made or read."""
        with self._lock:
            newest = self._newest.get(format)
            if newest is None or newest.has_failed or newest.begin() < event:
                if sum(not file.is_made for file in self._living) >= MOST_MADE or len(self._living) >= MOST_KEPT:
                    return None
                newest = self._newest[format] = GrowingFile(self._store, format)
                self._living.add(newest)
        newest.begin()
        return newest


def _error(told: str) -> Exception:
    """What a program said before it ended, as the error that it met."""
    last = next(iter(told.strip().splitlines()[::-1]), "it said nothing")
    try:
        said = json.loads(last)
    except ValueError:
        return RuntimeError(f"an export ended: {last}")
    if said["sqlite_errorcode"] is None:
        return OSError(said["errno"], said["error"])
    error = sqlite3.OperationalError(said["error"])
    error.sqlite_errorcode = said["sqlite_errorcode"]
    return error


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    if process.stderr is not None:
        process.stderr.close()
