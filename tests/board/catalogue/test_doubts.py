"""Values that cannot be, or hardly."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.doubts import doubt, doubtful, is_share, numbers_beside
from noisystudent.board.catalogue.store import Store
from noisystudent.board.catalogue.values import parse_value

PERCENTS, FRACTIONS = [91.0, 92.5, 93.1], [0.91, 0.92, 0.93]


@pytest.mark.parametrize(
    "name", ["Top 1 Accuracy", "mIoU", "F1", "Percentage error", "mAP@0.5", "EM (val)", "Top-5 Error", "recall@10"]
)
def test_shares(name: str) -> None:
    assert is_share(name)


@pytest.mark.parametrize(
    "name",
    [
        "CIDEr",
        "Relative accuracy",
        "Jaccard (Decay)",
        "WER",
        "Word Error Rate",
        "Accuracy loss",
        "mCE",
        "Elo",
        "Params",
        "FID",
    ],
)
def test_what_is_no_share(name: str) -> None:
    assert not is_share(name)


@pytest.mark.parametrize(
    ("name", "raw", "others", "said"),
    [
        ("Top 1 Accuracy", "123.4", [], "cannot be: it is a share of 100"),
        ("Top 1 Accuracy", "-3", [], "cannot be: it is a share of 100"),
        ("Accuracy", "0.913", PERCENTS, "is 91.3 meant?"),
        ("Accuracy", "91.3", FRACTIONS, "is 0.913 meant?"),
        ("Accuracy", "0.913%", PERCENTS, ""),
        ("Accuracy", "0.913", PERCENTS[:2], ""),
        ("Percentage error", "0.9", [1.0, 1.4, 2.8], ""),
        ("Percentage error", "0.21", [0.3, 0.5, 0.9], ""),
        ("Elo", "2900", [100.0, 200.0, 300.0], ""),
        ("Accuracy", "n/a", PERCENTS, ""),
        ("Accuracy", "77.28999999999999", PERCENTS, ""),
        ("Steps", "88 ± -3", [], "which cannot be"),
    ],
)
def test_what_is_said_of_a_value(name: str, raw: str, others: list[float], said: str) -> None:
    found = doubt(name, raw, parse_value(raw), others)
    assert (said in found) if said else found == ""


# What stands in the catalogue


@pytest.fixture
def scores(store: Store) -> Callable[..., list[int]]:
    """Put claims of an accuracy on one leaderboard; the numbers of their results."""

    def add(*raws: str, kind: str = "claim") -> list[int]:
        with store.changing("anna", "add") as change:
            board = change.leaderboard(change.task("T"), change.dataset("D"))
            return [change.add_result(Result(board, f"M {raw}", {"Accuracy": raw}, kind=kind)) for raw in raws]

    return add


@pytest.mark.parametrize(
    ("raws", "odd"),
    [
        (["0.913", "91", "92", "93"], [0]),
        (["0.91", "0.92", "0.93", "91.3"], [3]),  # beside the others alone: it is more than 1 itself
        (["0.913", "91", "92"], []),  # too few others
        (["91", "123.4%", "-1", "92"], [1, 2]),
        (["0.913", "0.914", "91", "92", "93", "94"], [0, 1]),
        (["0.5k", "91", "92", "93"], []),  # in another unit
    ],
)
def test_each_value_is_looked_at_beside_the_others(
    store: Store, scores: Callable[..., list[int]], raws: list[str], odd: list[int]
) -> None:
    results = scores(*raws)
    with store.reading() as connection:
        found = [one.result for one in doubtful(connection)]
        assert found == [results[place] for place in odd]
        assert [one.result for one in doubtful(connection, results[:1])] == found[: 0 in odd]
        assert list(doubtful(connection, [])) == []


def test_runs_are_looked_at_beside_the_claims(store: Store, scores: Callable[..., list[int]]) -> None:
    scores("91", "92", "93")
    runs = scores("0.91", "0.92", "0.93", kind="run")
    with store.reading() as connection:
        assert [one.result for one in doubtful(connection)] == runs


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.floats(-1, 110).map(lambda number: round(number, 2)) | st.floats(0, 1), max_size=8))
def test_what_stands_there_is_judged_as_at_the_door(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[float]
) -> None:
    store = Store(tmp_path_factory.mktemp("doubts") / "board.db", create=True)
    with store.changing("anna", "add") as change:
        board = change.leaderboard(change.task("T"), change.dataset("D"))
        raws = {change.add_result(Result(board, "M", {"Accuracy": str(one)})): str(one) for one in numbers}
    with store.reading() as connection:
        at_the_door = {}
        for result, raw in raws.items():
            others = numbers_beside(connection, 1, result)
            at_the_door[result] = doubt("Accuracy", raw, parse_value(raw), others)
            if others:
                assert doubt("Accuracy", "0.5", parse_value("0.5"), others) == (
                    f"Accuracy is 0.5 among values around {median(others):g}: is 50 meant?"
                    if len(others) >= 3 and median(others) >= 20
                    else ""
                )
        assert {one.result: one.said for one in doubtful(connection)} == {
            result: said for result, said in at_the_door.items() if said
        }
