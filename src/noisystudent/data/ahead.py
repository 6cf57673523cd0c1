"""Images are made ready while a network works on those before them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

Thing = TypeVar("Thing")
Made = TypeVar("Made")


def ahead(things: Iterable[Thing], make: Callable[[Thing], Made], device: torch.device) -> Iterator[tuple[Thing, Made]]:
    """Each thing with what is made of it, in order.

    Another thread makes it while the one before is used, where that leaves a core free: a GPU does, or a network that computes with fewer
    threads than there are cores. Else it is made in its turn: threads that compete take up to a seventh longer.

    Args:
        things: such as rows of images.
        make: what reads them.
        device: where the network computes.

    Example:
        >>> list(ahead("ab", str.upper, torch.device("cpu")))
        [('a', 'A'), ('b', 'B')]
    """
    if device.type == "cpu" and torch.get_num_threads() >= (os.cpu_count() or 1):
        yield from ((thing, make(thing)) for thing in things)
        return
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
