"""Ctrl-C and SIGTERM, which Slurm, Docker and systemd send: whoever is asked to stop may first save what it has."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)
SOON = b"noisystudent: stopping as soon as this step is saved; once more stops at once\n"
Handler = Callable[[int, FrameType | None], Any]


class Stopped(KeyboardInterrupt):
    """The user, or the machine, asked for the end.

    Args:
        message: what was saved.
        number: of the signal.
    """

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number


class StopRequest:
    """Whether a signal came, while one waits for the end of a step."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._waits = False

    def wait(self) -> None:
        """From now on a signal waits; before, there is nothing that would have to be saved, and it stops at once."""
        self._waits = True

    @property
    def came(self) -> bool:
        return self.number is not None

    def stop(self, message: str, *, anyway: bool = False) -> None:
        """End, if a signal came; `anyway`: or since it came to another process.

        Raises:
            Stopped: with this message.
        """
        if self.number is not None or anyway:
            raise Stopped(message, self.number or signal.SIGTERM)

    def _receive(self, number: int, _: FrameType | None) -> None:
        if self.came or not self._waits:
            raise Stopped("stopped", number)
        self.number = number
        os.write(2, SOON)  # a handler may interrupt a print to the same stream, which takes no second one meanwhile


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Within the block the first signal only leaves a request; the second one stops at once.

    Only the main thread receives signals: in another one no request ever comes.

    Example:
        >>> with stop_requests() as request:
        ...     for _ in range(3):
        ...         request.wait()
        ...         request.stop("after a step")
    """
    request = StopRequest()
    with _handled_by(request._receive):
        yield request
    request.stop("stopped")  # it came after the last look


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Within the block a signal raises `Stopped`, so that files and locks are put in order; SIGTERM would end the process as it is."""

    def stop(number: int, _: FrameType | None) -> None:
        raise Stopped("stopped", number)

    with _handled_by(stop):
        yield


@contextmanager
def _handled_by(handler: Handler) -> Iterator[None]:
    """What ignores a signal, as `nohup` and shells' background jobs do, goes on ignoring it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    before = {number: old for number, old in before.items() if old not in (signal.SIG_IGN, None)}
    try:
        for number in before:
            signal.signal(number, handler)
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
