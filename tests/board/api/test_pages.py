"""Counting the rows of a list: once for each state of the catalogue."""

from __future__ import annotations

import sqlite3
from inspect import signature
from types import SimpleNamespace
from typing import Any

from noisystudent.board.api.filters import containing
from noisystudent.board.api.pages import Selection, _count, _paging
from noisystudent.board.web.kept import Kept
from noisystudent.board.web.paging import OF_LISTS


def test_what_every_list_takes_is_known_to_the_page_that_says_it_once() -> None:
    assert signature(_paging).parameters.keys() == OF_LISTS


def test_a_list_is_counted_once_until_something_changes() -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript("CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1), (2), (3)")
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    state = SimpleNamespace(counts=Kept[int](1 << 20))
    request = SimpleNamespace(app=SimpleNamespace(state=state))
    reading: Any = SimpleNamespace(event=1, connection=connection, request=request)
    at_least = [Selection("t WHERE id >= :least", "id", {"least": least}) for least in (1, 3)]
    assert [_count(reading, selection) for selection in at_least * 2] == [3, 1, 3, 1]
    assert len(asked) == 2
    reading.event = 2
    assert _count(reading, at_least[0]) == 3
    assert len(asked) == 3


def test_short_texts_and_names_without_trigrams_are_looked_for_by_reading_them() -> None:
    assert "MATCH" not in containing("task", {"": "ab"}).rows
    assert "MATCH" in containing("task", {"": "abc"}).rows
    assert "MATCH" not in containing("author", {"": "abc"}).rows
    assert containing("task", {"": "", "name": None}) == Selection("task", "slug", {})
