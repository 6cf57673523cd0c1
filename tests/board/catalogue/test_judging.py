"""One judgement of a metric's name over the whole catalogue."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

import pytest

from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.check import check
from noisystudent.board.catalogue.directions import UNKNOWN, Direction
from noisystudent.board.catalogue.judging import judgement
from noisystudent.board.catalogue.store import Store
from noisystudent.board.curating import rank_anew

FALLING = ["9", "8", "7", "6", "5"]
RISING = FALLING[::-1]


def table(
    store: Store,
    dataset: str,
    values: Sequence[str],
    *,
    metric: str = "Vibes",
    in_order: bool = True,
    years: Sequence[int] = (),
) -> int:
    """A leaderboard of one metric with those values; its number."""
    with store.changing("anna", "add") as change:
        board = change.leaderboard(change.task("Chess"), change.dataset(dataset))
        for number, value in enumerate(values):
            dated = f"{years[number]}-05-01" if years else None
            change.add_result(Result(board, f"M{number}", {metric: value}, in_order=in_order, paper_date=dated))
    return board


def directions(store: Store) -> list[tuple[int | None, str]]:
    with store.reading() as connection:
        rows = connection.execute("SELECT higher_is_better, direction_origin FROM metric ORDER BY id")
        return [tuple(row) for row in rows]


@pytest.fixture
def connection(store: Store) -> Iterator[sqlite3.Connection]:
    with store.reading() as reading:
        yield reading


def test_the_name_comes_before_the_order(store: Store) -> None:
    table(store, "SNLI", RISING, metric="Accuracy over all sentences")
    assert directions(store) == [(1, "pattern of name")]


def test_the_order_counts_in_the_archives_form_only(store: Store) -> None:
    table(store, "A zoo", RISING, in_order=False)
    assert directions(store) == [(None, "unknown")]
    table(store, "Archive", FALLING)
    assert directions(store) == [(1, "order of rows")] * 2  # of one name, one direction: the zoo's as well


def test_tables_that_differ_say_nothing(store: Store) -> None:
    table(store, "One", FALLING)
    assert directions(store) == [(1, "order of rows")]
    table(store, "Other", RISING, metric="vibes")
    assert directions(store) == [(None, "unknown")] * 2


def test_dates_that_say_otherwise_leave_it_open(store: Store) -> None:
    table(store, "By year", RISING, years=[2015, 2016, 2017, 2018, 2019])
    assert directions(store) == [(None, "unknown")]  # the newest stands last, as in a table of a survey


def test_a_word_of_a_curator_holds_for_the_name_elsewhere(store: Store) -> None:
    first, other = table(store, "One", FALLING), table(store, "Other", ["1", "2"])
    with store.changing("carla", "direction") as change:
        change.direct(first, False)
    assert directions(store) == [(0, "curated"), (0, "known name")]
    with store.reading() as connection:
        assert connection.execute("SELECT best_result_id FROM leaderboard WHERE id = ?", (other,)).fetchone()[0] == 6
    with store.changing("dora", "direction") as change:
        change.direct(other, True)  # here it is the other way round, and of a third nobody knows
    table(store, "Third", ["1", "2"])
    assert directions(store)[2] == (None, "unknown")


def test_columns_that_are_no_metrics_get_no_direction(store: Store) -> None:
    table(store, "Views", FALLING, metric="Number of Views")
    assert directions(store) == [(None, "unknown")]


def test_it_is_the_same_before_a_table_is_there(connection: sqlite3.Connection) -> None:
    assert judgement(connection, "Vibes") == UNKNOWN
    assert judgement(connection, "Accuracy") == Direction(True, "known name")


def test_what_older_rules_found_is_ranked_anew_by_init(store: Store) -> None:
    table(store, "SNLI", RISING, metric="Accuracy over all sentences", in_order=False)
    with store.noting() as connection:
        connection.execute("UPDATE metric SET higher_is_better = 0, direction_origin = 'order of rows'")
    assert check(store)["counts"] == {"direction out of date": 1}
    assert rank_anew(store, actor="anna") == 1
    assert rank_anew(store, actor="anna") == 0
    assert directions(store) == [(1, "pattern of name")]
    assert check(store)["counts"] == {}
