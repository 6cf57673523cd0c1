import io
import logging
from collections.abc import Iterator

import pytest
from rich.console import Console

from noisystudent import progress


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    logger, quiet = progress.logger, progress.console.quiet
    before = (list(logger.handlers), logger.level, logger.propagate)
    yield
    logger.handlers, logger.level, logger.propagate = list(before[0]), before[1], before[2]
    progress.console.quiet = quiet


def test_without_a_terminal_there_are_lines_with_the_time_left(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 105.0, 120.0, 125.0, 140.0])  # the start, then each advance
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    progress.logger.propagate = True
    with caplog.at_level(logging.INFO, "noisystudent"), progress.track("training", 100, done=20) as advance:
        for count in (10, 10, 10, 10):
            advance(count, "loss 0.5")
    # A line at most every 15 seconds; 20 of the remaining 80 in 20 s leave 60 s, 40 in 40 s leave 40 s.
    assert [record.getMessage() for record in caplog.records] == [
        "training: 40 of 100, about 60 s left loss 0.5",
        "training: 60 of 100, about 40 s left loss 0.5",
    ]


def test_on_a_terminal_there_is_a_bar_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    monkeypatch.setattr(progress, "console", console)
    with progress.track("labeling", 4, done=1) as advance:
        advance(1, "first")
        advance(2, "last")
    shown = screen.getvalue()
    assert "labeling" in shown
    assert "4/4" in shown
    assert "last" in shown


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


def test_work_that_is_part_of_other_work_may_be_tracked_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(progress, "console", Console(file=shown, force_terminal=True, width=120))
    with progress.track("training", 2) as outer:
        with progress.track("decoding images", 1) as inner:
            inner(1, "")
        outer(2, "loss 0.1")
    assert "training" in shown.getvalue()
