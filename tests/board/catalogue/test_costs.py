"""Columns that say what a model costs, in the spellings of real tables."""

from __future__ import annotations

import pytest

from noisystudent.board.catalogue.costs import multiply_adds, parameters


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    [
        ("Number of params", "2179678", 2179678.0),
        ("Number of params", "66.35M", 66_350_000.0),
        ("PARAMS (M)", "66.35", 66_350_000.0),
        ("Params(M)", "66M", 66e6),
        ("#Params (M)", "1,437", 1437e6),
        ("Parameters (B)", "1.5", 1.5e9),
        ("number of parameters (million)", "3", 3e6),
        ("Param.", "5k", 5e3),
        ("Parameters", "", None),
        ("Parameters", "about 3", None),
        ("Parameters", "-3", None),
        ("Parameters", "3 kg", None),
        ("Hyperparameters", "3", None),
        ("Accuracy", "3", None),
    ],
)
def test_parameters(name: str, raw: str, expected: float | None) -> None:
    assert parameters(name, raw) == expected


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    [
        ("GFLOPs", "37", 37e9),
        ("GFLOPs", "37G", 37e9),
        ("MFLOPs", "300", 300e6),
        ("FLOPs (G)", "4.2", 4.2e9),
        ("GMACs", "4.2", 4.2e9),
        ("Multiply-Adds", "300M", 300e6),
        ("Operations per network pass", "0.2G", 200e6),
        ("FLOPs", "1e30", None),
        ("Flop rate", "3", None),
    ],
)
def test_multiply_adds(name: str, raw: str, expected: float | None) -> None:
    assert multiply_adds(name, raw) == expected
