"""A store that version 0.1.0 made opens: with all of its rows and events, under kill -9 too, and everything can be done with it.

store-0.1.0.db.xz was made by the board as it stood at commit a390520: the seed, an import, tokens, submissions that were
approved, rejected, restored and wait, a corrected result, a run.
"""

from __future__ import annotations

import lzma
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from noisystudent.board import seed
from noisystudent.board.app import create_app
from noisystudent.board.catalogue.check import check
from noisystudent.board.catalogue.history import restore
from noisystudent.board.catalogue.store import Store, migrations, statements
from noisystudent.board.submitting import submissions, tokens
from noisystudent.board.web.site import Site

OLD = Path(__file__).with_name("store-0.1.0.db.xz")
TOKEN = "nsb_Y9ZhKZcHNwB-DGySzZfi6JnEe2Ik_ApkWkiOkTlSPng"  # of a curator, made for this test


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "board.db"
    path.write_bytes(lzma.decompress(OLD.read_bytes()))
    return path


def tables(path: Path) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables but those of the search."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        names = [row["name"] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {
            name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")]
            for name in names
            if "_search" not in name and not name.startswith("sqlite")
        }


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def assert_all_is_there(before: dict[str, list[dict[str, Any]]], path: Path) -> None:
    after = tables(path)
    for name, rows in before.items():
        assert [{key: row[key] for key in rows[0]} if rows else row for row in after[name]] == rows, name


def test_it_opens_with_every_row(old: Path) -> None:
    before = tables(old)
    assert version(old) == 1
    assert [len(before[table]) for table in ("event", "submission", "run")] == [13, 8, 1]
    store = Store(old)
    assert version(old) == len(migrations()) > 1
    assert_all_is_there(before, old)
    assert_all_is_there(before, old.with_name("board.db.before-schema-2"))
    assert check(store)["ok"]


KILLED = """
import os, signal, sys
from pathlib import Path
from noisystudent.board.catalogue import store as module
real, count = module.statements, int(sys.argv[2])
def dying(script):
    for statement in real(script):
        global count
        if count == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        count -= 1
        yield statement
module.statements = dying
module.Store(Path(sys.argv[1]))
"""


def test_a_kill_anywhere_leaves_it_as_it_was(old: Path) -> None:
    before = tables(old)
    for count in range(sum(1 for script in migrations()[1:] for _ in statements(script))):
        killed = subprocess.run([sys.executable, "-c", KILLED, str(old), str(count)], capture_output=True, text=True)
        assert killed.returncode == -signal.SIGKILL, (count, killed.stderr)
        assert version(old) == 1
        assert_all_is_there(before, old)
    Store(old)
    assert_all_is_there(before, old)


def test_what_was_begun_in_it_goes_on(old: Path) -> None:
    store = Store(old)
    with store.reading() as connection:
        (waiting,), _ = submissions.waiting(connection)
        token = tokens.authenticate(connection, TOKEN)
        assert token is not None
        assert token.name == "anna"
        newest = connection.execute("SELECT max(id) FROM event").fetchone()[0]
    submissions.approve(store, waiting.id, actor="carla")
    restore(store, newest, actor="carla")  # the run is taken back
    assert seed.load(store, actor="operator") == {"result": 9, "value": 9}  # those whose code no older seed named
    assert check(store)["ok"]


def test_its_pages_are_served(old: Path) -> None:
    with TestClient(create_app(Site(old))) as client:
        board = client.get("/sota/bird-recognition-on-garden-birds")
        assert board.status_code == 200
        assert "92.5" in board.text
        assert "91.5" not in board.text
        as_it_was = client.get("/sota/bird-recognition-on-garden-birds", params={"as_of": "2026-01-01"})
        assert as_it_was.status_code == 200
        for address in (
            "/",
            "/paper/birds-in-gardens",
            "/history/bird-recognition-on-garden-birds",
            "/sota/toad-recognition-on-ponds",
            "/api/v1/papers/",
        ):
            assert client.get(address).status_code == 200, address
        frogs = {"kind": "task", "payload": {"name": "Newt Recognition"}}
        answer = client.post("/api/v1/submissions/", json=frogs, headers={"Authorization": f"Token {TOKEN}"})
        assert answer.status_code == 201, answer.text
