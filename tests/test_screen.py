"""What a person reads on stdout is what was measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from noisystudent import screen


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")


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
    difference = {"better": "student 1", "than": "teacher", "points": 3.92, "ci95": [-0.5, 8.3], "n": 500}
    screen.show_run({"best": "gen-1", "rows": rows, "differences": [difference]}, out=Path("my [run]"))
    shown = capsys.readouterr().out
    for expected in ("85.0", "89.0", "80.0 to 90.0", "257,754", "61", "student 1 (best)", "my [run]/gen-1/model"):
        assert expected in shown
    assert "student 1 over the teacher: +3.9 points (95 % interval -0.5 to +8.3, n = 500)" in shown


def test_a_run_without_held_out_images_is_shown_without_accuracies(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"name": "teacher", "model": "m", "split": None, "metrics": {"params": 5}, "ci95": {}, "seconds": 1.0}
    screen.show_run(
        {"best": "gen-0", "rows": [{**row, "provenance": {"folder": "gen-0"}}], "differences": []}, out=Path("r")
    )
    assert "nothing was held out" in capsys.readouterr().out
