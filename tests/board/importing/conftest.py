"""Files to import."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from noisystudent.board import importing
from noisystudent.board.catalogue.store import Store
from noisystudent.board.importing import Layer, import_file, parts


@pytest.fixture
def imported(store: Store, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Write a file and import it into the store; its report."""

    def run(content: Any, name: str = "tasks.json", *, layer: Layer | None = None) -> dict[str, Any]:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        plain = content if isinstance(content, str | bytes) else json.dumps(content)
        file.write_bytes(plain.encode() if isinstance(plain, str) else plain)
        return import_file(store, file, actor="anna", layer=layer)

    return run


@pytest.fixture
def rows(store: Store) -> Callable[..., list[dict[str, Any]]]:
    """The rows of a query on the store."""

    def run(query: str, *values: Any) -> list[dict[str, Any]]:
        with store.reading() as connection:
            return [dict(row) for row in connection.execute(query, values)]

    return run


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """From now on, each object of a file is a part of its own; `between` is called before each part with its number."""

    def begin(between: Callable[[int], None] = lambda number: None) -> None:
        def at_once(cut: Iterator[parts.Part]) -> Iterator[parts.Part]:
            for number, part in enumerate(cut, 1):
                between(number)
                yield part

        monkeypatch.setattr(parts, "LARGEST", 1)
        monkeypatch.setattr(importing, "at_intervals", at_once)

    return begin
