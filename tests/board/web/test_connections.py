"""What a client can take of the server by what it sends and how slowly; the clock and the network are the tests' own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from noisystudent.board.web import connections
from noisystudent.board.web.connections import Connection

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"


class Network:
    """A transport and a loop: what was written, whether it was closed, which timers wait, which tasks were begun."""

    def __init__(self) -> None:
        self.written, self.closed, self.aborted = b"", False, False
        self.timers: list[Timer] = []
        self.tasks: list[Any] = []

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, name: str) -> Any:
        return {"sockname": ("127.0.0.1", 80), "peername": ("192.0.2.1", 1)}.get(name)

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def call_later(self, seconds: float, call: Callable[..., None], *arguments: Any) -> Timer:
        self.timers.append(Timer(call, arguments))
        return self.timers[-1]

    def create_task(self, work: Any, **_: Any) -> Any:
        work.close()
        self.tasks.append(work)
        return asyncio.Future(loop=asyncio.new_event_loop())

    def ring(self) -> None:
        """As if all the time there is had passed."""
        for timer in self.timers:
            if not timer.cancelled:
                timer.call(*timer.arguments)


class Timer:
    def __init__(self, call: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        self.call, self.arguments, self.cancelled = call, arguments, False

    def cancel(self) -> None:
        self.cancelled = True


@pytest.fixture
def connect() -> Callable[[], tuple[Connection, Network]]:
    config, state = Config(lambda *_: None, log_config=None, ws="none", lifespan="off"), ServerState()

    def made() -> tuple[Connection, Network]:
        network = Network()
        connection = Connection(config, state, {}, network)  # type: ignore[arg-type]
        connection.connection_made(network)  # type: ignore[arg-type]
        return connection, network

    return made


Connect = Callable[[], tuple[Connection, Network]]


@pytest.mark.parametrize("sent", [b"", b"G", GET[:-2], POST, POST + b"abc", b"\r\n\r\n", GET + b"GET /", GET + b"\r\n"])
def test_half_a_request_is_not_waited_for(connect: Connect, sent: bytes) -> None:
    connection, network = connect()
    for at in range(len(sent)):
        connection.data_received(sent[at : at + 1])
    network.ring()
    assert network.written.startswith(b"HTTP/1.1 408")
    assert network.closed


def test_a_whole_request_has_all_the_time_that_it_takes_to_answer(connect: Connect) -> None:
    for sent in (GET, POST + b"abcd", GET + POST + b"abcd"):
        connection, network = connect()
        for at in range(len(sent)):
            connection.data_received(sent[at : at + 1])
        network.ring()
        assert len(network.tasks) == 1  # the one after it waits
        assert not network.closed


@pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\nX: ", GET + b"GET / HTTP/1.1\r\nX: "])
def test_headers_have_an_end(connect: Connect, start: bytes) -> None:
    connection, network = connect()
    connection.data_received(start)
    for _ in range(1_000):
        if network.closed:
            break
        connection.data_received(b"a" * 1_000)
    assert network.closed
    assert connection._header_bytes <= connections.MOST_OF_HEADERS + 1_000
    assert network.written.startswith(b"HTTP/1.1 431")


def test_a_body_is_no_header(connect: Connect) -> None:
    connection, network = connect()
    connection.data_received(POST.replace(b"4", b"500000"))
    connection.data_received(b"a" * 500_000)
    assert not network.closed


def test_who_does_not_read_is_left(connect: Connect) -> None:
    connection, network = connect()
    connection.data_received(GET)
    connection.pause_writing()
    connection.resume_writing()
    network.ring()
    assert not network.aborted
    connection.pause_writing()
    network.ring()
    assert network.aborted


def test_connections_are_counted(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 2)
    (first, _), (_, second), (refused, third) = connect(), connect(), connect()
    assert (second.closed, third.closed) == (False, True)
    assert third.written.startswith(b"HTTP/1.1 503")
    refused.connection_lost(None)
    first.connection_lost(None)
    assert not connect()[1].closed


def test_what_has_ended_rings_no_more(connect: Connect) -> None:
    connection, network = connect()
    connection.pause_writing()
    connection.connection_lost(None)
    assert all(timer.cancelled for timer in network.timers)
