"""Random parts of pictures beside the distributions that they are drawn from."""

import numpy as np
import pytest
from scipy import stats

from noisystudent.data.random_crops import COVERED, DRAWS, even_area, even_height

SCALE = (0.08, 1.0)


@pytest.mark.parametrize("draw", DRAWS.values())
@pytest.mark.parametrize("size", [(64, 48), (48, 64), (500, 20), (3, 3), (1, 1), (2, 900)])
def test_parts_lie_in_the_picture_with_the_area_and_aspect_that_are_allowed(draw, size) -> None:  # type: ignore[no-untyped-def]
    width, height = size
    rng = np.random.default_rng(0)
    for _ in range(300):
        box = draw(width, height, rng, SCALE)
        if box is None:
            continue
        left, top, right, bottom = box
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        w, h = right - left, bottom - top
        # Sides are whole pixels: half of one more or less is rounding.
        assert (w - 0.5) * (h - 0.5) <= width * height
        assert (w + 0.5) * (h + 0.5) >= SCALE[0] * width * height
        assert (w + 0.5) / (h - 0.5) >= 3 / 4
        assert (w - 0.5) / (h + 0.5) <= 4 / 3


def test_torchvisions_areas_are_drawn_evenly_where_every_part_fits() -> None:
    rng = np.random.default_rng(1)
    boxes = [even_area(2000, 2000, rng, (0.08, 0.5)) for _ in range(3000)]
    shares = np.array([(r - l) * (b - t) / 2000**2 for l, t, r, b in filter(None, boxes)])
    assert stats.kstest(shares, stats.uniform(0.08, 0.42).cdf).pvalue > 0.01


def test_the_released_codes_heights_are_drawn_evenly_between_the_least_and_the_highest_that_fit() -> None:
    """For a square picture: of aspect a the height lies between sqrt(0.08 / a), here sqrt(0.1 / a), and the least of 1 and 1 / a."""
    rng = np.random.default_rng(2)
    side = 3000
    places, aspects = [], []
    for _ in range(4000):
        box = even_height(side, side, rng, SCALE)
        assert box is not None
        h, aspect = (box[3] - box[1]) / side, (box[2] - box[0]) / (box[3] - box[1])
        lowest, highest = np.sqrt(COVERED / aspect), min(1, 1 / aspect)
        places.append((h - lowest) / (highest - lowest))
        aspects.append(aspect)
    assert stats.kstest(places, "uniform").pvalue > 0.01
    # Parts under a tenth are drawn anew, with an aspect of their own: nearly even is what is left of even.
    assert stats.kstest(aspects, stats.uniform(3 / 4, 4 / 3 - 3 / 4).cdf).statistic < 0.05


def test_the_released_codes_parts_are_smaller_and_none_is_under_a_tenth() -> None:
    rng = np.random.default_rng(3)
    areas = {}
    for draw in (even_area, even_height):
        boxes = [box for box in (draw(400, 300, rng, SCALE) for _ in range(2000)) if box]
        areas[draw] = np.array([(r - l) * (b - t) / 120_000 for l, t, r, b in boxes])
    assert areas[even_height].mean() < areas[even_area].mean()
    assert areas[even_height].min() >= 0.1
    assert areas[even_area].min() < 0.1
