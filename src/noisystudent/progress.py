"""What the user sees while something takes long: progress with the time left, on stderr.

On a terminal it is a Rich bar; elsewhere (a log file, CI) a line now and then, since a bar would be noise there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

console = Console(stderr=True)
logger = logging.getLogger("noisystudent")

SECONDS_BETWEEN_LINES = 15.0
Advance = Callable[[int, str], None]


def configure(*, quiet: bool) -> None:
    """Send messages to stderr; with `quiet` only warnings and errors, and no progress."""
    console.quiet = quiet
    logger.handlers = [RichHandler(console=Console(stderr=True), show_path=False, show_time=False, markup=False)]
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    logger.propagate = False


@contextmanager
def track(description: str, total: int, *, done: int = 0) -> Iterator[Advance]:
    """Show how far `description` is; the function yielded takes how many more are done and a short note.

    Args:
        description: what is being done, in the user's words; "" shows nothing.
        total: how many there are in all.
        done: how many were done before (a resumed stage).

    Example:
        >>> with track("counting", 3) as advance:
        ...     for _ in range(3):
        ...         advance(1, "")
    """
    if not description:
        yield lambda _n, _note: None
        return
    show = _bar if console.is_terminal else _lines
    with show(description, total, done) as advance:
        yield advance


@contextmanager
def _bar(description: str, total: int, done: int) -> Iterator[Advance]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(description, total=total, completed=done, note="")
        yield lambda n, note: progress.update(task, advance=n, note=note)


@contextmanager
def _lines(description: str, total: int, done: int) -> Iterator[Advance]:
    start = last = time.monotonic()
    count = 0

    def advance(n: int, note: str) -> None:
        nonlocal last, count
        count += n
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_LINES:
            last = now
            left = (total - done - count) * (now - start) / max(count, 1)
            logger.info("%s: %d of %d, about %d s left %s", description, done + count, total, left, note)

    yield advance
