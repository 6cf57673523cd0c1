"""What is kept so that it need not be made again: as many bytes as it may take, no more, the longest unasked for goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

OF_EACH = 1_000  # bytes of a value and its key beside their texts
LARGEST = 1 / 8  # of the room; a larger one would drive out too many others

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """Values by key, of so many bytes together. Safe among threads.

    Example:
        >>> kept = Kept[str](100_000)
        >>> kept.put("a", "page", size=4)
        >>> kept.get("a"), kept.get("b")
        ('page', None)
    """

    def __init__(self, most: int) -> None:
        self.size = 0
        self._most = most
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()

    def get(self, key: Hashable) -> Value | None:
        """The value of a key, if it is still here."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: Hashable, value: Value, size: int) -> None:
        """Keep a value whose texts, those of the key included, have so many bytes."""
        size += OF_EACH
        if size > self._most * LARGEST:
            return
        with self._lock:
            self.size += size - self._values.pop(key, (None, 0))[1]
            self._values[key] = (value, size)
            while self.size > self._most:
                self.size -= self._values.popitem(last=False)[1][1]

    def __len__(self) -> int:
        return len(self._values)
