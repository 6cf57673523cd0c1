"""RandAugment against the spec's table 1.5 and against NumPy loops that follow the published formulas pixel by pixel."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from noisystudent.config import RandAugment
from noisystudent.errors import UserError
from noisystudent.noise import randaugment as ra
from noisystudent.noise.draws import Draws

MAGNITUDES = (5, 6, 12, 15, 18, 24, 27)
SIGNED = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y")
HEIGHT, WIDTH = 11, 14

# Spec 1.5: magnitude -> degrees, bits kept, effective threshold, added, factor, shear, pixels and half side at full size.
TABLE = {
    5: (15, 2, 128, 55, 1.0, 0.15, 50, 20),
    6: (18, 2, 153, 66, 1.18, 0.18, 60, 24),
    12: (36, 4, 51, 132, 2.26, 0.36, 120, 48),
    15: (45, 6, 128, 165, 2.80, 0.45, 150, 60),
    18: (54, 7, 204, 198, 3.34, 0.54, 180, 72),
    24: (72, 1, 102, 264, 4.42, 0.72, 240, 96),
    27: (81, 1, 179, 297, 4.96, 0.81, 270, 108),
}


def pictures(n: int = 2, channels: int = 3, height: int = HEIGHT, width: int = WIDTH, seed: int = 0) -> torch.Tensor:
    draw = np.random.default_rng(seed)
    return torch.from_numpy(draw.integers(0, 256, (n, channels, height, width), dtype=np.uint8))


def level(magnitude: float, signs: list[int], *, official: bool = True, seed: int = 0) -> ra.Level:
    """The same level for all images, in the directions given."""
    directions = torch.tensor(signs, dtype=torch.float64).view(-1, 1, 1, 1)
    return ra.Level(torch.full_like(directions, magnitude / 10), directions, official, draws(directions, seed))


def draws(images: torch.Tensor, seed: int = 0) -> Draws:
    return Draws(torch.Generator().manual_seed(seed), len(images))


def apply(name: str, images: torch.Tensor, magnitude: float, sign: int = 1, *, official: bool = True) -> torch.Tensor:
    return ra.OPERATIONS[name](images, level(magnitude, [sign] * len(images), official=official))


# The references: one channel [H, W] or one picture [C, H, W], plain loops.


def each_channel(function: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    return lambda picture: np.stack([function(channel) for channel in picture])


def reference_auto_contrast(channel: np.ndarray) -> np.ndarray:
    low, high = int(channel.min()), int(channel.max())
    if low == high:
        return channel
    scale = np.float32(255.0) / np.float32(high - low)
    offset = -np.float32(low) * scale
    return np.clip(channel.astype(np.float32) * scale + offset, 0, 255).astype(np.uint8)


def reference_equalize(channel: np.ndarray) -> np.ndarray:
    counts = [0] * 256
    for value in channel.ravel().tolist():
        counts[value] += 1
    nonzero = [count for count in counts if count]
    step = (sum(nonzero) - nonzero[-1]) // 255
    if step == 0:
        return channel
    table, total = [0], 0
    for count in counts[:-1]:
        total += count
        table.append(min((total + step // 2) // step, 255))
    return np.array([[table[value] for value in row] for row in channel.tolist()], dtype=np.uint8)


def reference_blend(degenerate: np.ndarray, picture: np.ndarray, factor: float) -> np.ndarray:
    mixed = degenerate.astype(np.float32) + np.float32(factor) * (
        picture.astype(np.float32) - degenerate.astype(np.float32)
    )
    return np.clip(mixed, 0, 255).astype(np.uint8)


def reference_grey(picture: np.ndarray) -> np.ndarray:
    if len(picture) == 1:
        return picture
    red, green, blue = picture.astype(np.float64) / 255
    return np.floor((0.2989 * red + 0.587 * green + 0.114 * blue) * 255.5).astype(np.uint8)[None]


def reference_sharpness(picture: np.ndarray, factor: float) -> np.ndarray:
    smooth = picture.copy()
    channels, height, width = picture.shape
    for c in range(channels):
        for y in range(1, height - 1):
            for x in range(1, width - 1):
                window = picture[c, y - 1 : y + 2, x - 1 : x + 2].astype(int)
                smooth[c, y, x] = (window.sum() + 4 * window[1, 1]) // 13
    return reference_blend(smooth, picture, factor)


def half_away_from_zero(value: float) -> int:
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def reference_transform(picture: np.ndarray, a: tuple[float, ...]) -> np.ndarray:
    """Output pixel (x, y) shows input pixel (a0 x + a1 y + a2, a3 x + a4 y + a5); 128 outside."""
    _, height, width = picture.shape
    b = [np.float32(entry) for entry in a]  # as TensorFlow's kernel counts
    moved = np.full_like(picture, 128)
    for y in range(height):
        for x in range(width):
            from_x = half_away_from_zero(float(b[0] * np.float32(x) + b[1] * np.float32(y) + b[2]))
            from_y = half_away_from_zero(float(b[3] * np.float32(x) + b[4] * np.float32(y) + b[5]))
            if 0 <= from_x < width and 0 <= from_y < height:
                moved[:, y, x] = picture[:, from_y, from_x]
    return moved


def rotation(degrees: float, height: int, width: int) -> tuple[float, ...]:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x = ((width - 1) - (cos * (width - 1) - sin * (height - 1))) / 2
    y = ((height - 1) - (sin * (width - 1) + cos * (height - 1))) / 2
    return cos, -sin, x, sin, cos, y


def expected(name: str, picture: np.ndarray, magnitude: int, sign: int) -> np.ndarray:
    """What the published code makes of a small picture: pixel lengths are measured in eighths of the side."""
    degrees, bits, threshold, added, factor, shear, _, _ = TABLE[magnitude]
    _, height, width = picture.shape
    match name:
        case "auto_contrast":
            return each_channel(reference_auto_contrast)(picture)
        case "equalize":
            return each_channel(reference_equalize)(picture)
        case "invert":
            return (255 - picture.astype(int)).astype(np.uint8)
        case "posterize":
            return (picture // 2 ** (8 - bits) * 2 ** (8 - bits)).astype(np.uint8)
        case "solarize":
            return np.where(picture < threshold, picture, 255 - picture)
        case "solarize_add":
            return np.where(picture < 128, np.minimum(picture.astype(int) + added, 255), picture).astype(np.uint8)
        case "color":
            return reference_blend(np.repeat(reference_grey(picture), len(picture), axis=0), picture, factor)
        case "contrast":
            return reference_blend(np.full_like(picture, min(height * width // 256, 255)), picture, factor)
        case "brightness":
            return reference_blend(np.zeros_like(picture), picture, factor)
        case "sharpness":
            return reference_sharpness(picture, factor)
        case "rotate":
            return reference_transform(picture, rotation(sign * degrees, height, width))
        case "shear_x":
            return reference_transform(picture, (1, sign * shear, 0, 0, 1, 0))
        case "shear_y":
            return reference_transform(picture, (1, 0, 0, sign * shear, 1, 0))
        case "translate_x":
            return reference_transform(picture, (1, 0, sign * magnitude / 10 * (width // 8), 0, 1, 0))
        case "translate_y":
            return reference_transform(picture, (1, 0, 0, 0, 1, sign * magnitude / 10 * (height // 8)))
    raise AssertionError(name)


@pytest.mark.parametrize("name", [name for name in ra.OPERATIONS if name != "cutout"])
@pytest.mark.parametrize("channels", [1, 3])
def test_each_official_operation_is_the_published_formula(name: str, channels: int) -> None:
    # Every value occurs, so that the histogram operations have something to do.
    images = pictures(2, channels, 24, 27)
    for magnitude in MAGNITUDES:
        for sign in (1, -1) if name in SIGNED else (1,):
            ours = apply(name, images, magnitude, sign).numpy()
            for picture, result in zip(images.numpy(), ours, strict=True):
                reference = expected(name, picture, magnitude, sign)
                assert np.array_equal(result, reference), (name, magnitude, sign, (result != reference).mean())


@pytest.mark.parametrize("name", ["auto_contrast", "equalize", "contrast", "sharpness"])
def test_official_operations_are_right_on_dark_flat_and_two_valued_pictures(name: str) -> None:
    dark = pictures(1, 3, 24, 27) // 8 + 40
    flat = torch.full((1, 3, 24, 27), 77, dtype=torch.uint8)
    two = torch.where(pictures(1, 3, 24, 27) < 100, 10, 200).to(torch.uint8)
    for picture in (dark, flat, two):
        assert np.array_equal(apply(name, picture, 12)[0].numpy(), expected(name, picture[0].numpy(), 12, 1))


@pytest.mark.parametrize("value", range(0, 256, 5))
def test_sharpness_leaves_a_flat_picture_flat(value: int) -> None:
    flat = torch.full((1, 1, 5, 5), value, dtype=torch.uint8)
    for magnitude in (1, 27):
        assert torch.equal(apply("sharpness", flat, magnitude), flat)


def test_sharpness_does_not_touch_the_border() -> None:
    images = pictures()
    sharp = apply("sharpness", images, 27)
    inside = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    inside[1:-1, 1:-1] = True
    assert torch.equal(sharp[:, :, ~inside], images[:, :, ~inside])
    assert (sharp[:, :, inside] != images[:, :, inside]).float().mean() > 0.9


@pytest.mark.parametrize("magnitude", MAGNITUDES)
def test_full_size_pictures_are_moved_by_the_pixels_of_the_table(magnitude: int) -> None:
    pixels = TABLE[magnitude][6]
    images = pictures(1, 1, 300, 300)
    right, left = (apply("translate_x", images, magnitude, sign)[0, 0] for sign in (1, -1))
    assert torch.equal(right[:, : 300 - pixels], images[0, 0, :, pixels:])
    assert torch.equal(left[:, pixels:], images[0, 0, :, : 300 - pixels])
    assert set(right[:, 300 - pixels :].unique().tolist()) == {128}
    down = apply("translate_y", images, magnitude)[0, 0]
    assert torch.equal(down[: 300 - pixels], images[0, 0, pixels:])
    assert set(down[300 - pixels :].unique().tolist()) == {128}


@pytest.mark.parametrize("magnitude", MAGNITUDES)
def test_full_size_pictures_lose_a_square_of_the_table_around_a_pixel(magnitude: int) -> None:
    half = TABLE[magnitude][7]
    holes = apply("cutout", torch.zeros(20, 1, 230, 230, dtype=torch.uint8), magnitude)[:, 0] == 128
    for hole in holes:
        rows, columns = hole.any(dim=1).nonzero(), hole.any(dim=0).nonzero()
        assert int(hole.sum()) == len(rows) * len(columns)  # a rectangle
        for side in (rows, columns):
            low, high = int(side.min()), int(side.max())
            assert high - low + 1 == len(side) <= 2 * half
            assert high - low + 1 == 2 * half or low == 0 or high == 229
    if half < 100:
        whole = [hole for hole in holes if int(hole.sum()) == (2 * half) ** 2]
        assert whole or half > 48


def test_small_pictures_measure_cutout_and_translation_in_eighths_of_the_side() -> None:
    # Spec 1.5, SVHN: at M = 5 and 32 px, 2 px of translation and 2 px of cutout on each side.
    images = pictures(1, 1, 32, 32)
    assert torch.equal(apply("translate_x", images, 5)[..., :30], images[..., 2:])
    holes = apply("cutout", torch.zeros(40, 1, 32, 32, dtype=torch.uint8), 5) == 128
    assert int(holes.sum(dim=(1, 2, 3)).max()) == 16
    # 64 px is still small, 65 px is not.
    at_64, at_65 = pictures(1, 1, 64, 64), pictures(1, 1, 65, 65)
    assert torch.equal(apply("translate_x", at_64, 5)[..., :60], at_64[..., 4:])
    assert torch.equal(apply("translate_x", at_65, 5)[..., :15], at_65[..., 50:])


def test_cutout_squares_are_centered_on_every_pixel() -> None:
    """The square is [center - half, center + half), as the published padding makes it: columns 0 to 7 of an 8 px side are centers."""
    holes = apply("cutout", torch.zeros(4000, 1, 8, 8, dtype=torch.uint8), 10)[:, 0] == 128
    seen = {tuple(hole.flatten().tolist()) for hole in holes}
    wanted = set()
    for y in range(8):
        for x in range(8):
            hole = np.zeros((8, 8), dtype=bool)
            for row in range(8):
                for column in range(8):
                    hole[row, column] = y - 1 <= row < y + 1 and x - 1 <= column < x + 1
            wanted.add(tuple(hole.ravel().tolist()))
    assert seen == wanted


@pytest.mark.parametrize(("magnitude", "bits"), [(0, 1), (2, 1), (2.5, 1), (5, 2), (10, 4), (20, 8), (24, 1), (40, 1)])
def test_posterize_shifts_outside_0_to_7_are_limited_to_7(magnitude: float, bits: int) -> None:
    every = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    step = 2 ** (8 - bits)
    wanted = (torch.arange(256) // step * step).to(torch.uint8).view(1, 1, 16, 16)
    assert torch.equal(apply("posterize", every, magnitude), wanted)


@pytest.mark.parametrize("magnitude", MAGNITUDES)
def test_official_solarize_inverts_from_the_wrapped_threshold_on(magnitude: int) -> None:
    every = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    threshold = TABLE[magnitude][2]
    wanted = [value if value < threshold else 255 - value for value in range(256)]
    assert apply("solarize", every, magnitude).flatten().tolist() == wanted


def test_official_enhancement_does_nothing_at_magnitude_5() -> None:
    images = pictures()
    for name in ("color", "contrast", "brightness", "sharpness"):
        assert torch.equal(apply(name, images, 5), images), name


@pytest.mark.parametrize(("side", "grey"), [(224, 196), (256, 255), (32, 4), (300, 255)])
def test_official_contrast_blends_with_the_pixel_count_over_256(side: int, grey: int) -> None:
    # Spec 1.5: grey 196 at 224 px, white from 256 px on, 4 at 32 px.
    assert apply("contrast", torch.zeros(1, 3, side, side, dtype=torch.uint8), 0).unique().tolist() == [
        int(np.float32(grey) * np.float32(0.9))
    ]


def test_points_halfway_between_pixels_are_rounded_away_from_zero() -> None:
    # 0.5 px to the right at M = 5 and 8 px: column x shows column x + 0.5, that is x + 1; to the left, -0.5 is -1, outside.
    images = pictures(1, 1, 8, 8)
    right, left = (apply("translate_x", images, 5, sign) for sign in (1, -1))
    assert torch.equal(right[..., :7], images[..., 1:])
    assert right[..., 7].unique().tolist() == [128]
    assert left[..., 0].unique().tolist() == [128]
    assert torch.equal(left[..., 1:], images[..., 1:])  # 0.5 is 1, 1.5 is 2, ...


def test_every_operation_has_the_published_names_number() -> None:
    assert list(ra.OPERATIONS) == [
        *("auto_contrast", "equalize", "invert", "rotate", "posterize", "solarize", "color", "contrast", "brightness"),
        *("sharpness", "shear_x", "shear_y", "translate_x", "translate_y", "solarize_add", "cutout"),
    ]


@pytest.mark.parametrize("official", [True, False])
@pytest.mark.parametrize("name", [name for name in ra.OPERATIONS if name != "cutout"])
def test_an_image_in_a_batch_is_changed_as_it_is_alone(name: str, official: bool) -> None:
    images = pictures(5)
    signs = [1, -1, -1, 1, -1]
    together = ra.OPERATIONS[name](images, level(8, signs, official=official))
    for row, sign in enumerate(signs):
        alone = ra.OPERATIONS[name](images[row : row + 1], level(8, [sign], official=official))
        assert torch.equal(together[row : row + 1], alone)


def test_both_signs_are_drawn_and_each_image_has_its_own() -> None:
    images = pictures(1).expand(200, -1, -1, -1)
    config = RandAugment(magnitude=10, num_ops=1, ops=("translate_x",), semantics="official")
    changed = ra.augment(images, config, draws(images))
    left, right = (apply("translate_x", images[:1], 10, sign)[0] for sign in (-1, 1))
    lefts = sum(torch.equal(result, left) for result in changed)
    rights = sum(torch.equal(result, right) for result in changed)
    assert lefts + rights == 200
    assert 70 < lefts < 130  # 100 +- 4 standard deviations


@pytest.mark.parametrize("name", [name for name in ra.OPERATIONS if name not in ra.WITHOUT_LEVEL])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("sign", [-1, 1])
def test_clamped_magnitude_0_changes_nothing(name: str, channels: int, sign: int) -> None:
    images = pictures(3, channels, 17, 32)
    assert torch.equal(apply(name, images, 0, sign, official=False), images)


@pytest.mark.parametrize("name", list(ra.OPERATIONS))
def test_clamped_levels_stop_at_10(name: str) -> None:
    images = pictures(8)
    at_10, at_27 = (
        ra.augment(images, RandAugment(magnitude=magnitude, ops=(name,)), draws(images)) for magnitude in (10, 27)
    )
    assert torch.equal(at_10, at_27)


@pytest.mark.parametrize(("magnitude", "highest"), [(5, 5), (10, 10), (27, 10)])
def test_clamped_levels_are_drawn_evenly_from_0_to_the_magnitude(magnitude: float, highest: int) -> None:
    """What is added to a black picture is int(110 * level / 10): it tells the level of each image."""
    black = torch.zeros(3000, 1, 2, 2, dtype=torch.uint8)
    config = RandAugment(magnitude=magnitude, num_ops=1, ops=("solarize_add",))
    added = ra.augment(black, config, draws(black))[:, 0, 0, 0].float()
    assert float(added.max()) <= 11 * highest
    shares = [float((added < 11 * highest * quarter / 4).float().mean()) for quarter in (1, 2, 3)]
    assert shares == pytest.approx([0.25, 0.5, 0.75], abs=0.04)


def test_the_official_level_is_the_magnitude_for_every_image() -> None:
    black = torch.zeros(50, 1, 2, 2, dtype=torch.uint8)
    config = RandAugment(magnitude=6, num_ops=1, ops=("solarize_add",), semantics="official")
    assert ra.augment(black, config, draws(black)).unique().tolist() == [66]


def test_images_of_different_levels_are_changed_as_each_would_be_alone() -> None:
    images = pictures(4)
    for name in [name for name in ra.OPERATIONS if name != "cutout"]:
        for official in (True, False):
            fractions = torch.tensor([0.2, 1.0, 0.6, 0.9], dtype=torch.float64).view(-1, 1, 1, 1)
            signs = torch.tensor([1.0, -1, 1, -1], dtype=torch.float64).view(-1, 1, 1, 1)
            together = ra.OPERATIONS[name](images, ra.Level(fractions, signs, official, draws(images)))
            for row, (fraction, sign) in enumerate(zip((2, 10, 6, 9), (1, -1, 1, -1), strict=True)):
                alone = apply(name, images[row : row + 1], fraction, sign, official=official)
                assert torch.equal(together[row : row + 1], alone), name


@pytest.mark.parametrize("name", [name for name in ra.OPERATIONS if name not in ra.WITHOUT_LEVEL])
@pytest.mark.parametrize("sign", [-1, 1])
def test_clamped_operations_change_more_with_a_higher_magnitude(name: str, sign: int) -> None:
    # Stairs: edges to sharpen, and what is farther is more different.
    y, x = torch.meshgrid(torch.arange(40), torch.arange(40), indexing="ij")
    stairs = 20 + x // 4 * 18 + y // 8 * 10
    images = torch.stack([stairs, stairs // 2, stairs // 3]).to(torch.uint8).expand(30, 3, 40, 40)
    changes = [
        float((apply(name, images, magnitude, sign, official=False).float() - images.float()).abs().mean())
        for magnitude in (0, 2.5, 5, 7.5, 10)
    ]
    assert changes[0] == 0
    assert all(more >= less for less, more in itertools.pairwise(changes)), changes
    assert changes[-1] > changes[1]


@pytest.mark.parametrize("name", [name for name in ra.OPERATIONS if name not in ra.WITHOUT_LEVEL])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_clamped_magnitude_of_0_changes_no_pixel(name: str, channels: int) -> None:
    for images in (
        pictures(8, channels, 33, 30),
        torch.arange(256).view(1, 1, 16, 16).expand(8, channels, 16, 16).byte(),
    ):
        config = RandAugment(magnitude=0, num_ops=3, ops=(name,))
        assert torch.equal(ra.augment(images, config, draws(images)), images)


@pytest.mark.parametrize("name", ra.WITHOUT_LEVEL)
def test_operations_without_a_level_do_the_same_at_each(name: str) -> None:
    images = pictures(2, 3, 24, 27) // 2 + 20
    changed = [apply(name, images, magnitude, official=False) for magnitude in (0, 10)]
    assert torch.equal(*changed)
    assert not torch.equal(changed[0], images)


def test_a_fixed_level_is_the_magnitude_of_every_image() -> None:
    images = torch.full((200, 1, 4, 4), 100, dtype=torch.uint8)
    for magnitude in (9, 27):  # levels stop at 10
        config = RandAugment(magnitude=magnitude, num_ops=1, ops=("solarize_add",), level="fixed")
        changed = ra.augment(images, config, draws(images))
        assert changed.unique().tolist() == [100 + int(11 * min(magnitude, 10))]
    drawn = ra.augment(images, RandAugment(magnitude=9, num_ops=1, ops=("solarize_add",)), draws(images))
    assert len(drawn.unique()) > 50


def test_clamped_arguments_are_relative_and_symmetric() -> None:
    every = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    assert apply("posterize", every, 10, official=False).unique().tolist() == list(range(0, 256, 16))
    assert torch.equal(apply("solarize", every, 10, official=False), 255 - every)
    assert apply("solarize", every, 5, official=False).flatten().tolist() == [
        value if value < 128 else 255 - value for value in range(256)
    ]
    assert apply("brightness", every, 10, -1, official=False).flatten().tolist() == [
        int(np.float32(value) * (1 - np.float32(0.9))) for value in range(256)
    ]
    # 0.45 of 20 px, bilinear, the border continued.
    images = pictures(1, 1, 20, 20)
    moved = apply("translate_x", images, 10, official=False)
    assert torch.equal(moved[..., :11], images[..., 9:])
    assert torch.equal(moved[..., 11:], images[..., -1:].expand(1, 1, 20, 9))


def test_clamped_contrast_goes_towards_the_real_mean() -> None:
    images = pictures(2)
    for sign, factor in ((1, 1.9), (-1, 0.1)):
        changed = apply("contrast", images, 10, sign, official=False).numpy()
        for picture, result in zip(images.numpy(), changed, strict=True):
            mean = round(float(reference_grey(picture).mean()))
            assert np.abs(result.astype(int) - reference_blend(np.full_like(picture, mean), picture, factor)).max() <= 1


def test_clamped_warps_are_bilinear_with_the_border_continued() -> None:
    picture = pictures(1, 1, 9, 9)[0, 0].numpy().astype(float)
    shear = 0.3 * 0.5
    moved = apply("shear_x", torch.from_numpy(picture.astype(np.uint8))[None, None], 5, official=False)[0, 0].numpy()
    for y in range(9):
        for x in range(9):
            at = min(x + shear * y, 8)
            left = int(at)
            right = min(left + 1, 8)
            value = (left + 1 - at) * picture[y, left] + (at - left) * picture[y, right]
            assert abs(moved[y, x] - value) <= 0.51, (x, y)


class NoFloat64(TorchDispatchMode):
    """As on Apple's GPU, of which the meta device takes the place: it has no float64."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, list | tuple) else [result]:
            on_gpu = isinstance(tensor, torch.Tensor) and tensor.device.type == "meta"
            assert not (on_gpu and tensor.dtype == torch.float64), func
        return result


