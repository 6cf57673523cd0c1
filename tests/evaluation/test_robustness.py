import pyarrow as pa
import pytest

from noisystudent.evaluation.robustness import paired_scores


def scores(values: dict[str, float]) -> pa.Table:
    return pa.table({"id": list(values), "score": list(values.values())})


def test_scores_are_paired_by_id() -> None:
    first = scores({"a": 10.0, "b": 20.0, "only here": 99.0})
    second = scores({"b": 50.0, "a": 20.0})
    found = paired_scores(first, second)
    assert found["points"] == -20
    assert found["n"] == 2
    assert -30 <= found["ci95"][0] <= -20 <= found["ci95"][1] <= -10


def test_the_same_model_differs_by_nothing() -> None:
    table = scores({"a": 1.0, "b": 5.0})
    assert paired_scores(table, table) == {"points": 0.0, "ci95": (0.0, 0.0), "n": 2}


def test_the_interval_is_seeded() -> None:
    first, second = scores({str(i): float(i) for i in range(20)}), scores({str(i): float(i % 3) for i in range(20)})
    assert paired_scores(first, second, seed=1) == paired_scores(first, second, seed=1)
    assert paired_scores(first, second, seed=1)["ci95"] != pytest.approx(paired_scores(first, second, seed=2)["ci95"])
