import threading
from concurrent.futures import ThreadPoolExecutor

from noisystudent.data.memory_budget import MemoryBudget


def test_a_big_one_waits_and_none_exceeds_the_total() -> None:
    budget = MemoryBudget(10)
    held, most, lock = 0, 0, threading.Lock()

    def work(size: int) -> None:
        nonlocal held, most
        with budget.part(size):
            with lock:
                held += min(size, 10)
                most = max(most, held)
            with lock:
                held -= min(size, 10)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, [1, 3, 25, 7, 10, 2] * 50))
    assert 0 < most <= 10
    assert budget.left == 10


def test_what_is_held_is_given_back_after_an_error() -> None:
    budget = MemoryBudget(10)
    try:
        with budget.part(10):
            raise KeyError
    except KeyError:
        pass
    assert budget.left == 10


def test_one_that_must_wait_goes_on_when_another_is_done() -> None:
    budget = MemoryBudget(10)
    entered = threading.Event()

    def big() -> None:
        with budget.part(9):
            entered.set()

    with budget.part(5):
        thread = threading.Thread(target=big)
        thread.start()
        assert not entered.wait(0.05)
    thread.join(10)
    assert entered.is_set()
