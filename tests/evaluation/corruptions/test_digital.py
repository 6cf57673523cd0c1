import numpy as np
import pytest
from scipy import ndimage

from noisystudent.evaluation.corruptions import digital
from noisystudent.evaluation.corruptions.constants import IMAGENET_C


@pytest.mark.parametrize("sigma", [2.44, 19.52, 170.8])
def test_smoothing_by_reflection_is_scipys_gaussian_filter(sigma: float) -> None:
    field = np.random.default_rng(0).uniform(-1, 1, (40, 56))
    expected = ndimage.gaussian_filter(field, sigma, mode="reflect", truncate=3)
    assert np.allclose(digital.smoothed_by_reflection(field, sigma), expected, atol=1e-12)


def test_brightness_keeps_hue_and_saturation() -> None:
    image = np.array([[[100, 50, 0], [0, 0, 0], [250, 125, 25]]], dtype=np.uint8)
    brighter = digital.brightness(image, np.random.default_rng(0), 0.5)
    assert brighter[0, 0] == pytest.approx(np.array([1, 0.5, 0]) * (100 / 255 + 0.5))
    assert brighter[0, 1] == pytest.approx([0.5] * 3)
    assert brighter[0, 2] == pytest.approx([1, 0.5, 0.1])


def test_saturate_turns_grey_reddish_only_where_a_shift_is_given() -> None:
    grey = np.full((1, 1, 3), 200, dtype=np.uint8)
    assert digital.saturate(grey, np.random.default_rng(0), 2, 0)[0, 0] == pytest.approx([200 / 255] * 3)
    assert digital.saturate(grey, np.random.default_rng(0), 20, 0.2)[0, 0] == pytest.approx(
        np.array([1, 0.8, 0.8]) * 200 / 255
    )


def test_the_elastic_transform_moves_twice_as_far_in_an_image_twice_as_large() -> None:
    """On a ramp, brightness tells how far a pixel was moved, as a share of the side."""
    shares = []
    for side in (64, 128):
        ramp = np.tile((np.arange(side) * 256 // side).astype(np.uint8)[:, None, None], (1, side, 3))
        moved = [
            digital.elastic_transform(ramp, np.random.default_rng(seed), *IMAGENET_C["elastic_transform"][4]) * 255
            for seed in range(20)
        ]
        inside = slice(side // 4, -side // 4)
        shares.append(np.mean([np.abs(m[inside, inside] - ramp[inside, inside]).mean() for m in moved]))
    assert shares[1] == pytest.approx(shares[0], rel=0.25)
