from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from noisystudent.config import Noise, Training
from noisystudent.data.images import ImageSet
from noisystudent.data.joint_batches import Batch, Examples, ShuffledStream, joint_batches
from noisystudent.data.micro_batches import MicroBatch
from noisystudent.data.sources import read_source


def image_set(folder: Path, values: range, *, in_memory: bool = True) -> ImageSet:
    """A flat 8 px picture for each grey value, in the order of the values."""
    folder.mkdir()
    for value in values:
        Image.new("L", (8, 8), value).save(folder / f"{value:03d}.png")
    manifest = read_source(str(folder), split="train", labels="ignored")
    return ImageSet(manifest, size=8, channels=1, workers=1, in_memory=in_memory)


@pytest.fixture
def labeled(tmp_path: Path) -> Examples:
    """Seven pictures of the values 0 to 6, whose target is their value."""
    return Examples(image_set(tmp_path / "labeled", range(7)), torch.arange(7.0).view(7, 1).__getitem__)


@pytest.fixture
def pseudo(tmp_path: Path) -> Examples:
    """Five pictures of the values 100 to 104, with 1, 3, 0, 2 and 1 copies."""
    return Examples(
        image_set(tmp_path / "pseudo", range(100, 105)),
        torch.arange(100.0, 105.0).view(5, 1).__getitem__,
        np.array([1, 3, 0, 2, 1]),
    )


def training(**settings: object) -> Training:
    return Training(model="x", **{"batch_size": 3, "steps": 14, "unlabeled_ratio": 2.0, **settings})  # type: ignore[arg-type]


def values(batches: list[Batch]) -> list[list[int]]:
    """The grey values of each batch, which are its targets too."""
    for images, targets, *_ in batches:
        assert torch.equal(images.float().mean(dim=(1, 2, 3)), targets[:, 0])
        assert images.dtype == torch.uint8
        assert targets.dtype == torch.float32
    return [batch.targets[:, 0].int().tolist() for batch in batches]


@pytest.mark.parametrize(("ratio", "unlabeled"), [(1.0, 3), (2.0, 6), (0.5, 2), (0.1, 1), (14.0, 42)])
def test_labeled_images_come_first_in_the_ratio_rounded_up(
    labeled: Examples, pseudo: Examples, ratio: float, unlabeled: int
) -> None:
    for batch in values(list(joint_batches(training(unlabeled_ratio=ratio), labeled, pseudo, seed=0))):
        assert len(batch) == 3 + unlabeled
        assert all(value < 7 for value in batch[:3])
        assert all(value >= 100 for value in batch[3:])


def test_without_pseudo_labels_there_are_labeled_images_only(labeled: Examples) -> None:
    batches = values(list(joint_batches(training(), labeled, None, seed=0)))
    assert [len(batch) for batch in batches] == [3] * 14


def test_every_row_is_drawn_once_an_epoch_and_as_often_as_it_has_copies(labeled: Examples, pseudo: Examples) -> None:
    batches = values(list(joint_batches(training(), labeled, pseudo, seed=0)))
    drawn = [value for batch in batches for value in batch[:3]]  # 42: six epochs of seven
    for start in range(0, 42, 7):
        assert sorted(drawn[start : start + 7]) == list(range(7))
    assert len({tuple(drawn[start : start + 7]) for start in range(0, 42, 7)}) > 1  # an order of its own each
    drawn = [value for batch in batches for value in batch[3:]]  # 84: twelve epochs of seven copies
    for start in range(0, 84, 7):
        assert Counter(drawn[start : start + 7]) == {100: 1, 101: 3, 103: 2, 104: 1}


@pytest.mark.parametrize("start", [0, 1, 5, 13])
def test_the_batch_of_a_step_does_not_depend_on_where_one_starts(
    labeled: Examples, pseudo: Examples, start: int
) -> None:
    whole = values(list(joint_batches(training(), labeled, pseudo, seed=3)))
    assert values(list(joint_batches(training(), labeled, pseudo, seed=3, start=start))) == whole[start:]


def test_a_finished_training_has_no_batches_left(labeled: Examples, pseudo: Examples) -> None:
    assert list(joint_batches(training(), labeled, pseudo, seed=3, start=14)) == []


def test_a_batch_may_be_larger_than_the_set(labeled: Examples, pseudo: Examples) -> None:
    batches = values(list(joint_batches(training(batch_size=20, steps=3), labeled, pseudo, seed=0)))
    drawn = [value for batch in batches for value in batch[:20]]
    for start in range(0, 56, 7):
        assert sorted(drawn[start : start + 7]) == list(range(7))
    assert len(batches[0]) == 60


def test_the_seed_decides_the_order_and_the_two_streams_have_orders_of_their_own(labeled: Examples) -> None:
    first, same, other = (
        values(list(joint_batches(training(unlabeled_ratio=1.0), labeled, labeled, seed=seed))) for seed in (0, 0, 1)
    )
    assert first == same
    assert first != other
    assert any(batch[:3] != batch[3:] for batch in first)


