"""The board as a server: settings that reach the workers, logs without secrets, health, what is refused."""

from __future__ import annotations

import json
import logging
import os
import socket
import sqlite3
from importlib import util
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from noisystudent.board import serve as module
from noisystudent.board.app import create_app
from noisystudent.board.catalogue.store import Store, migrations
from noisystudent.board.serve import AccessLog, JsonLines, Settings, application, serve, without_secrets
from noisystudent.board.trouble import told
from noisystudent.board.web.site import Site
from noisystudent.errors import RunError, UserError


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []
        self.setFormatter(JsonLines())

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record)))


@pytest.fixture
def log() -> Any:
    kept, logger = Kept(), logging.getLogger(module.ACCESS)
    logger.addHandler(kept)
    logger.setLevel(logging.INFO)
    yield kept.lines
    logger.removeHandler(kept)


# Logs


def test_a_request_is_one_line_without_secrets(store: Store, log: list[dict[str, Any]]) -> None:
    client = TestClient(AccessLog(create_app(Site(store.path))))
    client.get(
        "/health", params={"token": "nsb_secret", "q": "noisy student"}, headers={"Authorization": "Token nsb_other"}
    )
    (line,) = log
    assert (line["method"], line["path"], line["status"], line["client"]) == ("GET", "/health", 200, "testclient")
    assert line["query"] == "token=...&q=noisy+student"
    assert line["bytes"] > 0
    assert line["ms"] >= 0
    assert "nsb_" not in json.dumps(line)


def test_an_application_that_fails_is_logged_as_500(log: list[dict[str, Any]]) -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        TestClient(AccessLog(fails)).get("/x")
    assert log[0]["status"] == 500


@given(st.text(max_size=60))
def test_no_query_breaks_the_log_and_a_line_is_a_line(query: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "request", (), None)
    record.request = {"query": without_secrets(query)}
    line = JsonLines().format(record)
    assert "\n" not in line
    assert json.loads(line)["message"] == "request"


@pytest.mark.parametrize("name", ["token", "TOKEN", "receipt", "csrf_token", "password", "api_key", "signature"])
def test_secrets_are_known_by_their_names(name: str) -> None:
    assert without_secrets(f"{name}=hush&page=2") == f"{name}=...&page=2"


def test_an_error_in_the_log_has_its_traceback_in_the_line() -> None:
    try:
        raise ZeroDivisionError("by zero")
    except ZeroDivisionError as error:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), (type(error), error, error.__traceback__))
    line = JsonLines().format(record)
    assert "\n" not in line
    assert "by zero" in json.loads(line)["traceback"]


# Settings


def test_settings_reach_a_worker_through_the_environment(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"store": str(store.path), "name": "Our board", "address": "https://board.example.org", "read_only": True}
    monkeypatch.setenv(module.VARIABLE, json.dumps(given))
    wrapped = application()
    assert isinstance(wrapped, AccessLog)
    site = wrapped.app.state.site  # type: ignore[attr-defined]
    assert (site.store, site.name, site.address, site.read_only) == (
        store.path,
        "Our board",
        "https://board.example.org",
        True,
    )


class Stub:
    """In place of uvicorn: it keeps what it was given and ends at once."""

    seen: Any = None

    def __init__(self, config: Any, sockets: Any = None) -> None:
        Stub.seen = config

    def run(self, sockets: Any = None) -> None:
        pass


@pytest.fixture
def uvicorn_stub(monkeypatch: pytest.MonkeyPatch) -> type[Stub]:
    monkeypatch.setattr(module.uvicorn, "Server", Stub)
    monkeypatch.setattr(module, "Multiprocess", Stub)
    monkeypatch.setattr(module.signal, "signal", lambda *_: None)
    monkeypatch.setattr(module, "LOGGING", None)  # else the tests that follow would log as a server does
    monkeypatch.setenv(module.VARIABLE, "")
    return Stub


def test_only_a_named_proxy_is_believed(store: Store, uvicorn_stub: type[Stub]) -> None:
    serve(Settings(store.path, port=0))
    assert uvicorn_stub.seen.proxy_headers is False
    serve(Settings(store.path, port=0, trusted_proxy="10.0.0.1", workers=3))
    config = uvicorn_stub.seen
    assert (config.proxy_headers, config.forwarded_allow_ips, config.workers) == (True, "10.0.0.1", 3)
    assert json.loads(os.environ[module.VARIABLE])["store"] == str(store.path)


def test_the_address_is_told_with_the_port_that_was_free(store: Store, uvicorn_stub: type[Stub]) -> None:
    told_addresses: list[str] = []
    serve(Settings(store.path, host="0.0.0.0", port=0), announce=told_addresses.append)
    (address,) = told_addresses
    assert address.startswith("http://127.0.0.1:")
    assert int(address.rsplit(":", 1)[1]) > 0


def test_an_address_in_use_is_refused_in_one_sentence(store: Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UserError, match="cannot listen on 127"):
        serve(Settings(store.path, port=taken.getsockname()[1]))
    with pytest.raises(UserError, match="cannot listen on no such host"):
        serve(Settings(store.path, host="no such host", port=0))
    with pytest.raises(UserError, match=r"--address board\.example\.org: write it as"):
        serve(Settings(store.path, port=0, address="board.example.org"))
    with pytest.raises(UserError, match="board init"):
        serve(Settings(store.path.with_name("none.db"), port=0))


# Health


def test_health_says_what_a_monitor_asks(imagenet: Store) -> None:
    client = TestClient(create_app(Site(imagenet.path)))
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    assert (found["status"], found["schema"], found["last_event"]["id"], found["writable"]) == (
        "ok",
        len(migrations()),
        1,
        True,
    )
    assert TestClient(create_app(Site(imagenet.path, read_only=True))).get("/health").json()["writable"] is False


def test_a_catalogue_that_cannot_be_read_is_unhealthy(imagenet: Store) -> None:
    client = TestClient(create_app(Site(imagenet.path)))
    imagenet.path.unlink()
    answer = client.get("/health")
    assert answer.status_code == 503
    assert "cannot be read" in answer.json()["status"]


def test_health_waits_for_no_writer(imagenet: Store) -> None:
    client = TestClient(create_app(Site(imagenet.path)))
    with imagenet.changing("anna", "a long import"):
        assert client.get("/health").status_code == 200


# What cannot be done, told in one line


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    found = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == "fastapi" else found(name))
    with pytest.raises(UserError, match=r"fastapi.*pip install -e '.*\[board\]'"), told():
        pass


def test_what_the_database_cannot_do_is_told(store: Store, tmp_path: Path) -> None:
    def locked() -> None:
        first = store.connect()
        first.execute("BEGIN IMMEDIATE")
        second = store.connect()
        second.execute("PRAGMA busy_timeout = 0")
        try:
            with told():
                second.execute("BEGIN IMMEDIATE")
        finally:
            first.close()
            second.close()

    def no_folder() -> None:
        with told():
            Store(tmp_path / "none" / "board.db", create=True)

    with pytest.raises(RunError, match="another process has been writing"):
        locked()
    with pytest.raises(RunError, match="does its folder exist"):
        no_folder()
    with pytest.raises(sqlite3.OperationalError, match="syntax"), told():  # a mistake of ours is not dressed up
        store.connect().execute("SELEKT")
