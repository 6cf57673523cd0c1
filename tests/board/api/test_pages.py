"""Counting the rows of a list: once for each state of the catalogue."""

from __future__ import annotations

import sqlite3
from types import SimpleNamespace
from typing import Any

from noisystudent.board.api import pages
from noisystudent.board.api.filters import containing
from noisystudent.board.api.pages import Counts, Selection


def test_a_list_is_counted_once_until_something_changes() -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript("CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1), (2), (3)")
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    counts, reading = Counts(), SimpleNamespace(event=1, connection=connection)
    at_least = [Selection("t WHERE id >= :least", "id", {"least": least}) for least in (1, 3)]
    assert [counts.of(reading, selection) for selection in at_least * 2] == [3, 1, 3, 1]  # type: ignore[arg-type]
    assert len(asked) == 2
    reading.event = 2
    assert counts.of(reading, at_least[0]) == 3  # type: ignore[arg-type]
    assert len(asked) == 3


def test_only_so_many_counts_are_kept(monkeypatch: Any) -> None:
    monkeypatch.setattr(pages, "MAX_COUNTS", 2)
    counts, reading = Counts(), SimpleNamespace(event=1, connection=sqlite3.connect(":memory:"))
    for number in range(5):
        counts.of(reading, Selection(f"(SELECT {number})", "1", {}))  # type: ignore[arg-type]
    assert len(counts._counts) == 2


def test_short_texts_and_names_without_trigrams_are_looked_for_by_reading_them() -> None:
    assert "MATCH" not in containing("task", {"": "ab"}).rows
    assert "MATCH" in containing("task", {"": "abc"}).rows
    assert "MATCH" not in containing("author", {"": "abc"}).rows
    assert containing("task", {"": "", "name": None}) == Selection("task", "slug", {})
