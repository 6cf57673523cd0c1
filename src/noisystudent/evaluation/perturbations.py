"""The ten perturbation sequences of ImageNet-P (Hendrycks and Dietterich 2019), made here, at any image size.

Strengths are the published ones for ImageNet-P, and for small images those of CIFAR-10-P (spec section 5.3 and
github.com/hendrycks/robustness, `ImageNet-P/create_p`). The released videos went through MP4, their motion blur and snow through
ImageMagick: figures made with these are named so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2.functional import affine

from noisystudent.evaluation.corruptions import as_bytes
from noisystudent.evaluation.corruptions.blur import moved
from noisystudent.evaluation.corruptions.constants import SMALL
from noisystudent.evaluation.corruptions.digital import brightness as brightened
from noisystudent.evaluation.corruptions.weather import snowed, snowflakes
from noisystudent.seeds import derive_seed

FRAMES = 31
Frames = Iterator[np.ndarray]
"""uint8, or float with 1 for full brightness; [H, W, 3], as large as the picture or already the middle of it."""


def sequence(image: np.ndarray, name: str, *, size: int, id: str, seed: int = 0) -> np.ndarray:
    """The frames of one perturbation of one picture.

    Args:
        image: uint8 [H, W, 3], H and W at least `size`. The released frames of 224 px are the middle of pictures of 256 px: what is
            moved in from outside is real.
        name: of `PERTURBATIONS`.
        size: side of a frame in pixels.
        id: with `seed` it decides the draws.

    Returns:
        uint8 [frames, size, size, 3].

    Example:
        >>> picture = np.full((36, 36, 3), 100, dtype=np.uint8)
        >>> frames = sequence(picture, "brightness", size=32, id="a")
        >>> frames.shape, frames[0, 0, 0, 0], frames[15, 0, 0, 0], frames[30, 0, 0, 0]
        ((31, 32, 32, 3), np.uint8(42), np.uint8(100), np.uint8(157))
    """
    draw = np.random.default_rng(derive_seed(seed, "perturbation", name, id))
    frames = PERTURBATIONS[name](image, size, draw)
    return np.stack([_middle(as_bytes(frame), size) for frame in frames])


def gaussian_noise(image: np.ndarray, size: int, draw: Generator) -> Frames:
    clean = _middle(image, size)
    yield clean
    for _ in range(1, FRAMES):
        yield clean / 255 + draw.normal(scale=0.02 if size < SMALL else 0.03, size=clean.shape)


def shot_noise(image: np.ndarray, size: int, draw: Generator) -> Frames:
    clean, photons = _middle(image, size), 700 if size < SMALL else 300
    yield clean
    for _ in range(1, FRAMES):
        yield draw.poisson(clean / 255 * photons) / photons


def motion_blur(image: np.ndarray, size: int, _: Generator) -> Frames:
    """The direction turns."""
    x = _middle(image, size).astype(np.float32) / 255
    count, radius, sigma, step = (21, 6, 1.8, 9) if size < SMALL else (31, 10, 3.0, 4)
    for i in range(count):
        yield moved(x, radius, sigma, (i - count + 1) * step)


def zoom_blur(image: np.ndarray, size: int, _: Generator) -> Frames:
    """The running mean of the image and of enlarged ones."""
    total = _middle(image, size) / 255
    yield total
    for i in range(1, FRAMES):
        total = total + _middle(_affine(image, scale=1 + 0.004 * i), size) / 255
        yield total / (i + 1)


def snow(image: np.ndarray, size: int, draw: Generator) -> Frames:
    """The direction in which it falls turns."""
    clean, (zoom, radius, sigma) = _middle(image, size), (2, 10, 2) if size < SMALL else (3, 14, 4)
    specks = snowflakes((size, size), draw, 0.05, 0.3, zoom, 0.5)
    for i in range(FRAMES):
        yield snowed(clean, moved(specks, radius, sigma, i * 4 - 150), 0.85)


def brightness(image: np.ndarray, size: int, draw: Generator) -> Frames:
    clean, step = _middle(image, size), 0.015 if size < SMALL else 0.02
    for i in range(FRAMES):
        yield brightened(clean, draw, (i - 15) * step)


def translate(image: np.ndarray, size: int, _: Generator) -> Frames:
    count, first = (16, -7) if size < SMALL else (41, -20)
    for i in range(count):
        yield _affine(image, translate=(first + i, 0), interpolation=InterpolationMode.NEAREST)


def rotate(image: np.ndarray, _: int, __: Generator) -> Frames:
    for i in range(FRAMES):
        yield _affine(image, angle=i - 15)


def tilt(image: np.ndarray, size: int, _: Generator) -> Frames:
    """Turned in depth, about both axes at once, and seen from as far as its diagonal is long."""
    height, width = image.shape[:2]
    distance = math.hypot(height, width)
    to_center = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1], [0, 0, 1]])
    to_screen = np.array([[distance, 0, width / 2, 0], [0, distance, height / 2, 0], [0, 0, 1, 0]])
    away = np.eye(4)
    away[2, 3] = distance
    for i in range(FRAMES):
        angle = math.radians((i - 15) * (0.75 if size < SMALL else 1))
        cos, sin = math.cos(angle), math.sin(angle)
        about_x = np.array([[1, 0, 0, 0], [0, cos, -sin, 0], [0, sin, cos, 0], [0, 0, 0, 1]])
        about_y = np.array([[cos, 0, -sin, 0], [0, 1, 0, 0], [sin, 0, cos, 0], [0, 0, 0, 1]])
        yield cv2.warpPerspective(image, to_screen @ away @ about_x @ about_y @ to_center, (width, height))


def scale(image: np.ndarray, size: int, _: Generator) -> Frames:
    first, step = (70, 2) if size < SMALL else (40, 2.5)
    for i in range(FRAMES):
        yield _affine(image, scale=(first + step * i) / 100)


def _affine(
    image: np.ndarray,
    *,
    angle: float = 0,
    translate: tuple[int, int] = (0, 0),
    scale: float = 1,
    interpolation: InterpolationMode = InterpolationMode.BILINEAR,
) -> np.ndarray:
    moved = affine(Image.fromarray(image), angle, list(translate), scale, [0.0, 0.0], interpolation)
    return np.asarray(moved)


def _middle(image: np.ndarray, size: int) -> np.ndarray:
    top, left = ((side - size) // 2 for side in image.shape[:2])
    return image[top : top + size, left : left + size]


PERTURBATIONS: dict[str, Callable[[np.ndarray, int, Generator], Frames]] = {
    "gaussian_noise": gaussian_noise,
    "shot_noise": shot_noise,
    "motion_blur": motion_blur,
    "zoom_blur": zoom_blur,
    "snow": snow,
    "brightness": brightness,
    "translate": translate,
    "rotate": rotate,
    "tilt": tilt,
    "scale": scale,
}
