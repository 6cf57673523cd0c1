import signal
import threading
from collections.abc import Iterator

import pytest

from noisystudent.stopping import Stopped, stop_requests, stopped_by_signals


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Ctrl-C is heard, also where the tests themselves run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


def steps(signals: dict[int, list[signal.Signals]]) -> list[int]:
    """Three steps, with signals that come during some of them; what was done of them."""
    done: list[int] = []
    with stop_requests() as request:
        for step in (1, 2, 3):
            request.wait()
            for number in signals.get(step, []):
                signal.raise_signal(number)
            done.append(step)
            if step < 3:
                request.stop(f"stopped after {done}")
    return done


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_waits_and_the_handlers_are_those_of_before_again(number: signal.Signals) -> None:
    before = handlers()
    with pytest.raises(Stopped, match=r"stopped after \[1, 2\]") as stopped:
        steps({2: [number]})
    assert stopped.value.number == number
    assert isinstance(stopped.value, KeyboardInterrupt)  # which Python programs expect
    assert handlers() == before
    assert steps({}) == [1, 2, 3]


def test_the_second_signal_stops_at_once() -> None:
    with pytest.raises(Stopped, match=r"^stopped$"):
        steps({2: [signal.SIGINT, signal.SIGINT]})


def test_a_request_after_the_last_look_is_not_lost() -> None:
    with pytest.raises(Stopped, match=r"^stopped$"):
        steps({3: [signal.SIGTERM]})


def test_before_there_is_anything_to_save_a_signal_stops_at_once() -> None:
    with stop_requests(), pytest.raises(Stopped):
        signal.raise_signal(signal.SIGTERM)


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stopped_by_signals(), stop_requests() as request:
            request.wait()
            signal.raise_signal(signal.SIGINT)
            assert not request.came
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_than_the_main_one_asks_nothing() -> None:
    came: list[bool] = []

    def work() -> None:
        with stopped_by_signals(), stop_requests() as request:
            came.append(request.came)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert came == [False]
