"""What comes next is made while what is there is used: by turns of two threads that wait for each other."""

import threading

import pytest
import torch

from noisystudent.data.ahead import ahead

GPU, CPU = torch.device("cuda"), torch.device("cpu")


def test_the_next_is_made_while_one_is_used() -> None:
    made = [threading.Event() for _ in range(3)]

    def make(number: int) -> int:
        made[number].set()
        return 10 * number

    for number, thing in ahead(range(3), make, GPU):
        assert thing == 10 * number
        assert all(event.wait(30) for event in made[: number + 2])  # made although this one is in use


def test_no_more_than_one_is_made_ahead() -> None:
    asked: list[int] = []
    coming = ahead(iter(range(9)), asked.append, GPU)
    next(coming)
    next(coming)
    coming.close()
    assert set(asked) <= {0, 1, 2}


def test_what_goes_wrong_is_told_in_its_turn() -> None:
    def make(number: int) -> float:
        return 1 / (2 - number)

    coming = ahead(range(5), make, GPU)
    assert [next(coming), next(coming)] == [(0, 0.5), (1, 1.0)]
    with pytest.raises(ZeroDivisionError):
        next(coming)
    assert list(ahead([], make, GPU)) == []


@pytest.mark.parametrize(("threads", "beside"), [(1, True), (2, False)])
def test_beside_a_network_on_a_processor_it_is_made_where_a_core_is_free(
    threads: int, beside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    made = {thread for _, thread in ahead("abc", lambda _: threading.current_thread(), CPU)}
    assert (threading.current_thread() not in made) == beside
