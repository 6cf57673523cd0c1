"""Which direction is better, and how that was found out."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisystudent.board.catalogue import directions
from noisystudent.board.catalogue.directions import (
    NAMES,
    UNKNOWN,
    Direction,
    agreed,
    by_dates,
    by_name,
    by_order,
    has_none,
)

FALLING = [9.0, 8.0, 7.0, 6.0, 5.0]
DAYS = [f"20{year}-05-01" for year in range(15, 20)]
BY_HAND = tomllib.loads(Path(__file__).with_name("metrics_by_hand.toml").read_text(encoding="utf-8"))
BETTER = {"higher": True, "lower": False, "neither": None}

HIGHER = [
    *("% Test Accuracy", "word_acc", "macro_f1", "edge_micro_f1", "ndcg_at_10", "map_at_1", "GLEU", "F0.5", "P@5", "P@k", "R@k", "R@1"),
    *("TEST-EM", "EM", "CF1", "C-F1", "OF1", "Smatch", "mDice", "Dice", "mIoU", "mIoU(ms+flip)", "wIoU", "fwIoU", "mean IoU", "NDS"),
    *("Elo", "ELO Rating", "Senseval 2", "SemEval 2007", "AUC (horizon error)", "TAR @ FAR=0.01", "Restaurant (Acc)", "ERR@20"),
    *("Speed (FPS)", "Spearman's Rho", "Q->AR", "top1_a", "pgd_eps4", "images_per_second", "Error (higher is better)", "Vibes \u2191"),
]  # fmt: skip
LOWER = [
    *("FID50k", "FID-10k-test", "NIQE", "SAD", "CONN", "Conn", "Grad", "Entropy", "Cross Entropy Loss", "ADE", "minFDE_5"),
    *("FVD score", "CREMI Score", "Mean validation loss", "Accuracy loss", "AUC Stdev", "Jaccard (Decay)", "CPU (sec)", "Speed(ms/f)"),
    *("Average Cross-Ent", "MR^-2", "text-to-video Median Rank", "D1-all", "Time Per Frame (ms)", "No. parameters", "bits/dim", "mt5d"),
    *("rel_mce", "FPR95", "1-NNA-CD", "Entropy Difference", "Negative ELBO", "L1", "score (lower is better)", "Vibes \u2193"),
]  # fmt: skip
NEITHER = ["Backbone", "Training images", "Use Video Sequence", "Bias (F/M)", "Number of Views"]
SILENT = ["Vibes", "Lossless", "Test", "", "(", "[[((", "@", "10%", "_"]


@pytest.mark.parametrize("name", HIGHER)
def test_names_of_what_is_better_higher(name: str) -> None:
    assert by_name(name).higher_is_better is True


@pytest.mark.parametrize("name", LOWER)
def test_names_of_what_is_better_lower(name: str) -> None:
    assert by_name(name).higher_is_better is False


@pytest.mark.parametrize("name", [*SILENT, *NEITHER])
def test_names_that_say_nothing(name: str) -> None:
    assert by_name(name) == UNKNOWN
    assert has_none(name) == (name in NEITHER)


def test_where_it_comes_from() -> None:
    assert by_name(" percentage ERROR ") == Direction(False, "known name")
    assert by_name("Balanced accuracy over all") == Direction(True, "pattern of name")


@pytest.mark.parametrize("sample", ["first", "second"])
def test_of_a_hundred_names_97_are_as_they_are_by_hand(sample: str) -> None:
    by_hand = {name: BETTER[better] for better, names in BY_HAND[sample].items() for name in names}
    assert len(by_hand) == 100
    wrong = {name for name, better in by_hand.items() if by_name(name).higher_is_better is not better}
    assert len(wrong) <= 3, wrong


def test_the_order_of_rows() -> None:
    assert by_order(FALLING) is True
    assert by_order(FALLING[::-1]) is False


@pytest.mark.parametrize(
    "values", [FALLING[:4], [5.0] * 9, [1.0, 9.0, 2.0, 8.0, 3.0], [None] * 9, [9.0, None, None, 8.0]]
)
def test_an_order_that_says_nothing_says_nothing(values: list[float | None]) -> None:
    assert by_order(values) is None


def test_newer_results_are_better() -> None:
    assert by_dates(DAYS, FALLING) is False
    assert by_dates(DAYS[::-1], FALLING) is True
    assert by_dates([*DAYS[:4], None], FALLING) is None  # too few
    assert by_dates([DAYS[0]] * 5, FALLING) is None
    assert by_dates(DAYS, [5.0, 9.0, 4.0, 8.0, 5.0]) is None


def test_who_differ_agree_on_nothing() -> None:
    assert agreed([None, None]) is None
    assert agreed([True, None, False]) is None


@given(st.text(max_size=50))
def test_unknown_is_never_defaulted(name: str) -> None:
    found = by_name(name)
    assert (found.higher_is_better is None) == (found.origin == "unknown")


@given(st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=12, unique=True))
def test_turning_the_rows_round_turns_the_direction(values: list[float]) -> None:
    there, back = by_order(values), by_order(values[::-1])
    assert (there is None and back is None) or there is not back


def test_the_table_of_names_holds_each_once_and_as_names_are_cut() -> None:
    table = tomllib.loads(Path(directions.__file__).with_name("known_metrics.toml").read_text())
    names = [name for part in table["names"].values() for name in part]
    words = [word for part in ("higher", "lower", "vague_higher", "vague_lower") for word in table["words"][part]]
    for listed in (names, words):
        assert len(listed) == len(set(listed))
        assert [text for text in listed if " ".join(directions._WORD.findall(text.casefold())) != text] == []
    assert len(names) == len(NAMES)
    assert [text for text in words if len(text.split()) > directions.LONGEST_PHRASE] == []
    assert set(table["words"]["varied"]) <= set(words)
