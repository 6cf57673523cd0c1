"""Images are made ready while a network works on those before them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Thing = TypeVar("Thing")
Made = TypeVar("Made")


def ahead(things: Iterable[Thing], make: Callable[[Thing], Made]) -> Iterator[tuple[Thing, Made]]:
    """Each thing with what is made of it, in order; another thread makes it while the one before is used, one at a time.

    Example:
        >>> list(ahead("ab", str.upper))
        [('a', 'A'), ('b', 'B')]
    """
    coming: deque[tuple[Thing, Future[Made]]] = deque()
    thread = ThreadPoolExecutor(max_workers=1)
    try:
        for thing in things:
            coming.append((thing, thread.submit(make, thing)))
            if len(coming) > 1:
                before, made = coming.popleft()
                yield before, made.result()
        while coming:
            before, made = coming.popleft()
            yield before, made.result()
    finally:
        thread.shutdown(cancel_futures=True)
