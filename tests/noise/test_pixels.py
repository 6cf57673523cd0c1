"""Fast arithmetic on pixels, each beside the plain expression that it stands for, over all values that can occur."""

import torch

from noisystudent.noise.pixels import at_least, choose, histograms, look_up, to_bytes

EVERY = torch.arange(256, dtype=torch.uint8)


def test_floats_are_cut_off_at_both_ends_and_towards_zero() -> None:
    values = torch.linspace(-300, 600, 9001)
    assert torch.equal(to_bytes(values.clone()), values.clamp(0, 255).to(torch.uint8))


def test_a_mask_is_the_comparison_for_every_value_and_threshold() -> None:
    for threshold in range(257):
        expected = torch.where(EVERY.int() >= threshold, 255, 0).to(torch.uint8)
        assert torch.equal(at_least(EVERY, threshold), expected)
        assert torch.equal(at_least(EVERY, torch.tensor([threshold], dtype=torch.int16)), expected)


def test_a_choice_is_where() -> None:
    other, mask = EVERY.flip(0), EVERY % 2 * 255
    assert torch.equal(choose(mask, EVERY, other), torch.where(mask > 0, EVERY, other))
    assert torch.equal(choose(mask, torch.tensor(128, dtype=torch.uint8), other), torch.where(mask > 0, 128, other))


def test_tables_and_histograms_are_those_of_each_channel() -> None:
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(256, (3, 2, 5, 7), generator=draw, dtype=torch.uint8)
    tables = torch.randint(256, (6, 256), generator=draw, dtype=torch.uint8)
    for whole in (images, images.to(memory_format=torch.channels_last)):
        found, counted = look_up(tables, whole), histograms(whole)
        for plane in range(6):
            channel = images[plane // 2, plane % 2]
            assert torch.equal(found[plane // 2, plane % 2], tables[plane][channel.long()])
            assert torch.equal(counted[plane], torch.bincount(channel.flatten(), minlength=256))


def test_thirteenths_of_whole_numbers_are_exact_in_floats() -> None:
    """What `sharpness` relies on: a sum of 13 pixels is at most 13 * 255."""
    sums = torch.arange(13 * 255 + 1)
    assert torch.equal(((sums.float() + 0.5) / 13).short().long(), sums // 13)
