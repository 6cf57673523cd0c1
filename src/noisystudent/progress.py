"""What the user sees while something takes long: how far it is, how fast it goes, how long it will take. All of it on stderr.

On a terminal it is a Rich bar; in a notebook one line below its cell, which changes; elsewhere (a log file, CI) a line now and then, since
a bar would be noise there.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
import warnings as python_warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, RenderableType
from rich.logging import RichHandler
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column
from rich.text import Text

console = Console(stderr=True)
logger = logging.getLogger("noisystudent")

SECONDS_BETWEEN_LINES = 15.0
SECONDS_BETWEEN_LOOKS = 0.1  # at a bar: more often would cost the work its time
SECONDS_BETWEEN_UPDATES = 0.5  # of a notebook, which goes through its server
SECONDS_OF_RATE = 30.0  # a rate is that of the last half minute
Advance = Callable[[int, str], None]


def configure(*, quiet: bool, silent: bool = False) -> None:
    """Send messages to stderr; with `quiet` only warnings and errors, and no progress; `silent`: nothing, since another process tells.

    Python's own warnings are not for users.
    """
    quiet = quiet or silent
    console.quiet = quiet
    screen = Console(stderr=True)
    if screen.is_terminal:
        handler: logging.Handler = RichHandler(console=screen, show_path=False, show_time=False, markup=False)
    else:  # Rich would break lines at 80 columns, which a log is not read or searched by
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(levelname)-8s %(message)s"))
    logger.handlers = [handler]
    logger.setLevel(logging.CRITICAL if silent else logging.WARNING if quiet else logging.INFO)
    logger.propagate = False
    if not sys.warnoptions:
        python_warnings.simplefilter("ignore")


@contextmanager
def unseen() -> Iterator[None]:
    """Within the block no progress is shown; warnings are."""
    before, console.quiet = console.quiet, True
    try:
        yield
    finally:
        console.quiet = before


def warn(warnings: Iterable[str], *, about: str = "") -> None:
    """Show warnings, each with what it is about in front."""
    for warning in warnings:
        logger.warning("%s%s", f"{about}: " if about else "", warning)


def duration(seconds: float) -> str:
    """In words.

    Example:
        >>> duration(31), duration(200), duration(9000), duration(300000)
        ('31 s', '3 min', '2.5 h', '3.5 days')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:,.1f} days"


@dataclass(frozen=True)
class Stage:
    """A part of something longer.

    Attributes:
        number: such as "stage 3 of 9".
        left: what the whole has left, in words, from the seconds that this stage takes in all and has left; "" when not known.
    """

    number: str
    left: Callable[[float, float], str]


_stage: Stage | None = None


@contextmanager
def stage(current: Stage, description: str) -> Iterator[None]:
    """Within the block progress is that of a stage. Without a terminal a line says that it begins, and a long one that it is done."""
    global _stage
    before, _stage = _stage, current
    began = time.monotonic()
    if not console.is_interactive:
        logger.info("%s: %s", current.number, description)
    try:
        yield
    finally:
        _stage = before
    took = time.monotonic() - began
    if not console.is_interactive and took >= SECONDS_BETWEEN_LINES:
        logger.info("%s: done in %s", current.number, duration(took))


@contextmanager
def track(description: str, total: int, *, done: int = 0, unit: str = "images") -> Iterator[Advance]:
    """Show how far `description` is; the function yielded takes how many more are done and a short note, "" for the one before.

    Args:
        description: what is being done, in the user's words; "" shows nothing.
        total: how many there are in all.
        done: how many were done before (a resumed stage).
        unit: of what.

    Example:
        >>> with track("counting", 3) as advance:
        ...     for _ in range(3):
        ...         advance(1, "")
    """
    if not description:
        yield lambda _n, _note: None
        return
    pace = _Pace(total, done, unit)
    show = _cell if console.is_jupyter else _bar if console.is_interactive else _lines
    with show(description, pace) as advance:
        yield advance


