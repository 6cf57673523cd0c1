"""The past as it was, and taking a change back."""

from __future__ import annotations

from typing import Any

import pytest

from noisystudent.board.catalogue import history
from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.store import Store
from noisystudent.errors import UserError


def now_on(store: Store, event: int | None = None) -> list[tuple[str, str]]:
    """Models and values of a leaderboard, now or after an event."""
    with store.reading() as connection:
        at = event if event is not None else 10**9
        rows = connection.execute(
            "SELECT m.name, v.raw FROM result r JOIN model m ON m.id = r.model_id JOIN value v ON v.result_id = r.id "
            "WHERE r.added_by <= ? AND (r.retired_by IS NULL OR r.retired_by > ?) ORDER BY m.name, v.raw",
            (at, at),
        )
        return [tuple(row) for row in rows]


@pytest.fixture
def chess(store: Store) -> Store:
    """Three events: a table with a, its correction, and b."""
    with store.changing("anna", "add") as change:
        board = change.leaderboard(change.task("Chess"), change.dataset("Games"))
        first = change.add_result(Result(board, "a", {"Elo": "1"}))
    with store.changing("anna", "correct") as change:
        change.add_result(Result(board, "a", {"Elo": "2"}), supersedes=first)
    with store.changing("anna", "add") as change:
        change.add_result(Result(board, "b", {"Elo": "3"}))
        change.edit("task", 1, description="Mate.")
    return store


def test_each_past_state_is_still_there(chess: Store) -> None:
    assert [now_on(chess, event) for event in range(4)] == [
        [],
        [("a", "1")],
        [("a", "2")],
        [("a", "2"), ("b", "3")],
    ]


def test_a_restored_event_is_undone_and_the_past_stays(chess: Store) -> None:
    event = history.restore(chess, 2, actor="carla")
    assert now_on(chess) == [("a", "1"), ("b", "3")]
    assert now_on(chess, 3) == [("a", "2"), ("b", "3")]
    history.restore(chess, event, actor="carla")  # and back
    assert now_on(chess) == [("a", "2"), ("b", "3")]


def test_edits_are_undone_unless_somebody_edited_since(chess: Store) -> None:
    history.restore(chess, 3, actor="carla")
    with chess.reading() as connection:
        assert connection.execute("SELECT description FROM task").fetchone()[0] == ""
    with chess.changing("bert", "edit") as change:
        change.edit("task", 1, description="first")
    with chess.changing("bert", "edit") as change:
        change.edit("task", 1, description="second")
    with chess.reading() as connection:
        first = connection.execute("SELECT max(id) - 1 FROM event").fetchone()[0]
    history.restore(chess, first, actor="carla")
    with chess.reading() as connection:
        assert connection.execute("SELECT description FROM task").fetchone()[0] == "second"


def test_a_run_comes_back_with_its_provenance(imagenet: Store) -> None:
    with imagenet.changing("anna", "submit run") as change:
        run = change.add_result(Result(1, "NoisyStudent", {"Top 1 Accuracy": "88.2%"}, paper=1, kind="run"))
        change.insert("run", result_id=run, claim_id=2, folder="run-0", seeds="[0]")
    with imagenet.changing("anna", "retire") as change:
        change.retire_result(run)
        event = change.event
    history.restore(imagenet, event, actor="carla")
    with imagenet.reading() as connection:
        rows: list[Any] = connection.execute(
            "SELECT run.folder, run.claim_id FROM run JOIN result r ON r.id = run.result_id WHERE r.retired_by IS NULL"
        ).fetchall()
    assert [tuple(row) for row in rows] == [("run-0", 2)]


def test_there_is_nothing_to_restore(chess: Store) -> None:
    with pytest.raises(UserError, match="no event 99"):
        history.restore(chess, 99, actor="carla")
    assert len(now_on(chess)) == 2


def test_days_and_times(chess: Store) -> None:
    with chess.reading() as connection:
        at = [row["at"] for row in connection.execute("SELECT at FROM event ORDER BY id")]
        assert history.event_as_of(connection, "2000-01-01") == 0
        assert history.event_as_of(connection, at[0][:10]) in (2, 3, 1)  # the day may have ended meanwhile
        assert history.event_as_of(connection, "2999-01-01") == 3
        assert history.event_as_of(connection, at[1]) == 1  # before that moment
        for wrong in ("yesterday", "2026-13-01", "", "9999-12-31", "2026-11-25T99:00:00Z"):
            with pytest.raises(UserError, match="neither a day"):
                history.event_as_of(connection, wrong)


def test_a_new_entry_goes_and_comes_back_unless_something_hangs_on_it(store: Store) -> None:
    def titles() -> list[str]:
        with store.reading() as connection:
            return [row["title"] for row in connection.execute("SELECT title FROM paper ORDER BY id")]

    with store.changing("bert", "add") as change:
        spam = change.paper(title="Cheap flights")
        change.replace_rows("paper_author", {"paper_id": spam}, [{"position": 0, "author_id": change.author("Bert")}])
        added = change.event
    gone = history.restore(store, added, actor="carla")
    assert titles() == []
    back = history.restore(store, gone, actor="carla")
    assert titles() == ["Cheap flights"]
    with store.reading() as connection:
        assert [row["paper_id"] for row in connection.execute("SELECT paper_id FROM paper_author")] == [spam]
    history.restore(store, back, actor="carla")
    assert titles() == []

    with store.changing("bert", "add") as change:
        used = change.paper(title="A method")
        assert used > spam  # numbers are not given again
        made = change.event
    with store.changing("anna", "claim") as change:
        board = change.leaderboard(change.task("Chess"), change.dataset("Openings"))
        change.add_result(Result(board, "m", {"Elo": "1"}, paper=used))
    history.restore(store, made, actor="carla")
    assert titles() == ["A method"]


def test_an_entry_whose_name_was_given_again_cannot_come_back(store: Store) -> None:
    with store.changing("bert", "add") as change:
        change.task("Chess")
        added = change.event
    gone = history.restore(store, added, actor="carla")
    with store.changing("anna", "add") as change:
        change.task("Chess")
    with pytest.raises(UserError, match="the task Chess cannot come back"):
        history.restore(store, gone, actor="carla")
