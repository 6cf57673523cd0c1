"""`metrics.jsonl`: a line a log step, cut back to the checkpoint when a training goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from noisystudent import atomic
from noisystudent.processes import is_first


class MetricsLog:
    """Appends to the log; what was logged after step `done` is forgotten, since those steps are done again.

    Of several processes only the first writes.

    Args:
        path: the file.
        done: steps that the checkpoint holds.
        also: told of each line as well; None: nobody.
    """

    def __init__(self, path: Path, *, done: int, also: Callable[[dict[str, Any]], None] | None = None) -> None:
        self._path, self._also = path, also
        if is_first():
            kept = [line for line in read_metrics(path) if line["step"] <= done]
            atomic.write_text(path, "".join(json.dumps(line) + "\n" for line in kept))

    def append(self, line: dict[str, Any]) -> None:
        """Add a line, which names its `step`."""
        if is_first():
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            if self._also:
                self._also(line)


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """All whole lines; the last one may be cut off where a process was killed."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]