def as_of_all(advance: Advance, own: int, total: int) -> Advance:
    """For a process that does `own` of the `total` things whose progress `advance` shows: what it has done stands for what all have.

    Example:
        >>> shown = []
        >>> advance = as_of_all(lambda n, note: shown.append(n), 2, 5)
        >>> advance(1, ""), advance(1, "")
        (None, None)
        >>> shown
        [2, 3]
    """
    done = 0

    def advance_all(n: int, note: str) -> None:
        nonlocal done
        before, done = done, done + n
        advance(done * total // own - before * total // own, note)

    return advance_all


@dataclass
class _Pace:
    """How far something is, and how fast it goes of late; the time before the first is not counted, since one-time work comes there."""

    total: int
    done: int
    unit: str
    note: str = ""
    marks: deque[tuple[float, int]] = field(default_factory=deque)

    def advance(self, n: int, note: str) -> float:
        """Count; what time it is."""
        now = time.monotonic()
        self.done += n
        self.note = note or self.note
        if not self.marks or now - self.marks[-1][0] >= SECONDS_BETWEEN_LOOKS:
            self.marks.append((now, self.done))
            while len(self.marks) > 2 and now - self.marks[1][0] >= SECONDS_OF_RATE:
                self.marks.popleft()
        return now

    @property
    def rate(self) -> float:
        """A second; 0 when not known yet."""
        if len(self.marks) < 2:
            return 0.0
        (first, before), (last, after) = self.marks[0], self.marks[-1]
        return (after - before) / (last - first)

    def __str__(self) -> str:
        words = [f"{self.done:,} of {self.total:,}"]
        if self.rate:
            digits = 0 if self.rate >= 100 else 1 if self.rate >= 1 else 2
            words += [
                f"{self.rate:,.{digits}f} {self.unit}/s",
                f"{duration((self.total - self.done) / self.rate)} left",
            ]
        return ", ".join([*words, self.note] if self.note else words)

    def of_the_whole(self) -> str:
        """What the whole run has left, in words; "" when not known."""
        if _stage is None or not self.rate:
            return ""
        return _stage.left(self.total / self.rate, (self.total - self.done) / self.rate)


@contextmanager
def _lines(description: str, pace: _Pace) -> Iterator[Advance]:
    last = time.monotonic()

    def advance(n: int, note: str) -> None:
        nonlocal last
        now = pace.advance(n, note)
        if now - last >= SECONDS_BETWEEN_LINES:
            last = now
            whole = pace.of_the_whole()
            logger.info("%s: %s%s", description, str(pace), f"; {whole}" if whole else "")

    yield advance


@contextmanager
def _cell(description: str, pace: _Pace) -> Iterator[Advance]:
    """In a notebook: a line that is written over, of which the end stays."""
    if console.quiet:
        yield lambda _n, _note: None
        return
    from IPython.display import display  # every notebook's Python has it

    handle = display({"text/plain": description}, raw=True, display_id=True)
    last = 0.0

    def show() -> None:
        words = [_stage.number if _stage else "", f"{description}: {pace}", pace.of_the_whole()]
        handle.update({"text/plain": "; ".join(filter(None, words))}, raw=True)

    def advance(n: int, note: str) -> None:
        nonlocal last
        now = pace.advance(n, note)
        if now - last >= SECONDS_BETWEEN_UPDATES:
            last = now
            show()

    try:
        yield advance
    finally:
        show()


class _Bars(Progress):
    """A bar for what is done, one below it for work that is a part of that, and above them the stage."""

    heading = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        if self.heading:
            yield Text(self.heading, no_wrap=True, overflow="ellipsis")
        yield self.make_tasks_table(self.tasks)


_bars: _Bars | None = None
_bars_lock = threading.RLock()  # images are decoded in a thread of their own


@contextmanager
def _bar(description: str, pace: _Pace) -> Iterator[Advance]:
    with _shared_bars() as (bars, outermost):
        task = bars.add_task(description, total=pace.total, completed=pace.done, state=str(pace))
        last = 0.0

        def advance(n: int, note: str) -> None:
            nonlocal last
            now = pace.advance(n, note)
            if now - last < SECONDS_BETWEEN_LOOKS and pace.done < pace.total:
                return
            last = now
            if outermost:
                bars.heading = _heading(pace)
            bars.update(task, completed=pace.done, state=str(pace))

        if outermost:
            bars.heading = _heading(pace)
        try:
            yield advance
        finally:
            bars.remove_task(task)


def _heading(pace: _Pace) -> str:
    return ", ".join(filter(None, [_stage.number if _stage else "", pace.of_the_whole()]))


@contextmanager
def _shared_bars() -> Iterator[tuple[_Bars, bool]]:
    """The bars on the screen, and whether there were none before: two displays of their own would flicker."""
    global _bars
    with _bars_lock:
        bars, outermost = _bars or _new_bars(), _bars is None
        _bars = bars
    with bars if outermost else contextlib.nullcontext():
        try:
            yield bars, outermost
        finally:
            if outermost:
                _bars = None


def _new_bars() -> _Bars:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[state]}", markup=False, table_column=Column(no_wrap=True)),
    )
    return _Bars(*columns, console=console, transient=True, expand=True, refresh_per_second=5)
