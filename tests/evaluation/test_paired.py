import math

import pyarrow as pa
import pytest

from noisystudent.evaluation.paired import paired_difference


def predictions(right: str, *, ids: list[str] | None = None) -> pa.Table:
    """An image for each character: + is classified right."""
    n = len(right)
    return pa.table(
        {
            "id": ids or [f"{i}" for i in range(n)],
            "label": [i % 2 for i in range(n)],
            "predicted": [i % 2 if sign == "+" else 1 - i % 2 for i, sign in enumerate(right)],
        }
    )


def mcnemar(gained: int, lost: int) -> float:
    """Exact and two-sided: twice the binomial tail of the smaller count."""
    n = gained + lost
    tail = sum(math.comb(n, k) for k in range(min(gained, lost) + 1)) / 2**n
    return min(1.0, 2 * tail)


@pytest.mark.parametrize(
    ("first", "second"),
    [("++++++++--", "++----+++-"), ("+++++++---", "---------+"), ("+-+-+-+-", "-+-+-+-+"), ("++++++", "-+++++")],
)
def test_points_and_mcnemars_test_by_hand(first: str, second: str) -> None:
    gained = sum(a == "+" and b == "-" for a, b in zip(first, second, strict=True))
    lost = sum(a == "-" and b == "+" for a, b in zip(first, second, strict=True))
    result = paired_difference(predictions(first), predictions(second))
    assert result["points"] == pytest.approx(100 * (gained - lost) / len(first))
    assert result["p"] == pytest.approx(mcnemar(gained, lost))
    assert result["n"] == len(first)
    low, high = result["ci95"]
    assert low <= result["points"] <= high


def test_the_same_model_twice_makes_no_difference() -> None:
    assert paired_difference(predictions("++-+"), predictions("++-+")) == {
        "points": 0.0,
        "ci95": (0.0, 0.0),
        "p": 1.0,
        "n": 4,
    }


def test_images_are_matched_by_id_and_others_left_out() -> None:
    first = predictions("+-+", ids=["a", "b", "c"])
    second = pa.table({"id": ["c", "x", "a"], "label": [0, 0, 0], "predicted": [1, 0, 0]})  # c wrong, a right
    result = paired_difference(first, second)
    assert result["n"] == 2
    assert result["points"] == 50.0


def test_the_interval_is_seeded() -> None:
    first, second = predictions("+++-+-+++-"), predictions("+--++-+--+")
    assert paired_difference(first, second, seed=1) == paired_difference(first, second, seed=1)
    intervals = {paired_difference(first, second, seed=seed)["ci95"] for seed in range(5)}
    assert len(intervals) > 1