def test_random_crops_depend_on_the_step_and_the_part_of_the_batch(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    draw = np.random.default_rng(0)
    Image.fromarray(draw.integers(0, 256, (40, 40), dtype=np.uint8)).save(folder / "a.png")
    manifest = read_source(str(folder), split="train", labels="ignored")
    one = Examples(ImageSet(manifest, size=8, channels=1, workers=1, in_memory=False), torch.ones(1, 1).__getitem__)
    cropped = training(noise=Noise(crop="random-resized"), batch_size=2, unlabeled_ratio=1.0, steps=4)
    batches = [images for images, *_ in joint_batches(cropped, one, one, seed=0)]
    again = [images for images, *_ in joint_batches(cropped, one, one, seed=0, start=2)]
    assert torch.equal(batches[2], again[0])
    assert torch.equal(batches[3], again[1])
    pictures = {image.numpy().tobytes() for batch in batches for image in batch}
    assert len(pictures) == 16  # each a crop of its own


def test_a_stream_can_be_read_at_any_position() -> None:
    stream = ShuffledStream(np.arange(5), seed=1)
    whole = stream.take(0, 23).tolist()
    for start, count in ((22, 1), (3, 9), (0, 0 + 1), (7, 16)):
        assert ShuffledStream(np.arange(5), seed=1).take(start, count).tolist() == whole[start : start + count]
        assert stream.take(start, count).tolist() == whole[start : start + count]


def test_a_weighted_stream_shows_each_row_as_often_as_its_weight_says() -> None:
    weights = np.array([0.0, 9.0, 3.0, 3.0, 1.0, 1.0])  # row 0 is none of the stream's
    rows = np.array([1, 2, 3, 3, 4, 5])
    stream = ShuffledStream(rows, seed=1, weights=weights)
    epochs = stream.take(0, 6 * 2000).reshape(2000, 6)
    shares = weights[rows] / weights[rows].sum()
    expected = np.bincount(rows, shares, minlength=6) * 6
    np.testing.assert_allclose(np.bincount(epochs.ravel(), minlength=6) / 2000, expected, atol=0.06)
    assert all((epochs == row).sum(axis=1).max() <= np.ceil(expected[row]) for row in range(6))
    assert ShuffledStream(rows, seed=1, weights=weights).take(4321, 50).tolist() == stream.take(4321, 50).tolist()
    assert epochs[0].tolist() != np.sort(epochs[0]).tolist()


def test_even_weights_leave_the_epoch_as_it_is() -> None:
    even = ShuffledStream(np.arange(7), seed=3, weights=np.full(7, np.float32(0.3)))
    assert sorted(even.take(0, 7).tolist()) == list(range(7))


def test_apart_all_the_pseudo_labeled_images_come_before_all_the_labeled(labeled: Examples, pseudo: Examples) -> None:
    """The same number of each, in batches as large: 14 steps of 3 and 6 are 84 of one kind and 42 of the other."""
    apart = values(list(joint_batches(training(joint=False), labeled, pseudo, seed=0)))
    assert [len(batch) for batch in apart] == [9] * 14
    kinds = [{value >= 100 for value in batch} for batch in apart]
    assert kinds == [{True}] * 9 + [{False}] * 5  # 9.33 batches, rounded
    resumed = values(list(joint_batches(training(joint=False), labeled, pseudo, seed=0, start=8)))
    assert resumed == apart[8:]
    seen = Counter(value for batch in apart for value in batch)
    assert seen[102] == 0
    assert max(seen[value] for value in range(7)) - min(seen[value] for value in range(7)) <= 1


def test_labels_alone_do_not_care_how_they_would_be_joined(labeled: Examples) -> None:
    together, apart = (
        values(list(joint_batches(training(joint=joint, unlabeled_ratio=0.0), labeled, None, seed=0)))
        for joint in (True, False)
    )
    assert together == apart


@pytest.mark.parametrize("of", [2, 3, 9])
def test_micro_batches_are_the_batch_cut_up(labeled: Examples, pseudo: Examples, of: int) -> None:
    whole = list(joint_batches(training(), labeled, pseudo, seed=3))
    micro_batches = [MicroBatch(number, of) for number in range(of)]
    cut = list(joint_batches(training(), labeled, pseudo, seed=3, micro_batches=micro_batches))
    assert len(cut) == of * len(whole)
    for step, batch in enumerate(whole):
        parts = cut[step * of : (step + 1) * of]
        assert sorted(place for part in parts for place in part.here.tolist()) == list(range(9))
        for part in parts:
            assert torch.equal(part.images, batch.images[part.here])
            assert torch.equal(part.targets, batch.targets[part.here])
            assert (part.labeled, part.total) == (int((part.here < 3).sum()), 9)


def test_random_crops_of_pieces_are_those_of_the_batch(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    for name in "abc":
        (tmp_path / "photos").mkdir(exist_ok=True)
        Image.fromarray(draw.integers(0, 256, (40, 40), dtype=np.uint8)).save(tmp_path / "photos" / f"{name}.png")
    manifest = read_source(str(tmp_path / "photos"), split="train", labels="ignored")
    one = Examples(ImageSet(manifest, size=8, channels=1, workers=1, in_memory=False), torch.ones(3, 1).__getitem__)
    cropped = training(noise=Noise(crop="random-resized"), batch_size=3, unlabeled_ratio=1.0, steps=2)
    whole = list(joint_batches(cropped, one, one, seed=0))
    for part, batch in zip(
        joint_batches(cropped, one, one, seed=0, micro_batches=[MicroBatch(1, 2)]), whole, strict=True
    ):
        assert torch.equal(part.images, batch.images[part.here])


def test_batches_are_where_the_network_computes(labeled: Examples, pseudo: Examples) -> None:
    """PyTorch's meta device stands in for a GPU: it has shapes and no values."""
    batches = list(joint_batches(training(), labeled, pseudo, seed=3, device=torch.device("meta")))
    usual = list(joint_batches(training(), labeled, pseudo, seed=3))
    assert [batch.images.shape for batch in batches] == [batch.images.shape for batch in usual]
    assert {part.device.type for batch in batches for part in (batch.images, batch.targets)} == {"meta"}
