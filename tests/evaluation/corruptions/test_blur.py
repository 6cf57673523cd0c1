import math

import numpy as np
import pytest
from scipy import ndimage

from noisystudent.evaluation.corruptions.blur import disk, enlarged, glass_blur, moved, smoothed


def image(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random(shape)


@pytest.mark.parametrize("sigma", [0.7, 1.5, 6.0])
def test_smoothing_is_scipys_gaussian_filter(sigma: float) -> None:
    x = image(30, 41, 3)
    expected = ndimage.gaussian_filter(x, (sigma, sigma, 0), mode="nearest", truncate=4)
    assert np.allclose(smoothed(x, sigma), expected, atol=1e-12)


@pytest.mark.parametrize("factor", [1.0, 1.01, 1.13, 2.0, 4.5])
@pytest.mark.parametrize("shape", [(32, 32), (31, 45, 3)])
def test_enlarging_is_scipys_zoom_of_the_middle(factor: float, shape: tuple[int, ...]) -> None:
    x = image(*shape)
    kept = [math.ceil(side / factor) for side in shape[:2]]
    top, left = ((side - part) // 2 for side, part in zip(shape[:2], kept, strict=True))
    part = x[top : top + kept[0], left : left + kept[1]]
    zoomed = ndimage.zoom(part, (factor, factor, *(1,) * (len(shape) - 2)), order=1)
    top, left = ((have - side) // 2 for have, side in zip(zoomed.shape[:2], shape[:2], strict=True))
    assert np.allclose(enlarged(x, factor), zoomed[top : top + shape[0], left : left + shape[1]], atol=1e-12)


@pytest.mark.parametrize(("degrees", "step"), [(0, (0, -1)), (90, (-1, 0)), (-90, (1, 0)), (45, (-1, -1))])
def test_motion_smears_a_point_along_a_line_with_falling_weights(degrees: float, step: tuple[int, int]) -> None:
    point = np.zeros((61, 61), dtype=np.float32)
    point[30, 30] = 1
    weights = np.exp(-0.5 * (np.arange(21) / 4) ** 2)
    expected = np.zeros_like(point)
    for i, weight in enumerate(weights / weights.sum()):
        away = math.ceil(i * (math.sqrt(0.5) if all(step) else 1) - 0.5)  # pixels of a diagonal are farther apart
        expected[30 + away * step[0], 30 + away * step[1]] += weight
    assert np.allclose(moved(point, 10, 4, degrees), expected, atol=1e-6)


def test_motion_keeps_a_flat_picture_flat_even_when_it_goes_beyond_the_border() -> None:
    assert np.allclose(moved(np.full((16, 16, 3), 0.5, dtype=np.float32), 20, 15, 30.0), 0.5)


def test_a_disk_is_round_and_sums_to_about_one() -> None:
    for radius, softness in ((3, 0.1), (10, 0.5)):
        kernel = disk(radius, softness)
        assert kernel.sum() == pytest.approx(1, abs=0.02)  # smoothing reflects what is at the border
        assert np.allclose(kernel, kernel.T, atol=1e-7)
        assert np.allclose(kernel, kernel[::-1], atol=1e-7)


def test_glass_takes_each_pixel_from_near_by_and_leaves_the_border() -> None:
    """On a ramp a pixel tells where it came from; smoothing keeps a ramp as it is inside."""
    ramp = np.tile(np.arange(0, 120, dtype=np.uint8)[:, None, None], (1, 120, 3))
    blurred = (
        glass_blur(ramp, np.random.default_rng(0), 1.1, 3, 2) * 255
    )  # takes from up to 3 away, twice, and so moves the ramp
    moved_by = np.abs(blurred[20:-20, 20:-20] - ramp[20:-20, 20:-20])
    assert 0 < moved_by.mean() < 3
