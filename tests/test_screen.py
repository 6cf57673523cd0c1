"""What a person reads on stdout is what was measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from noisystudent import screen


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")


COST = {"seconds": 61.0, "training_pflop": 0.5, "labeling_pflop": 0.00123}


def test_brackets_in_class_names_are_shown_and_not_taken_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"name": "[bold]cat[/bold]", "candidates": 7, "above_threshold": 6, "kept": 5, "rows": 9, "threshold": 0.25}
    screen.show_selection(
        {"threshold": 0.2, "mode": "exact", "classes": [row, {**row, "name": "dog", "threshold": None}]}
    )
    shown = capsys.readouterr().out
    assert "[bold]cat[/bold]" in shown
    assert "0.250" in shown


def test_a_run_is_shown_with_its_intervals_the_best_network_and_what_the_student_gained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shared = {"model": "resnet8_16", "split": "test", "ci95": {"top1": [80.04, 89.96]}, "seconds": 61.4}
    rows = [
        {"name": "teacher", "metrics": {"top1": 85.04, "params": 257754}, "provenance": {"folder": "gen-0"}, **shared},
        {
            "name": "student 1",
            "metrics": {"top1": 88.96, "params": 458898},
            "provenance": {"folder": "gen-1"},
            **shared,
        },
    ]
    answer = {
        "sentence": "Not clearly: ...", "more": ["Student 1 is right."], "advice": ["Give --test."],
        "measured": "500 test images", "balanced": False, "split": "test",
    }  # fmt: skip
    screen.show_run({"best": "gen-1", "rows": rows, "answer": answer, "cost": COST}, out=Path("my [run]"))
    shown = capsys.readouterr().out
    assert shown.startswith("Not clearly: ...\nStudent 1 is right.\n")
    for expected in ("85.0", "89.0", "80.0 to 90.0", "257,754", "61", "student 1 *", "* handed on", "- Give --test."):
        assert expected in shown
    assert "accuracy on 500 test images" in shown
    assert "noisystudent predict --model 'my [run]' --images FOLDER --out labels.csv" in shown
    assert "local-dir:my [run]/best/model" in shown


def test_a_run_without_held_out_images_is_shown_without_accuracies(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"name": "teacher", "model": "m", "split": None, "metrics": {"params": 5}, "ci95": {}, "seconds": 1.0}
    answer = {"sentence": "It was not measured.", "more": [], "advice": [], "measured": None, "balanced": False}
    screen.show_run(
        {
            "best": "gen-0",
            "rows": [{**row, "provenance": {"folder": "gen-0"}}],
            "answer": {**answer, "split": None},
            "cost": COST,
        },
        out=Path("r"),
    )
    shown = capsys.readouterr().out
    assert "top-1" not in shown
    assert "interval" not in shown
    assert "noisystudent evaluate --model r --data FOLDER" in shown


def test_the_worst_classes_are_shown_and_those_without_images_counted(capsys: pytest.CaptureFixture[str]) -> None:
    classes = [{"name": f"class {n}", "n": 10, "recall": float(n)} for n in range(30)] + [
        {"name": "rose", "n": 0, "recall": None}
    ]
    suites = {"clean": {"n": 300, "per_class": classes}}
    screen.show_evaluation({"model": "m", "n": 300, "metrics": {"top1": 50.0}, "ci95": {}, "suites": suites})
    shown = capsys.readouterr().out
    assert "recall of the worst 20 of 30 classes" in shown
    assert "class 19" in shown
    assert "class 20" not in shown
    assert "1 of the 31 classes have no image here" in shown
