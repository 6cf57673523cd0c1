from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from noisystudent.config import Noise, RandAugment
from noisystudent.noise.draws import Draws
from noisystudent.noise.input_noise import add_input_noise, shifted_crop

NONE = Noise(crop="none", flip=False, randaugment=None, cutout=0)


def pictures(n: int, channels: int = 1, height: int = 8, width: int = 10) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (n, channels, height, width), dtype=np.uint8))


def test_without_noise_the_images_stay_as_they_are() -> None:
    images = pictures(5)
    assert torch.equal(add_input_noise(images, NONE, seed=0), images)
    # random-resized crops are made where the picture has its full size
    assert torch.equal(add_input_noise(images, NONE.model_copy(update={"crop": "random-resized"}), seed=0), images)


@settings(max_examples=30)
@given(st.integers(1, 5), st.integers(0, 99), st.sampled_from(("official", "clamped")))
def test_an_image_gets_the_same_noise_in_a_piece_of_the_batch_as_in_the_whole(count: int, seed: int, kind: Any) -> None:
    images, noise = pictures(23, channels=3, height=12), Noise(cutout=4, randaugment=RandAugment(semantics=kind))
    whole = add_input_noise(images, noise, seed=seed)
    pieces = [torch.arange(23)[first::count] for first in range(count)]
    for here in pieces:
        assert torch.equal(add_input_noise(images[here], noise, seed=seed, total=23, here=here), whole[here])


def test_half_of_the_images_are_mirrored_left_to_right() -> None:
    images = pictures(1).expand(400, -1, -1, -1)
    noised = add_input_noise(images, NONE.model_copy(update={"flip": True}), seed=0)
    mirrored = sum(torch.equal(image, images[0].flip(2)) for image in noised)
    assert mirrored + sum(torch.equal(image, images[0]) for image in noised) == 400
    assert 160 < mirrored < 240  # 200 +- 4 standard deviations


@pytest.mark.parametrize("padding", [1, 2, 3])
def test_a_shifted_crop_is_a_window_of_the_reflected_picture(padding: int) -> None:
    images = pictures(1, 2)
    reflected = np.pad(images[0].numpy(), ((0, 0), (padding, padding), (padding, padding)), mode="reflect")
    windows = {
        reflected[:, top : top + 8, left : left + 10].tobytes(): (top, left)
        for top in range(2 * padding + 1)
        for left in range(2 * padding + 1)
    }
    assert len(windows) == (2 * padding + 1) ** 2
    noise = NONE.model_copy(update={"crop": "pad", "crop_padding": padding})
    cropped = add_input_noise(images.expand(60 * len(windows), -1, -1, -1), noise, seed=1)
    seen = [windows[image.numpy().tobytes()] for image in cropped]  # each is one of them
    assert set(seen) == set(windows.values())  # and each of them occurs


def test_each_image_of_a_batch_is_cropped_from_itself() -> None:
    images = torch.arange(50, dtype=torch.uint8).view(50, 1, 1, 1).expand(50, 3, 6, 6)
    assert torch.equal(shifted_crop(images, 2, Draws(torch.Generator(), len(images))), images)


def test_padding_is_limited_by_what_can_be_reflected() -> None:
    assert shifted_crop(pictures(2, height=3, width=10), 9, Draws(torch.Generator(), 2)).shape == (2, 1, 3, 10)


@pytest.mark.parametrize("side", [2, 4, 6])
def test_cutout_greys_a_square_of_the_side_asked_for(side: int) -> None:
    holes = add_input_noise(
        torch.zeros(300, 3, 12, 12, dtype=torch.uint8), NONE.model_copy(update={"cutout": side}), seed=0
    )
    assert holes.unique().tolist() == [0, 128]
    assert torch.equal(holes[:, 0], holes[:, 2])
    sizes = (holes[:, 0] == 128).sum(dim=(1, 2))
    assert int(sizes.max()) == side**2
    assert int(sizes.min()) >= (side // 2) ** 2  # in a corner a quarter is left


def test_the_order_is_randaugment_then_cutout_then_the_crop() -> None:
    # White after invert, then a grey hole: the other order would invert the hole to 127.
    black = torch.zeros(50, 1, 12, 12, dtype=torch.uint8)
    invert = RandAugment(num_ops=1, ops=("invert",))
    noised = add_input_noise(black, NONE.model_copy(update={"cutout": 6, "randaugment": invert}), seed=0)
    assert noised.unique().tolist() == [128, 255]
    # A hole in the corner is at most 3 x 3, a quarter of the square. If the crop comes after it, the reflected border repeats it.
    noise = NONE.model_copy(update={"cutout": 4, "crop": "pad", "crop_padding": 3})
    holes = add_input_noise(torch.zeros(2000, 1, 8, 8, dtype=torch.uint8), noise, seed=0) == 128
    assert int(holes.sum(dim=(1, 2, 3)).max()) > 16


def test_flipping_comes_before_randaugment() -> None:
    # A translation after the flip moves the mirrored picture; its sign is drawn apart, so both directions occur for both.
    images = pictures(1, 1, 8, 8).expand(200, -1, -1, -1)
    shift = RandAugment(num_ops=1, magnitude=10, ops=("translate_x",), semantics="official")
    noised = add_input_noise(images, NONE.model_copy(update={"flip": True, "randaugment": shift}), seed=0)
    grey = torch.full((1, 8, 1), 128, dtype=torch.uint8)
    allowed = set()
    for picture in (images[0], images[0].flip(2)):
        allowed.add(torch.cat([picture[..., 1:], grey], dim=2).numpy().tobytes())
        allowed.add(torch.cat([grey, picture[..., :-1]], dim=2).numpy().tobytes())
    assert {image.numpy().tobytes() for image in noised} == allowed


def test_the_seed_decides_every_draw() -> None:
    images = pictures(16, 3, 16, 16)
    noise = Noise(cutout=4)
    state = torch.random.get_rng_state()
    first, second, other = (add_input_noise(images, noise, seed=seed) for seed in (5, 5, 6))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), state)  # nothing is drawn from the global generator
