"""Advice in messages: slugs that are near to what was asked for, of as few as can be compared at once."""

from __future__ import annotations

import sqlite3

from noisystudent.board.catalogue.near import MOST_COMPARED, near_slugs
from noisystudent.board.catalogue.store import Store


def test_slugs_that_are_near_are_named_be_it_by_the_name(tmp_path) -> None:
    store = Store(tmp_path / "board.db", create=True)
    with store.changing("anna", "add") as change:
        change.leaderboard(change.task("Image Classification"), change.dataset("ImageNet"))
        change.paper(title="Self-training with Noisy Student")
    with store.reading() as connection:
        assert near_slugs(connection, "leaderboard", "Image Clasification on Imagenet") == (
            "; near it there are image-classification-on-imagenet"
        )
        assert near_slugs(connection, "paper", "Self-training with a Noisy Student") == (
            "; near it there are self-training-with-noisy-student"
        )
        assert near_slugs(connection, "paper", "%_%") == near_slugs(connection, "task", "") == ""


def test_of_very_many_slugs_a_bounded_number_is_compared(tmp_path) -> None:
    store = Store(tmp_path / "board.db", create=True)
    with store.noting() as connection:
        rows = ((f"one-{number}", f"One {number}") for number in range(MOST_COMPARED + 100))
        connection.executemany("INSERT INTO task (slug, name) VALUES (?, ?)", rows)
    with store.reading() as connection:
        read: list[sqlite3.Row] = []
        connection.row_factory = lambda cursor, row: read.append(row) or sqlite3.Row(cursor, row)
        near_slugs(connection, "task", "zzz")
    assert len(read) == MOST_COMPARED
