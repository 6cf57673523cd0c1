import pytest

from noisystudent.config import Execution
from noisystudent.data.micro_batches import MicroBatch, own_micro_batches
from noisystudent.errors import UserError


def start(monkeypatch: pytest.MonkeyPatch, number: int, count: int) -> None:
    """As a launcher starts one of several processes."""
    for name, value in {"RANK": number, "WORLD_SIZE": count, "MASTER_ADDR": "localhost", "MASTER_PORT": 1}.items():
        monkeypatch.setenv(name, str(value))


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("at_a_time", [0, 1, 3, 100])
@pytest.mark.parametrize("images", [5, 16, 33])
def test_the_pieces_of_all_processes_are_the_batch(
    monkeypatch: pytest.MonkeyPatch, count: int, at_a_time: int, images: int
) -> None:
    found: list[MicroBatch] = []
    turns = set()
    for number in range(count):
        start(monkeypatch, number, count)
        own = own_micro_batches(images, Execution(images_at_a_time=at_a_time))
        turns.add(len(own))
        found += own
    assert len(turns) == 1  # they go in step
    assert sorted(found) == [MicroBatch(number, len(found)) for number in range(len(found))]
    sizes = [len(micro_batch.places(0, images)) for micro_batch in found]
    assert (min(sizes) >= 1, max(sizes) - min(sizes) <= 1, sum(sizes)) == (True, True, images)
    if at_a_time and images % count == 0:
        assert max(sizes) <= at_a_time


def test_more_processes_than_images_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    start(monkeypatch, 0, 9)
    with pytest.raises(UserError, match="9 processes cannot share a batch of 8 images: start fewer"):
        own_micro_batches(8, Execution())
