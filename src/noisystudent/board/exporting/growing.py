"""Files of the catalogue for many readers: each is made once for a state of it, at its own pace, and read while it grows.

So a reader who is slow, or who has gone, holds up neither the making nor the snapshot of the catalogue that it reads.
"""

from __future__ import annotations

import gzip
import os
import tempfile
import threading
import weakref
from contextlib import closing
from typing import BinaryIO, cast

from noisystudent.board.catalogue.history import last_event
from noisystudent.board.catalogue.store import Store
from noisystudent.board.exporting import export

MOST_MADE = 2  # at a time: each keeps a core busy
MOST_KEPT = 12  # files on the disk, of older states of the catalogue too, as long as they are read


class GrowingFile:
    """A gzipped export in a file without a name, which goes when nobody has it any more.

    Args:
        store: what is exported, as it is when the file is begun; `event` is that state's number.
        format: of `noisystudent.board.exporting.FORMATS`.
    """

    event = 0
    size = 0
    is_whole = False
    error: BaseException | None = None

    def __init__(self, store: Store, format: str) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # it is open for as long as this object is there
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._make, args=(store, format), name=f"export {format}", daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Wait until there is something to read, or raise what went wrong."""
        self._begun.wait()
        if self.error is not None:
            raise self.error

    def is_of(self, event: int) -> bool:
        """Whether it has the catalogue as it is after an event."""
        self._begun.wait()
        return self.event >= event and self.error is None

    def read(self, at: int, most: int) -> bytes:
        """What there is from a place on, so far; all of it, once the file is whole."""
        return os.pread(self._file.fileno(), min(most, self.size - at), at)

    def write(self, data: bytes) -> int:
        """For the one who makes it."""
        if data:
            self._file.write(data)
            self._file.flush()
            self.size += len(data)
            self._begun.set()
        return len(data)

    def _make(self, store: Store, format: str) -> None:
        try:
            with closing(store.connect(read_only=True)) as connection:
                connection.execute("BEGIN")
                self.event = last_event(connection)  # GzipFile writes its first bytes at once
                with gzip.GzipFile(
                    filename="", mode="wb", compresslevel=6, fileobj=cast(BinaryIO, self), mtime=0
                ) as file:
                    export(connection, format, cast(BinaryIO, file))
            self.is_whole = True
        except BaseException as error:
            self.error = error
        self._begun.set()

    @property
    def is_made(self) -> bool:
        """Whether nobody works on it any more."""
        return self.is_whole or self.error is not None


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
            if newest is None or not newest.is_of(event):
                if sum(not file.is_made for file in self._living) >= MOST_MADE or len(self._living) >= MOST_KEPT:
                    return None
                newest = self._newest[format] = GrowingFile(self._store, format)
                self._living.add(newest)
        newest.begin()
        return newest
