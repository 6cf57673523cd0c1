"""What one connection may take of the server: bytes of headers, time to ask and time to read; and how many there are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_CONNECTIONS = 1_000  # of one worker; each may keep about 0.4 MB
MOST_OF_HEADERS = 64 << 10  # bytes, and what comes with the last of them: a quarter of a megabyte at most
SECONDS_TO_ASK = 30.0  # for a whole request, its body of a megabyte included
SECONDS_TO_READ = 30.0  # for the next 48 kB of an answer


class Connection(HttpToolsProtocol):
    """uvicorn's, with bounds: its own has none for headers, and a time for the pause between two requests only.

    It is a subclass since uvicorn's parser calls its methods, and nothing else says where a request begins and ends.
    """

    _in_headers = False
    _header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._asking = Alarm(self.loop, SECONDS_TO_ASK, lambda: self._refuse(b"408 Request Timeout"))
        self._reading = Alarm(self.loop, SECONDS_TO_READ, transport.abort)
        self._asking.set()
        if len(self.connections) > MOST_CONNECTIONS:
            self._refuse(b"503 Service Unavailable")

    def data_received(self, data: bytes) -> None:
        self._asking.set()
        super().data_received(data)
        if self._in_headers:
            self._header_bytes += len(data)
            if self._header_bytes > MOST_OF_HEADERS:
                self._refuse(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_headers, self._header_bytes = True, 0

    def on_headers_complete(self) -> None:
        self._in_headers = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._asking.stop()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reading.set()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._reading.stop()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._asking.stop()
        self._reading.stop()

    def _refuse(self, status: bytes) -> None:
        """Say why, where no answer is half said, and end."""
        if self.transport.is_closing():
            return
        if self.cycle is None or not self.cycle.response_started or self.cycle.response_complete:
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        self.transport.close()


class Alarm:
    """A call that is made unless it is stopped in time; set twice, it rings at the first time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, call: Callable[[], None]) -> None:
        self._loop, self._seconds, self._call = loop, seconds, call
        self._timer: asyncio.TimerHandle | None = None

    def set(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._call)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
