"""Who is first: units, ranks, ties, and since when somebody leads."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.ranking import column_unit, comparable, ranks
from noisystudent.board.catalogue.store import Store
from noisystudent.board.catalogue.values import Value
from noisystudent.board.curating import rank_anew
from noisystudent.board.queries.standings import standings

VALUES = st.dictionaries(
    st.integers(0, 50), st.builds(Value, st.none() | st.floats(-1e6, 1e6), st.sampled_from(["", "%", "M"])), max_size=20
)


def test_units() -> None:
    assert column_unit([]) == ""
    assert column_unit([Value(None)]) == ""
    assert column_unit([Value(37.0, "G"), Value(38.0, "G"), Value(66.0, "M")]) == "G"
    assert column_unit([Value(88.4, "%"), Value(0.9)]) == "%"
    assert column_unit([Value(88.4, "%"), Value(0.9), Value(0.8)]) == ""  # fractions, mostly
    assert not comparable(Value(0.883), "%")
    assert comparable(Value(88.3), "%")
    assert not comparable(Value(37.0, "G"), "ms")


def test_equal_values_share_a_rank_and_the_next_is_skipped() -> None:
    values = {1: Value(3.0), 2: Value(5.0), 3: Value(5.0), 4: Value(1.0), 5: Value(None), 6: Value(9.0, "M")}
    assert ranks(values, higher_is_better=True) == {2: 1, 3: 1, 1: 3, 4: 4}
    assert ranks(values, higher_is_better=None) == {}


@given(VALUES, st.booleans())
def test_a_rank_is_one_more_than_how_many_are_better(values: dict[int, Value], higher: bool) -> None:
    found = ranks(values, higher_is_better=higher)
    unit = column_unit(values.values())
    numbers = {
        key: value.number for key, value in values.items() if value.number is not None and comparable(value, unit)
    }
    assert found.keys() == numbers.keys()
    for key, rank in found.items():
        better = [n for n in numbers.values() if (n > numbers[key] if higher else n < numbers[key])]
        assert rank == 1 + len(better)


def board_of(store: Store, *rows: tuple[str, str, str | None], higher: bool = True, **more: Any) -> dict[str, Any]:
    """A leaderboard with rows of (model, value, date), and what is kept of it."""
    with store.changing("anna", "add") as change:
        board = change.leaderboard(change.task("Chess"), change.dataset("Games"))
        change.metric(board, "Elo", higher_is_better=higher)
        for model, value, date in rows:
            change.add_result(Result(board, model, {"Elo": value}, paper_date=date, **more))
    with store.reading() as connection:
        row = connection.execute(
            "SELECT l.*, m.name AS best FROM leaderboard l LEFT JOIN result r ON r.id = l.best_result_id "
            "LEFT JOIN model m ON m.id = r.model_id"
        ).fetchone()
        return dict(row)


def test_of_equals_the_first_to_get_there_leads(store: Store) -> None:
    kept = board_of(
        store,
        ("undated", "9", None),
        ("later", "9", "2021-01-01"),
        ("first", "9", "2020-01-01"),
        ("less", "8", "2019-01-01"),
    )
    assert (kept["best"], kept["best_since"], kept["result_count"]) == ("first", "2020-01-01", 4)


def test_runs_have_no_rank_and_do_not_lead(store: Store) -> None:
    board_of(store, ("claimed", "8", "2020-01-01"))
    kept = board_of(store, ("measured", "99", "2021-01-01"), kind="run")
    assert (kept["best"], kept["result_count"]) == ("claimed", 2)
    with store.reading() as connection:
        assert [row["rank"] for row in connection.execute("SELECT rank FROM value ORDER BY result_id")] == [1, None]


def test_a_new_direction_ranks_anew(store: Store) -> None:
    assert board_of(store, ("a", "1", None), ("b", "2", None))["best"] == "b"
    with store.changing("anna", "direction") as change:
        change.direct(1, False)
    with store.reading() as connection:
        assert connection.execute("SELECT best_result_id FROM leaderboard").fetchone()[0] == 1


def test_without_a_direction_nobody_leads(store: Store) -> None:
    with store.changing("anna", "add") as change:
        board = change.leaderboard(change.task("Chess"), change.dataset("Games"))
        change.add_result(Result(board, "a", {"Vibes": "1"}))
    with store.reading() as connection:
        assert connection.execute("SELECT best_result_id FROM leaderboard").fetchone()[0] is None
        assert connection.execute("SELECT rank FROM value").fetchone()[0] is None


def test_thousands_millions_and_billions_are_one_scale(store: Store) -> None:
    with store.changing("anna", "add") as change:
        board = change.leaderboard(change.task("Inference"), change.dataset("SNLI"))
        for name, size in (("GRU", "15m"), ("LSTM", "220k"), ("GPT", "1.5b"), ("SPINN", "3.7M"), ("?", "many")):
            change.add_result(Result(board, name, {"Parameters": size}))
    with store.reading() as connection:
        rows = connection.execute("SELECT v.raw, v.rank FROM value v ORDER BY v.rank IS NULL, v.rank").fetchall()
        assert [tuple(row) for row in rows] == [("220k", 1), ("3.7M", 2), ("15m", 3), ("1.5b", 4), ("many", None)]
        metric = connection.execute("SELECT * FROM metric").fetchone()
        found = standings(connection, board, metric, 1)
        assert [claim.row["raw"] for claim in found.part(0, 10)] == ["220k", "3.7M", "15m", "1.5b", "many"]
        assert metric["unit"] == "m"
        assert sorted(found.points().values.tolist()) == [0.22, 3.7, 15.0, 1500.0]


def test_plain_numbers_are_not_put_on_a_scale() -> None:
    assert column_unit([Value(15.0, "m"), Value(3.0), Value(4.0)]) == ""
    assert column_unit([Value(15.0, "m"), Value(220.0, "k"), Value(4.0)]) == "m"
    assert not comparable(Value(4.0), "m")


def test_a_cost_ranks_only_where_there_is_nothing_else(store: Store) -> None:
    def ranking(*metrics: str) -> str | None:
        with store.changing("anna", "add") as change:
            board = change.leaderboard(change.task(" ".join(metrics)), change.dataset("SNLI"))
            for metric in metrics:
                change.metric(board, metric)
        with store.reading() as connection:
            first = connection.execute(
                "SELECT m.name FROM leaderboard l JOIN metric m ON m.id = l.ranked_by WHERE l.id = ?", (board,)
            ).fetchone()
            return str(first["name"])

    assert ranking("Number of Params", "Top 1 Accuracy") == "Top 1 Accuracy"
    assert ranking("Number of Params", "Backbone", "FLOPs", "Percentage error") == "Percentage error"
    assert ranking("Frame (fps)", "Time (ms)", "mIoU") == "mIoU"
    assert ranking("Vibes", "Accuracy") == "Vibes"  # what nobody knows is asked for, and not passed over
    assert ranking("Number of Params", "GFLOPs") == "Number of Params"
    assert ranking("3 sec", "10 sec") == "3 sec"  # of recordings that long


def test_what_an_older_version_ranked_by_a_cost_is_ranked_anew(store: Store) -> None:
    with store.changing("anna", "add") as change:
        board = change.leaderboard(change.task("Language Modelling"), change.dataset("PTB"))
        for model, params, perplexity in (("small", "1M", "80"), ("good", "9M", "20")):
            change.add_result(Result(board, model, {"Params": params, "Test perplexity": perplexity}))
    with store.noting() as connection:
        connection.execute("UPDATE leaderboard SET ranked_by = (SELECT min(id) FROM metric)")
    assert rank_anew(store, actor="anna") == 1
    assert rank_anew(store, actor="anna") == 0
    with store.reading() as connection:
        leader = "SELECT m.name FROM leaderboard l JOIN result r ON r.id = l.best_result_id JOIN model m ON m.id = r.model_id"
        assert connection.execute(leader).fetchone()["name"] == "good"
