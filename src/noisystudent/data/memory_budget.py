"""One bound on the memory of everything that decodes at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from noisystudent import memory

SHARE = 0.25  # of the memory that is free at the first picture


class MemoryBudget:
    """Bytes that threads share: who needs more than is left waits until others give theirs back.

    One that needs more than there is in all gets everything, and so runs alone. A thread that holds a part must not ask for another:
    two such could wait for each other forever.

    Args:
        total: bytes; None takes a quarter of the memory that is free at the first use.

    Example:
        >>> budget = MemoryBudget(1000)
        >>> with budget.part(400):
        ...     budget.left
        600
    """

    def __init__(self, total: int | None = None) -> None:
        self._total = total
        self._taken = 0
        self._changed = threading.Condition()

    @property
    def left(self) -> int:
        """Bytes that nobody holds."""
        return self._all() - self._taken

    @contextmanager
    def part(self, size: int) -> Iterator[None]:
        """Hold `size` bytes of the budget while the block lasts."""
        with self._changed:
            size = min(size, self._all())
            self._changed.wait_for(lambda: self.left >= size)
            self._taken += size
        try:
            yield
        finally:
            with self._changed:
                self._taken -= size
                self._changed.notify_all()

    def _all(self) -> int:
        if self._total is None:
            self._total = int(SHARE * memory.available())
        return self._total
