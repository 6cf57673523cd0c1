"""Values that cannot be, or hardly."""

from __future__ import annotations

import pytest

from noisystudent.board.catalogue.doubts import doubt, is_share
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
