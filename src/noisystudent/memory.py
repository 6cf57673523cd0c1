"""The memory that this process may still have: of the machine, and of the control groups (a container, a job) that it is in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

OWN_GROUPS = Path("/proc/self/cgroup")
GROUPS = Path("/sys/fs/cgroup")


class _Files(NamedTuple):
    """What a version of Linux's control groups calls the files of a group; `cached`: lines of memory.stat that can be given up."""

    allowed: str
    taken: str
    cached: tuple[str, str]


# https://docs.kernel.org/admin-guide/cgroup-v2.html and .../cgroup-v1/memory.html
SECOND = _Files("memory.max", "memory.current", ("inactive_file", "active_file"))
FIRST = _Files("memory.limit_in_bytes", "memory.usage_in_bytes", ("total_inactive_file", "total_active_file"))


def available() -> int:
    """Bytes that may be had now without swapping.

    Example:
        >>> 0 <= available() <= psutil.virtual_memory().total
        True
    """
    return min([psutil.virtual_memory().available, *_left_by_groups()])


def _left_by_groups() -> Iterator[int]:
    """What each group with a bound leaves; where there are no control groups, nothing."""
    if not OWN_GROUPS.exists():
        return
    for line in OWN_GROUPS.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _left_below(GROUPS, path, SECOND)
        elif "memory" in controllers.split(","):
            yield from _left_below(GROUPS / "memory", path, FIRST)


def _left_below(root: Path, path: str, files: _Files) -> Iterator[int]:
    """Of a group and of those around it; a container sees its own as the root."""
    group = root / path.lstrip("/")
    for folder in (group, *group.parents):
        try:
            allowed, taken = ((folder / name).read_text().strip() for name in (files.allowed, files.taken))
            counts = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        except OSError:  # a root without a bound has no such files, nor has a group whose host is not seen
            continue
        if allowed != "max":
            cached = sum(int(counts[name]) for name in files.cached)
            yield max(int(allowed) - (int(taken) - cached), 0)
