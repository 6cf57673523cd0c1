"""Files that grow while they are read: by whom they are held up, and by whom not."""

from __future__ import annotations

import errno
import gc
import gzip
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from noisystudent.board.catalogue.store import LARGEST_LOG, Store
from noisystudent.board.exporting import growing
from noisystudent.board.exporting.growing import Files, GrowingFile

Held = Callable[[], None]
MUCH = 1 << 24  # bytes, more than any file here has
SLOW = """
import gzip, os, sqlite3, sys, time
store, format, go_on = sys.argv[1:]
event = sqlite3.connect(store).execute("SELECT max(id) FROM event").fetchone()[0]
with gzip.GzipFile(fileobj=sys.stdout.buffer, mode="wb", mtime=0) as file:
    file.write(format.encode() * 100_000)
    file.flush()
    sys.stdout.buffer.flush()
    print(event, file=sys.stderr, flush=True)
    while not os.path.exists(go_on):
        time.sleep(0.01)
    file.write(b"end")
"""


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Held:
    """Exports that write a first part and wait until they are let go on."""
    go_on = tmp_path / "go on"
    monkeypatch.setattr(
        growing, "program", lambda store, format: [sys.executable, "-c", SLOW, str(store.path), format, str(go_on)]
    )
    return go_on.touch


def event_of(store: Store) -> int:
    with store.reading() as connection:
        return int(connection.execute("SELECT max(id) FROM event").fetchone()[0])


def whole(file: GrowingFile) -> bytes:
    file._process.wait(60)
    return gzip.decompress(file.read(0, MUCH))


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
        kept[-1]._process.wait(60)
    assert files.of("datasets", change(noisy_student)) is None
    kept.clear()
    gc.collect()
    assert files.of("datasets", event_of(noisy_student)) is not None


def test_a_reader_who_does_not_come_back_keeps_no_snapshot(noisy_student: Store) -> None:
    files = Files(noisy_student)
    file = files.of("datasets", event_of(noisy_student))
    assert file is not None
    file._process.wait(60)  # nobody has read it
    with noisy_student.changing("anna", "much") as change:
        for number in range(20):
            change.edit("task", change.task(f"T{number}"), description="x" * (LARGEST_LOG // 16))
    log = noisy_student.path.with_name("board.db-wal")
    assert not log.exists() or log.stat().st_size <= LARGEST_LOG


def test_what_fails_is_tried_again(noisy_student: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    told = '{"error": "database or disk is full", "sqlite_errorcode": 13, "errno": null}'
    failing = f"import sys; sys.stderr.write({told!r}); sys.exit(1)"
    files, event = Files(noisy_student), event_of(noisy_student)
    with monkeypatch.context() as patch:
        patch.setattr(growing, "program", lambda store, format: [sys.executable, "-c", failing])
        with pytest.raises(sqlite3.OperationalError, match="full") as raised:
            files.of("datasets", event)
        assert raised.value.sqlite_errorcode == sqlite3.SQLITE_FULL
    again = files.of("datasets", event)
    assert again is not None
    assert whole(again).startswith(b"[")


def test_a_store_that_went_is_told(noisy_student: Store, tmp_path: Path) -> None:
    files, event = Files(noisy_student), event_of(noisy_student)
    noisy_student.path.rename(tmp_path / "elsewhere.db")
    with pytest.raises(RuntimeError, match="an export ended"):
        files.of("datasets", event)


def test_a_program_that_is_killed_ends_in_an_error(noisy_student: Store, held: Held) -> None:
    file = Files(noisy_student).of("datasets", event_of(noisy_student))
    assert file is not None
    os.kill(file._process.pid, signal.SIGKILL)
    file._process.wait(60)
    assert (file.is_made, file.is_whole) == (True, False)
    with pytest.raises(RuntimeError, match="an export ended"):
        file.check()


def test_nobody_works_on_what_nobody_has(noisy_student: Store, held: Held) -> None:
    file = GrowingFile(noisy_student, "datasets")
    file.begin()
    process, handle = file._process, file._file
    del file
    gc.collect()
    assert handle.closed
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    assert process.returncode == -signal.SIGKILL


def test_a_full_disk_is_said_with_its_number(noisy_student: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing.tempfile, "TemporaryFile", lambda: open("/dev/full", "r+b", 0))  # noqa: SIM115
    with pytest.raises(OSError, match="No space left") as raised:
        GrowingFile(noisy_student, "datasets").begin()
    assert raised.value.errno == errno.ENOSPC
