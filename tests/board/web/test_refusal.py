"""What readers and writers are told when the catalogue's file or the disk fails: a sentence, no traceback."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from noisystudent.board.app import create_app
from noisystudent.board.catalogue.store import Store
from noisystudent.board.submitting import tokens
from noisystudent.board.web.site import Site


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let the disk be full from now on: the store's file cannot grow."""
    connect = Store.connect

    def small(self: Store, **options: Any) -> sqlite3.Connection:
        connection = connect(self, **options)
        if not options.get("read_only"):
            connection.execute("PRAGMA max_page_count = 1")
        return connection

    return lambda: monkeypatch.setattr(Store, "connect", small)


def test_a_full_disk_is_507_for_writers_and_nothing_for_readers(imagenet: Store, full: Callable[[], None]) -> None:
    token = tokens.make(imagenet, "carla", ["curate"])
    client = TestClient(create_app(Site(imagenet.path)))
    full()
    body = {"name": "A", "description": "x" * 20_000}
    answer = client.post("/api/v1/tasks/", json=body, headers={"Authorization": f"Token {token}"})
    assert answer.status_code == 507
    assert answer.json()["detail"].startswith("The disk is full; nothing has changed.")
    assert client.get("/tasks").status_code == 200


def test_a_damaged_file_is_503(imagenet: Store) -> None:
    with imagenet.changing("anna", "add") as change:
        for number in range(300):
            change.task(f"Task {number}")
    imagenet.connect().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(imagenet.path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    client = TestClient(create_app(Site(imagenet.path)))
    imagenet.path.write_bytes(content)
    for path in ("/papers", "/tasks.json"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert "The catalogue is damaged" in answer.text
        assert answer.headers["retry-after"] == "60"


@pytest.mark.parametrize(("number", "status"), [(errno.ENOSPC, 507), (errno.EDQUOT, 507), (errno.EPERM, 500)])
def test_no_room_for_a_download(imagenet: Store, number: int, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise OSError(number, "it does not go")

    monkeypatch.setattr("noisystudent.board.exporting.growing.tempfile.TemporaryFile", failing)
    client = TestClient(create_app(Site(imagenet.path)), raise_server_exceptions=False)
    assert client.get("/export/methods.json.gz").status_code == status


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/papers", "GET, HEAD"),
        ("DELETE", "/submit/task", "GET, POST"),
        ("PUT", "/api/v1/tasks/", "GET, HEAD, POST"),
        ("POST", "/api/v1/tasks/x/", "DELETE, GET, HEAD, PATCH"),
        ("DELETE", "/health", "GET"),
        ("POST", "/static/style.css", "GET, HEAD"),
    ],
)
def test_what_is_not_allowed_names_all_that_is(store: Store, method: str, path: str, allowed: str) -> None:
    answer = TestClient(create_app(Site(store.path))).request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
