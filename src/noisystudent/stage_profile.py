"""Where a stage's time goes: a thread looks a hundred times a second at what the one that works is doing.

Nothing that works knows of it, and no bit changes. Of a GPU, which works on by itself, it says where the processor waited for it.
"""

from __future__ import annotations

import collections
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

SECONDS_BETWEEN_LOOKS = 0.01
ELSE = "everything else"
# The innermost function whose file is named here says what was done; of a folder, its files that are named before it are excepted.
DOING = {
    "noisystudent/data/parts.py": "writing",
    "noisystudent/atomic.py": "writing",
    "noisystudent/training/checkpoint.py": "writing",
    "noisystudent/data/duplicates.py": "hashing images",
    "noisystudent/data/": "reading images",
    "noisystudent/noise/": "noise",
    "torch/optim/": "optimizer and average",
    "timm/optim/": "optimizer and average",
    "torch/autograd/": "network, backward",
    "torch/nn/modules/": "network, forward",
    "noisystudent/models/": "network, forward",
    "duckdb/": "tables",
    "noisystudent/pseudo/select.py": "tables",
    "sklearn/": "linear classifiers",
}


@contextmanager
def profiled(wanted: bool = True) -> Iterator[dict[str, float]]:
    """What the block does, in seconds by kind of work, longest first; filled in when the block ends.

    Args:
        wanted: else nothing is looked at.

    Example:
        >>> with profiled() as seconds:
        ...     time.sleep(0.1)
        >>> list(seconds)
        ['everything else']
    """
    seconds: dict[str, float] = {}
    if not wanted:
        yield seconds
        return
    looks, over, worker = collections.Counter[str](), threading.Event(), threading.get_ident()

    def look() -> None:
        while not over.wait(SECONDS_BETWEEN_LOOKS):
            looks[doing(sys._current_frames()[worker])] += 1

    thread = threading.Thread(target=look, name="profile", daemon=True)
    began = time.monotonic()
    thread.start()
    try:
        yield seconds
    finally:
        over.set()
        thread.join()
        seconds.update(shared(looks, time.monotonic() - began))


def doing(frame: FrameType | None) -> str:
    """The kind of work under way, by the stack of its innermost frame."""
    while frame is not None:
        file = frame.f_code.co_filename
        for part, kind in DOING.items():
            if part in file:
                return kind
        frame = frame.f_back
    return ELSE


def shared(looks: Mapping[str, int], seconds: float) -> dict[str, float]:
    """So many seconds, by how often each kind was seen; where it was over before the first look, of no known kind.

    Example:
        >>> shared({"noise": 1, "writing": 3}, 8.0)
        {'writing': 6.0, 'noise': 2.0}
    """
    looks = looks or {ELSE: 1}
    seen = sum(looks.values())
    longest = sorted(looks.items(), key=lambda item: (-item[1], item[0]))
    return {kind: round(seconds * count / seen, 3) for kind, count in longest}


def worth_saying(profile: Mapping[str, Mapping[str, float]]) -> list[tuple[str, float, str]]:
    """Of each stage its seconds and what they went to; what took less than a hundredth is left out.

    Args:
        profile: by stage, seconds by kind of work.

    Example:
        >>> worth_saying({"train": {"network, forward": 75.0, "noise": 24.9, "writing": 0.1}, "prepare": {"writing": 0.1}})
        [('train', 100.0, 'network, forward 75 %; noise 25 %')]
    """
    taken = {stage: sum(seconds.values()) for stage, seconds in profile.items()}
    return [
        (
            stage,
            seconds,
            "; ".join(
                f"{kind} {100 * part / seconds:.0f} %" for kind, part in profile[stage].items() if part >= seconds / 100
            ),
        )
        for stage, seconds in taken.items()
        if seconds >= sum(taken.values()) / 100
    ]


def recorded(records: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """The profiles in the records of a run's stages, by stage; {} where none was wanted.

    Example:
        >>> recorded({"prepare": {"seconds": 1.0}, "leaks": {"seconds": 2.0, "profile": {"tables": 2.0}}})
        {'leaks': {'tables': 2.0}}
    """
    return {stage: record["profile"] for stage, record in records.items() if "profile" in record}
