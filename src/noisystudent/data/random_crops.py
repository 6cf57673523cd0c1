"""Which part of a picture a network is shown in training: drawn as torchvision does, or as the released code does."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

TRIES = 10  # preprocessing.py:81-101
ASPECT = (3 / 4, 4 / 3)
COVERED = 0.1  # the least share of the picture that the released code takes, whatever the scale allows
Box = tuple[int, int, int, int]
Draw = Callable[[int, int, np.random.Generator, tuple[float, float]], "Box | None"]


def even_area(width: int, height: int, rng: np.random.Generator, scale: tuple[float, float]) -> Box | None:
    """A part whose share of the area is drawn evenly, and its aspect on a logarithmic scale, as torchvision's RandomResizedCrop.

    Args:
        width, height: of the picture, in pixels.
        rng: where chance comes from.
        scale: smallest and largest share of the area.

    Returns:
        left, top, right, bottom; None when ten tries give no part that fits.

    Example:
        >>> left, top, right, bottom = even_area(100, 80, np.random.default_rng(0), (0.08, 1.0))
        >>> 0 <= left < right <= 100 and 0 <= top < bottom <= 80
        True
    """
    for _ in range(TRIES):
        area = width * height * rng.uniform(*scale)
        aspect = math.exp(rng.uniform(math.log(ASPECT[0]), math.log(ASPECT[1])))
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            left, top = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
            return left, top, left + w, top + h
    return None


def even_height(width: int, height: int, rng: np.random.Generator, scale: tuple[float, float]) -> Box | None:
    """A part whose aspect is drawn evenly and then its height, as TensorFlow's sample_distorted_bounding_box; smaller on average.

    The whole picture is the object of which a tenth must be seen, as the released code has it (spec section 1.4). Arguments and answer
    are those of `even_area`; the whole picture, when drawn, is None too, since the released code then takes the middle instead.
    """
    least, most = scale[0] * width * height, scale[1] * width * height
    for _ in range(TRIES):
        aspect = rng.uniform(*ASPECT)
        highest = min(round(math.sqrt(most / aspect)), math.floor((width + 0.5 - 1e-7) / aspect), height)
        lowest = min(round(math.sqrt(least / aspect)), highest)
        h = lowest + int(rng.integers(highest - lowest + 1))
        w = round(h * aspect)
        # Rounding alone must not make a part too small or too large.
        if w * h < least:
            h += 1
            w = round(h * aspect)
        if w * h > most:
            h -= 1
            w = round(h * aspect)
        fits = 0 < w <= width and 0 < h <= height and least <= w * h <= most
        if not fits or w * h < COVERED * width * height:
            continue
        if (w, h) == (width, height):
            return None
        # TensorFlow never draws the last possible place.
        left = int(rng.integers(width - w)) if w < width else 0
        top = int(rng.integers(height - h)) if h < height else 0
        return left, top, left + w, top + h
    return None


DRAWS: dict[str, Draw] = {"random-resized": even_area, "official": even_height}