@pytest.mark.parametrize("semantics", ["official", "clamped"])
@pytest.mark.parametrize("name", [name for name in ra.OPERATIONS if name != "equalize"])  # no bincount on meta
def test_no_operation_needs_float64_on_the_images_device(name: str, semantics: str) -> None:
    images = torch.zeros(2, 3, 16, 16, dtype=torch.uint8, device="meta")
    with NoFloat64():
        changed = ra.augment(images, RandAugment(ops=(name,), semantics=semantics), draws(images))
    assert changed.device.type == "meta"


def test_the_same_seed_gives_the_same_images_and_leaves_the_input_alone() -> None:
    images = pictures(8)
    before = images.clone()
    config = RandAugment(magnitude=9, semantics="official")
    first, second, other = (ra.augment(images, config, draws(images, seed)) for seed in (3, 3, 4))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert torch.equal(images, before)
    assert first.dtype == torch.uint8
    assert first.shape == images.shape


def test_operations_are_drawn_equally_often_and_always_applied() -> None:
    """Constant pictures show which operation they met: the published 0.2 to 0.8 probability is never used (spec 1.5)."""
    n = 4000
    images = torch.full((n, 1, 2, 2), 100, dtype=torch.uint8)
    config = RandAugment(
        magnitude=10, num_ops=1, ops=("invert", "posterize", "solarize_add", "brightness"), semantics="official"
    )
    values = ra.augment(images, config, draws(images, 1))[:, 0, 0, 0]
    counts = {value: int((values == value).sum()) for value in (155, 96, 210, 190)}
    assert sum(counts.values()) == n
    for count in counts.values():
        assert abs(count - n / 4) < 4 * math.sqrt(n * 0.25 * 0.75)


def test_each_of_several_operations_is_drawn_anew() -> None:
    n = 2000
    images = torch.full((n, 1, 2, 2), 100, dtype=torch.uint8)
    config = RandAugment(magnitude=10, num_ops=2, ops=("invert", "solarize_add"), semantics="official")
    values = ra.augment(images, config, draws(images, 1))[:, 0, 0, 0]
    # invert twice 100; invert, then add: 155; add, then invert: 45; add twice: 210
    for value in (100, 155, 45, 210):
        assert abs(int((values == value).sum()) - n / 4) < 4 * math.sqrt(n * 0.25 * 0.75)


def test_all_operations_are_drawn_from_when_none_is_named() -> None:
    assert ra.operation_names(()) == list(ra.OPERATIONS)
    assert ra.operation_names(("rotate", "invert")) == ["rotate", "invert"]


def test_unknown_operations_are_named_beside_all_that_are_known() -> None:
    with pytest.raises(UserError) as caught:
        ra.operation_names(("rotate", "spin", "wiggle"))
    message = str(caught.value)
    assert "there is no spin, wiggle" in message
    assert all(name in message for name in ra.OPERATIONS)
