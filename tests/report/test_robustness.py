"""The section on robustness of a run whose figures are known."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from noisystudent.evaluation.corruption_error import EXTRA, MAIN
from noisystudent.evaluation.flip_rate import MAIN as PERTURBATIONS
from noisystudent.report.html import write_report


def found(error: float) -> dict[str, Any]:
    errors = {name: {str(s): error + s for s in range(1, 6)} for name in (*MAIN, *EXTRA)}
    how = {"strengths": "ImageNet-C", "normalizers": "AlexNet"}
    return {
        "metrics": {"top1": 90.0, "mce": error, "mfr": 33.25, "pgd_eps16": 1.5, "ece": 2.0},
        "ci95": {"mce": [error - 1, error + 1], "mfr": [30.0, 36.0]},
        "suites": {
            "c": {**how, "frost": "procedural", "errors": errors},
            "p": {
                "strengths": "ImageNet-P",
                "normalizers": "AlexNet",
                "flip_probability": dict.fromkeys(PERTURBATIONS, 4.25),
            },
            "calibration": {"reliability": [{"images": 3, "confidence": 0.5, "accuracy": 0.25}]},
        },
    }


@pytest.fixture
def measured(new_run: Callable[..., Any]) -> Path:
    run: Path = new_run().write()
    difference = {
        "metric": "mce",
        "better": "student 2",
        "than": "baseline",
        "points": -7.5,
        "ci95": [-9.0, -6.0],
        "n": 200,
    }
    networks = {"student 2": found(40.0), "baseline": found(47.5)}
    value = {"split": "test", "networks": networks, "differences": [difference]}
    (run / "robustness.json").write_text(json.dumps(value))
    return run


def test_figures_are_those_of_robustness_json(measured: Path, read_page: Callable[[Path], Any]) -> None:
    page = read_page(write_report(measured))
    rows = {row[0]: row[1:] for row in page.table("Rates in percent")}
    assert rows["mean corruption error"] == ["40.00 39.00 to 41.00", "47.50 46.50 to 48.50", "−7.5 −9.0 to −6.0"]
    assert rows["mean flip rate"][0] == "33.25 30.00 to 36.00"
    assert rows["top-1 under PGD, 16 of 255"] == ["1.50", "1.50", "–"]
    flips = {row[0]: row[1:] for row in page.table("How often the answer changes")}
    assert flips["tilt"] == ["4.25", "4.25"]
    labels = [label for label in page.values("aria-label") if "Mean error by severity" in label]
    assert labels == ["Mean error by severity: student 2 from 10.0 to 45.0 %, baseline from 10.0 to 52.5 %"]
    text = page.sections["Robustness"]
    assert "made here with the strengths of ImageNet-C and a frost of our own; rates are divided by AlexNet's." in text


def test_what_is_published_is_told_apart(measured: Path, read_page: Callable[[Path], Any]) -> None:
    page = read_page(write_report(measured))
    rows = page.table("Published by Xie et al. (CVPR 2020)")
    assert rows[2] == ["EfficientNet-L2, Noisy Student", "88.4", "83.7", "30.0", "14.2"]
    assert any("Not measured here, and not comparable" in caption for caption in page.tables)


def test_without_the_answers_there_are_no_pictures_and_without_figures_no_section(
    measured: Path, read_page: Callable[[Path], Any]
) -> None:
    assert "What the corruptions look like" not in read_page(write_report(measured)).text
    (measured / "robustness.json").unlink()
    assert "Robustness" not in read_page(write_report(measured)).sections
