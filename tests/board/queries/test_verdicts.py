"""Verdicts: their definition, on each side of each bound, and out of a store."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.store import Store
from noisystudent.board.catalogue.values import Value
from noisystudent.board.queries import protocols
from noisystudent.board.queries.protocols import protocol_of
from noisystudent.board.queries.verdicts import tolerance_of, verdict, verdicts_of_leaderboard, verdicts_of_paper

NUMBERS = st.floats(min_value=-1000, max_value=1000, allow_nan=False)


@pytest.mark.parametrize(
    ("run", "interval", "expected"),
    [
        (88.4, None, "reproduced"),
        (87.9, None, "reproduced"),  # the tolerance itself, which is 0.5000000000000071 in binary
        (88.9, None, "reproduced"),
        (88.91, None, "exceeds"),
        (87.89, None, "not reproduced"),
        (87.0, (86.5, 87.5), "not reproduced"),
        (87.5, (86.9, 88.1), "partial"),  # reaches into the tolerance: more images must tell
        (87.5, (87.2, 87.8), "not reproduced"),
        (90.0, (88.8, 91.2), "partial"),  # better, or within: the interval has both, and is wide
        (89.2, (88.7, 89.7), "reproduced"),  # better, but not surely by more than the tolerance
        (90.0, (89.0, 91.0), "exceeds"),
        (88.4, (86.0, 90.8), "partial"),  # a wide interval proves nothing, wherever its middle is
        (88.4, (87.4, 89.4), "reproduced"),  # as wide as is allowed
    ],
)
def test_each_side_of_each_bound(run: float, interval: tuple[float, float] | None, expected: str) -> None:
    assert verdict(88.4, run, higher_is_better=True, tolerance=0.5, interval=interval) == expected


def test_what_is_worse_but_beats_the_reference_is_partial() -> None:
    assert verdict(88.4, 86.0, higher_is_better=True, tolerance=0.5, reference=85.0) == "partial"
    assert verdict(88.4, 84.0, higher_is_better=True, tolerance=0.5, reference=85.0) == "not reproduced"
    assert (
        verdict(88.4, 86.0, higher_is_better=True, tolerance=0.5, interval=(84.9, 87.1), reference=85.0)
        == "not reproduced"
    ), "its interval reaches below the reference: the effect is not shown"
    assert verdict(28.3, 40.0, higher_is_better=False, tolerance=0.5, reference=42.5) == "partial"


def test_other_images_than_those_of_the_claim_prove_at_most_a_part() -> None:
    for run, expected in ((88.4, "partial"), (95.0, "partial"), (80.0, "not reproduced")):
        assert verdict(88.4, run, higher_is_better=True, tolerance=0.5, proxy=True) == expected


def test_without_enough_seeds_it_is_pending() -> None:
    assert verdict(88.4, None, higher_is_better=True, tolerance=0.5) == "pending"
    assert verdict(88.4, 88.4, higher_is_better=True, tolerance=0.5, seeds=2, seeds_required=3) == "pending"
    assert verdict(88.4, 88.4, higher_is_better=True, tolerance=0.5, seeds=3, seeds_required=3) == "reproduced"


@given(claim=NUMBERS, run=NUMBERS, tolerance=st.floats(0, 100), width=st.floats(0, 50), reference=st.none() | NUMBERS)
def test_lower_is_better_is_the_mirror_of_higher(
    claim: float, run: float, tolerance: float, width: float, reference: float | None
) -> None:
    interval = (run - width, run + width)
    there = verdict(claim, run, higher_is_better=True, tolerance=tolerance, interval=interval, reference=reference)
    mirrored = verdict(
        -claim,
        -run,
        higher_is_better=False,
        tolerance=tolerance,
        interval=(-interval[1], -interval[0]),
        reference=None if reference is None else -reference,
    )
    assert there == mirrored


ORDER = ["not reproduced", "partial", "reproduced", "exceeds"]


@given(claim=NUMBERS, tolerance=st.floats(0.01, 100), run=NUMBERS, more=st.floats(0, 100))
def test_a_better_run_never_gets_a_worse_verdict(claim: float, tolerance: float, run: float, more: float) -> None:
    verdicts = [verdict(claim, value, higher_is_better=True, tolerance=tolerance) for value in (run, run + more)]
    assert ORDER.index(verdicts[0]) <= ORDER.index(verdicts[1])


def test_tolerances() -> None:
    assert tolerance_of(Value(88.4, "%"), percentage=True, higher_is_better=True)[0] == 0.5
    assert tolerance_of(Value(98.6), percentage=True, higher_is_better=True)[0] == pytest.approx(0.14)
    assert tolerance_of(Value(1.4), percentage=True, higher_is_better=False)[0] == pytest.approx(0.14)
    assert tolerance_of(Value(98.6, "", 0.3), percentage=True, higher_is_better=True) == (0.3, "the claim's own spread")
    assert tolerance_of(Value(28.3), percentage=False, higher_is_better=False)[0] == pytest.approx(0.566)


# Out of a store


def add_run(store: Store, raw: str, *, metric: str = "Top 1 Accuracy", claim: int = 2, **run: Any) -> int:
    """A run beside a claim of the `imagenet` fixture (result 2 is Noisy Student's)."""
    given = {
        "seeds": "[0, 1, 2]",
        "intervals": "{}",
        "environment": "{}",
        "config": "x = 1",
        "images": 50_000,
        **run,
    }
    with store.changing("anna", "submit run") as change:
        row = change.connection.execute("SELECT leaderboard_id, paper_id FROM result WHERE id = ?", (claim,)).fetchone()
        result = change.add_result(
            Result(row["leaderboard_id"], "NoisyStudent", {metric: raw}, paper=row["paper_id"], kind="run")
        )
        change.insert("run", result_id=result, claim_id=claim, **given)
    return result


def verdicts(store: Store) -> list[dict[str, Any]]:
    with store.reading() as connection:
        return verdicts_of_leaderboard(connection, 1)


def test_a_row_says_everything_that_a_page_shows(imagenet: Store) -> None:
    run = add_run(
        imagenet,
        "88.20 ± 0.10%",
        images=50_000,
        command="noisystudent run",
        git_commit="abc",
        intervals=json.dumps({"Top 1 Accuracy": [88.0, 88.4]}),
    )
    (row,) = verdicts(imagenet)
    assert row == {
        "run_result_id": run,
        "claim_result_id": 2,
        "metric": "Top 1 Accuracy",
        "claim": "88.4%",
        "run": "88.20 ± 0.10%",
        "interval": [88.0, 88.4],
        "tolerance": 0.5,
        "basis": "half a point",
        "verdict": "reproduced",
        "protocol": {"kind": "exact", "basis": "50,000 images"},
        "citation": {
            "paper": "Self-training with Noisy Student",
            "address": "https://arxiv.org/abs/1911.04252",
            "locator": "",
        },
        "objections": [],
        "model": "NoisyStudent",
        "seeds": [0, 1, 2],
        "images": 50_000,
        "command": "noisystudent run",
        "git_commit": "abc",
        "leaderboard_slug": "image-classification-on-imagenet",
    }
    with imagenet.reading() as connection:
        assert verdicts_of_paper(connection, 1) == [row]
        assert verdicts_of_paper(connection, 99) == []


def test_a_training_needs_three_seeds_a_measurement_and_a_cost_none(imagenet: Store) -> None:
    add_run(imagenet, "88.4%", seeds="[0]")
    add_run(imagenet, "88.4%", seeds="[]", config="")
    with imagenet.changing("anna", "costs") as change:
        change.add_result(Result(1, "NoisyStudent", {"GFLOPs": "37"}, paper=1))
    costly = max(row["id"] for row in imagenet.connect().execute("SELECT id FROM result"))
    add_run(
        imagenet, "37.75", metric="GFLOPs", claim=costly, seeds="[0]", environment=json.dumps({"costs": ["GFLOPs"]})
    )
    assert [(row["metric"], row["verdict"]) for row in verdicts(imagenet)] == [
        ("Top 1 Accuracy", "pending"),
        ("Top 1 Accuracy", "reproduced"),
        ("GFLOPs", "not reproduced"),  # 2 % of 37 is 0.74
    ]


def test_the_metrics_own_tolerance_counts(imagenet: Store) -> None:
    add_run(imagenet, "87.0%")
    assert verdicts(imagenet)[0]["verdict"] == "not reproduced"
    with imagenet.changing("anna", "tolerance") as change:
        change.edit("metric", 1, tolerance=2.0, tolerance_basis="between laboratories")
    row = verdicts(imagenet)[0]
    assert (row["verdict"], row["tolerance"], row["basis"]) == ("reproduced", 2.0, "between laboratories")


def test_baseline_and_proxy_come_with_the_run(imagenet: Store) -> None:
    add_run(imagenet, "86.0%", environment=json.dumps({"baseline": {"Top 1 Accuracy": 85.0}}))
    add_run(imagenet, "88.4%", environment=json.dumps({"proxies": {"Top 1 Accuracy": "on other images"}}))
    rows = verdicts(imagenet)
    assert [row["verdict"] for row in rows] == ["partial", "partial"]
    assert "on other images" in rows[1]["basis"]
    assert rows[1]["protocol"] == {"kind": "proxy", "basis": "on other images"}


@pytest.mark.parametrize(
    ("run", "expected", "kind"),
    [
        ({"images": 360, "environment": json.dumps({"classes": 10})}, "not comparable", None),  # ten digits
        ({"images": 50_000, "environment": json.dumps({"classes": 10})}, "not comparable", None),
        ({"images": 60_000, "environment": json.dumps({"classes": 1000})}, "not comparable", None),
        ({"images": 650}, "not comparable", None),  # nobody knows among how many classes
        ({"images": None}, "not comparable", None),
        ({"images": 650, "environment": json.dumps({"classes": 1000})}, "partial", "partial"),
        ({"images": 360, "environment": json.dumps({"classes": 10, "protocol": "exact"})}, "reproduced", "exact"),
        ({"images": 360, "environment": json.dumps({"classes": 10, "protocol": "proxy"})}, "partial", "proxy"),
    ],
)
def test_only_like_is_set_beside_like(imagenet: Store, run: dict[str, Any], expected: str, kind: str | None) -> None:
    add_run(imagenet, "88.4%", **run)
    (row,) = verdicts(imagenet)
    assert (row["verdict"], row["protocol"]["kind"]) == (expected, kind)
    assert row["protocol"]["basis"] in row["basis"] or expected == "reproduced"


def test_a_count_of_the_network_needs_no_images_but_its_classes(imagenet: Store) -> None:
    with imagenet.changing("anna", "costs") as change:
        claim = change.add_result(Result(1, "NoisyStudent", {"GFLOPs": "37"}, paper=1))
    for classes in (1000, 10):
        about = json.dumps({"costs": ["GFLOPs"], "classes": classes})
        add_run(imagenet, "37.0", metric="GFLOPs", claim=claim, images=7, environment=about)
    assert [row["verdict"] for row in verdicts(imagenet)] == ["reproduced", "not comparable"]


def test_of_a_data_set_that_nobody_knows_the_operator_says_it(store: Store) -> None:
    with store.changing("anna", "add") as change:
        board = change.leaderboard(change.task("Image Classification"), change.dataset("Our photos"))
        change.metric(board, "Accuracy", higher_is_better=True)
        claim = change.add_result(Result(board, "NoisyStudent", {"Accuracy": "90%"}))
    add_run(store, "90%", metric="Accuracy", claim=claim)
    add_run(store, "90%", metric="Accuracy", claim=claim, environment=json.dumps({"protocol": "exact"}))
    rows = verdicts(store)
    assert [row["verdict"] for row in rows] == ["not comparable", "reproduced"]
    assert "--protocol" in rows[0]["basis"]


def test_few_labels_are_measured_on_the_images_of_the_whole() -> None:
    for name in ("CIFAR-10, 40 Labels", "cifar-10 (4000 labels)", "CIFAR-10"):
        assert protocol_of(name, images=10_000, classes=10).kind == "exact"
    assert protocol_of("ImageNet - 10% labeled data", images=50_000, classes=1000).kind == "exact"
    assert protocol_of("CIFAR-10 Image Classification", images=10_000).kind is None


def test_every_set_is_known_once_and_says_who_says_so() -> None:
    names = [name.casefold() for one in protocols._SETS for name in one["names"]]
    assert len(names) == len(set(names))
    assert all(one["source"] and one["classes"] and one["images"] for one in protocols._SETS)


def test_units_that_differ_and_unknown_directions_are_pending(imagenet: Store) -> None:
    add_run(imagenet, "0.884")
    assert (verdicts(imagenet)[0]["verdict"], verdicts(imagenet)[0]["basis"]) == ("pending", "the units differ")
    with imagenet.changing("anna", "add") as change:
        change.add_result(Result(1, "NoisyStudent", {"Vibes": "5"}, paper=1), supersedes=2)
        claim = change.connection.execute("SELECT max(id) FROM result").fetchone()[0]
    add_run(imagenet, "5", metric="Vibes", claim=claim)
    assert "direction" in next(row for row in verdicts(imagenet) if row["metric"] == "Vibes")["basis"]


def test_a_corrected_claim_is_followed_and_a_withdrawn_one_has_no_verdict(imagenet: Store) -> None:
    add_run(imagenet, "88.4%")
    with imagenet.changing("anna", "correct") as change:
        corrected = change.add_result(Result(1, "NoisyStudent", {"Top 1 Accuracy": "90.0%"}, paper=1), supersedes=2)
    (row,) = verdicts(imagenet)
    assert (row["claim_result_id"], row["claim"], row["verdict"]) == (corrected, "90.0%", "not reproduced")
    with imagenet.changing("anna", "withdraw") as change:
        change.retire_result(corrected)
    assert verdicts(imagenet) == []
