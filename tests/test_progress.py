import io
import logging
import re
import sys
import time
import types
import warnings

import pytest
from rich.console import Console

from noisystudent import progress


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """A terminal of 80 columns."""
    shown = io.StringIO()
    terminal = Console(file=shown, force_terminal=True, force_interactive=True, width=80)
    monkeypatch.setattr(progress, "console", terminal)
    return shown


def redraw() -> None:
    assert progress._bars is not None
    progress._bars.refresh()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time now, to be set."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_without_a_terminal_there_are_lines_with_the_rate_and_the_time_left(
    caplog: pytest.LogCaptureFixture, clock: list[float]
) -> None:
    left = progress.Stage("stage 3 of 9", lambda whole, own: f"whole {whole:.0f} s, own {own:.0f} s")
    caplog.set_level(logging.INFO, "noisystudent")
    bar = progress.track("training student 1", 100, done=20, unit="steps")
    with progress.stage(left, "training student 1"), bar as advance:
        for now, note in ((150.0, ""), (155.0, "loss 0.5"), (166.0, ""), (170.0, ""), (171.0, "loss 0.25")):
            clock[0] = now
            advance(10, note)
    # A line at most every 15 seconds; what the first ten took, with all that came before them, is no rate.
    assert [record.getMessage() for record in caplog.records] == [
        "stage 3 of 9: training student 1",
        "training student 1: 30 of 100",
        "training student 1: 50 of 100, 1.2 steps/s, 40 s left, loss 0.5; whole 80 s, own 40 s",
        "stage 3 of 9: done in 71 s",
    ]


def test_the_rate_is_that_of_the_last_half_minute(clock: list[float]) -> None:
    pace = progress._Pace(10_000, 0, "images")
    for second in range(200):
        clock[0] = float(second)
        pace.advance(1 if second < 150 else 20, "")
    assert pace.rate == pytest.approx(20)
    assert str(pace) == f"{pace.done:,} of 10,000, 20.0 images/s, {progress.duration((10_000 - pace.done) / 20)} left"


def test_the_screen_is_renewed_ten_times_a_second_at_most(
    screen: io.StringIO, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    updates = []
    monkeypatch.setattr(progress._Bars, "update", lambda *_, **state: updates.append(state["completed"]))
    with progress.track("training", 1000, unit="steps") as advance:
        for step in range(1000):
            clock[0] = 100.0 + step / 100
            advance(1, "")
    assert 90 <= len(updates) <= 101
    assert updates[-1] == 1000


def test_on_a_terminal_the_stage_and_what_the_run_has_left_stand_above_the_bar(screen: io.StringIO) -> None:
    current = progress.Stage("stage 3 of 9", lambda whole, own: "about 6 min of the whole run left")
    with progress.stage(current, "training student 1"), progress.track("training student 1", 3) as advance:
        for _ in range(3):
            time.sleep(0.11)
            advance(1, "loss 0.1")
        redraw()
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue()).replace("\r", "\n").splitlines()
    assert "stage 3 of 9, about 6 min of the whole run left" in lines
    assert any(line.startswith("training student 1 ") and line.endswith("left, loss 0.1") for line in lines)
    assert all(len(line) <= 80 for line in lines)


def test_on_a_terminal_there_is_a_bar_that_goes_away(screen: io.StringIO) -> None:
    with progress.track("labeling", 4, done=1) as advance:
        advance(1, "first")
        advance(2, "last")
        redraw()
    shown = screen.getvalue()
    assert "labeling" in shown
    assert "4 of 4" in shown
    assert "last" in shown


def test_in_a_notebook_one_line_below_the_cell_changes(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    shown: list[str] = []

    class Handle:
        def update(self, data: dict[str, str], *, raw: bool) -> None:
            assert raw
            shown.append(data["text/plain"])

    def display(data: dict[str, str], *, raw: bool, display_id: bool) -> Handle:
        assert raw
        assert display_id
        shown.append(data["text/plain"])
        return Handle()

    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=display))
    monkeypatch.setattr(progress, "console", Console(force_jupyter=True))
    current = progress.Stage("stage 3 of 9", lambda whole, own: f"own {own:.0f} s")
    with progress.stage(current, "labeling"), progress.track("labeling", 40) as advance:
        for now in (101.0, 101.25, 103.0):
            clock[0] = now
            advance(10, "")
    assert shown == [
        "labeling",
        "stage 3 of 9; labeling: 10 of 40",
        "stage 3 of 9; labeling: 30 of 40, 10.0 images/s, 1 s left; own 1 s",
        "stage 3 of 9; labeling: 30 of 40, 10.0 images/s, 1 s left; own 1 s",
    ]
    shown.clear()
    with progress.unseen(), progress.track("labeling", 1) as advance:
        advance(1, "")
    assert shown == []


def test_messages_go_to_stderr_and_quiet_leaves_warnings_only(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet in (False, True):
        progress.configure(quiet=quiet)
        progress.logger.info("for your information %s", quiet)
        progress.logger.warning("a warning [bold] %s", quiet)
    out, err = capsys.readouterr()
    assert out == ""
    assert "for your information False" in err
    assert "for your information True" not in err
    assert "a warning [bold] False" in err  # brackets are no markup
    assert "a warning [bold] True" in err


def test_nothing_is_shown_of_what_has_no_description(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(progress, "console", Console(file=shown, force_terminal=True))
    with progress.track("", 3) as advance:
        advance(3, "a note")
    assert shown.getvalue() == ""


def test_work_that_is_part_of_other_work_has_a_bar_below_it_for_as_long_as_it_lasts(screen: io.StringIO) -> None:
    with progress.track("training", 2) as outer:
        bars = progress._bars
        assert bars is not None
        with progress.track("decoding [b] images", 1) as inner:
            assert [task.description for task in bars.tasks] == ["training", "decoding [b] images"]
            inner(1, "")
        assert [task.description for task in bars.tasks] == ["training"]
        outer(2, "loss 0.1")
    assert progress._bars is None
    assert "training" in screen.getvalue()


def test_without_a_terminal_a_message_is_one_line_however_long(capsys: pytest.CaptureFixture[str]) -> None:
    progress.configure(quiet=False)
    progress.warn(["a long warning " * 20], about="student 2")
    assert capsys.readouterr().err == f"WARNING  student 2: {'a long warning ' * 20}\n"


def test_warnings_of_python_libraries_do_not_reach_the_user(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        progress.configure(quiet=False)
        warnings.warn("deprecated, says a library", UserWarning, stacklevel=1)
    assert capsys.readouterr().err == ""
