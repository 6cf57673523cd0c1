"""Files that grow while they are read: by whom they are held up, and by whom not."""

from __future__ import annotations

import gc
import gzip
import sqlite3
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO

import pytest

from noisystudent.board.catalogue.store import LARGEST_LOG, Store
from noisystudent.board.exporting import growing
from noisystudent.board.exporting.growing import Files, GrowingFile

Held = Callable[[], None]


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """Exports that write a first part and wait until they are let go on."""
    go_on = threading.Event()

    def slow(connection: sqlite3.Connection, format: str, stream: BinaryIO) -> None:
        stream.write(format.encode() * 100_000)
        assert go_on.wait(60)
        stream.write(b"end")

    monkeypatch.setattr(growing, "export", slow)
    yield go_on.set
    go_on.set()


def event_of(store: Store) -> int:
    with store.reading() as connection:
        return int(connection.execute("SELECT max(id) FROM event").fetchone()[0])


def whole(file: GrowingFile) -> bytes:
    file._thread.join(60)
    return gzip.decompress(file.read(0, file.size))


def whole_or_error(file: GrowingFile | None) -> None:
    assert file is not None
    file._thread.join(60)
    file.begin()


def change(store: Store) -> int:
    with store.changing("anna", "add") as made:
        made.task(f"Task {made.event}")
    return event_of(store)


def test_a_state_is_written_once_for_all_who_read_it(noisy_student: Store, held: Held) -> None:
    files, event = Files(noisy_student), event_of(noisy_student)
    first, second = files.of("datasets", event), files.of("datasets", event)
    assert first is second
    assert first is not None
    assert first.read(0, 2) == b"\x1f\x8b"
    assert not first.is_whole
    held()
    assert whole(first) == b"datasets" * 100_000 + b"end"
    assert files.of("datasets", event) is first
    assert files.of("datasets", change(noisy_student)) is not first


def test_two_are_made_at_once(noisy_student: Store, held: Held) -> None:
    files, event = Files(noisy_student), event_of(noisy_student)
    kept = [files.of("datasets", event), files.of("methods", event)]
    assert files.of("bibtex", event) is None
    assert files.of("methods", event) is kept[1]
    held()
    for file in kept:
        assert file is not None
        whole(file)
    assert files.of("bibtex", event) is not None


def test_readers_of_old_states_are_counted(noisy_student: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "MOST_KEPT", 3)
    files, kept = Files(noisy_student), []
    for _ in range(3):
        kept.append(files.of("datasets", change(noisy_student)))
        kept[-1]._thread.join(60)
    assert files.of("datasets", change(noisy_student)) is None
    kept.clear()
    gc.collect()
    assert files.of("datasets", event_of(noisy_student)) is not None


def test_a_reader_who_does_not_come_back_keeps_no_snapshot(noisy_student: Store) -> None:
    files = Files(noisy_student)
    file = files.of("datasets", event_of(noisy_student))
    assert file is not None
    file._thread.join(60)  # nobody has read it
    with noisy_student.changing("anna", "much") as change:
        for number in range(20):
            change.edit("task", change.task(f"T{number}"), description="x" * (LARGEST_LOG // 16))
    log = noisy_student.path.with_name("board.db-wal")
    assert not log.exists() or log.stat().st_size <= LARGEST_LOG


def test_what_fails_is_tried_again(noisy_student: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(connection: sqlite3.Connection, format: str, stream: BinaryIO) -> None:
        raise sqlite3.OperationalError("the disk is full")

    files, event = Files(noisy_student), event_of(noisy_student)
    with monkeypatch.context() as patch:
        patch.setattr(growing, "export", failing)
        with pytest.raises(sqlite3.OperationalError, match="full"):  # by now, or when it is waited for
            whole_or_error(files.of("datasets", event))
    again = files.of("datasets", event)
    assert again is not None
    assert gzip.decompress(whole(again) and again.read(0, again.size)).startswith(b"[")
