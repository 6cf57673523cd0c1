"""Weather: snow, frost, fog and spatter."""

from __future__ import annotations

import functools
import importlib.util
import math
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image

from noisystudent.evaluation.corruptions.blur import enlarged, moved, smoothed

PALE_TURQUOISE = np.array([175, 238, 238]) / 255
MUD = np.array([63, 42, 20]) / 255


def snow(
    image: np.ndarray,
    draw: Generator,
    mean: float,
    deviation: float,
    zoom: float,
    threshold: float,
    radius: int,
    sigma: float,
    kept: float,
) -> np.ndarray:
    """Flakes: enlarged bright specks, blurred as they fall, over a whitened picture; and the same upside down."""
    specks = snowflakes(image.shape[:2], draw, mean, deviation, zoom, threshold)
    return snowed(image, moved(specks, radius, sigma, draw.uniform(-135, -45)), kept)


def snowflakes(
    shape: tuple[int, int], draw: Generator, mean: float, deviation: float, zoom: float, threshold: float
) -> np.ndarray:
    """Bright specks before they fall: float32 [H, W] from 0 to 1."""
    specks = enlarged(draw.normal(mean, deviation, shape), zoom)
    return np.where(specks < threshold, 0, specks.clip(0, 1)).astype(np.float32)


def snowed(image: np.ndarray, falling: np.ndarray, kept: float) -> np.ndarray:
    """A whitened picture with falling flakes [H, W] on it, and the same upside down."""
    flakes = np.round(falling * 255)[..., None] / 255
    x = image.astype(np.float32) / 255
    brightness = cv2.cvtColor(x, cv2.COLOR_RGB2GRAY)[..., None]
    whitened = kept * x + (1 - kept) * np.maximum(x, brightness * 1.5 + 0.5)
    snowy: np.ndarray = whitened + flakes + np.rot90(flakes, k=2)
    return snowy


def frost(image: np.ndarray, draw: Generator, kept: float, added: float, scale: float) -> np.ndarray:
    """A part of one of five photographs of frost, over the picture."""
    height, width = image.shape[:2]
    texture = _covering(int(draw.integers(5)), scale, height, width)
    top, left = (
        int(draw.integers(0, max(have - want, 1))) for have, want in zip(texture.shape, (height, width), strict=False)
    )
    return (kept * image + added * texture[top : top + height, left : left + width]) / 255


def fog(image: np.ndarray, draw: Generator, thickness: float, decay: float) -> np.ndarray:
    height, width = image.shape[:2]
    x = image / 255
    brightest = x.max()
    clouds = plasma_fractal(1 << (max(height, width) - 1).bit_length(), decay, draw)[:height, :width, None]
    foggy: np.ndarray = (x + thickness * clouds) * brightest / (brightest + thickness)
    return foggy


def spatter(
    image: np.ndarray,
    draw: Generator,
    mean: float,
    deviation: float,
    sigma: float,
    threshold: float,
    strength: float,
    liquid: str,
) -> np.ndarray:
    """Drops of water or of mud."""
    x = image / 255
    layer = smoothed(draw.normal(mean, deviation, image.shape[:2]), sigma)
    if liquid == "mud":
        cover = smoothed((layer > threshold).astype(np.float32), strength)[..., None]
        cover = np.where(cover < 0.8, 0, cover)
        muddy: np.ndarray = x * (1 - cover) + MUD * cover
        return muddy
    drops = (np.where(layer < threshold, 0, layer) * 255).astype(np.uint8)
    cover = drops * _rims(drops)
    wet: np.ndarray = x + strength * (cover / max(cover.max(), 1e-12))[..., None] * PALE_TURQUOISE
    return wet


def _rims(drops: np.ndarray) -> np.ndarray:
    """How the light falls on drops, from the distance to their edges, lit from the top left."""
    distance = cv2.distanceTransform(255 - cv2.Canny(drops, 50, 150), cv2.DIST_L2, 5)
    distance = cv2.equalizeHist(cv2.blur(np.minimum(distance, 20), (3, 3)).astype(np.uint8))
    lit = cv2.filter2D(distance, cv2.CV_8U, np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]))
    return cv2.blur(lit, (3, 3)).astype(np.float32)


def plasma_fractal(side: int, decay: float, draw: Generator) -> np.ndarray:
    """Clouds by the diamond-square algorithm on a torus: float [side, side] from 0 to 1; `side` is a power of two."""
    field = np.zeros((side, side))
    step, roughness = side, 100.0
    while step >= 2:
        half = step // 2
        corners = field[::step, ::step]
        right = np.roll(corners, -1, axis=1)
        below = np.roll(corners, -1, axis=0)

        def around(*neighbors: np.ndarray, roughness: float = roughness) -> np.ndarray:
            swing = draw.uniform(-roughness, roughness, neighbors[0].shape)
            return sum(neighbors) / 4 + roughness * swing

        centers = around(corners, right, below, np.roll(right, -1, axis=0))
        field[half::step, half::step] = centers
        field[::step, half::step] = around(corners, right, centers, np.roll(centers, 1, axis=0))
        field[half::step, ::step] = around(corners, below, centers, np.roll(centers, 1, axis=1))
        step, roughness = half, roughness / decay
    field -= field.min()
    scaled: np.ndarray = field / field.max()
    return scaled


def frost_origin() -> str:
    """Where the frost comes from: "imagecorruptions", whose photographs are the published ones, or "procedural"."""
    return "imagecorruptions" if _photographs() else "procedural"


def _photographs() -> list[Path]:
    """Of the package `imagecorruptions` when it is installed; it need not be importable. The sixth was never used (spec 5.2)."""
    package = importlib.util.find_spec("imagecorruptions")
    if package is None or not package.submodule_search_locations:
        return []
    folder = Path(package.submodule_search_locations[0]) / "frost"
    return [folder / f"frost{number}.{'png' if number <= 3 else 'jpg'}" for number in range(1, 6)]


@functools.lru_cache(maxsize=10)
def _covering(index: int, scale: float, height: int, width: int) -> np.ndarray:
    """The texture of that number, scaled, and more when it is too small: uint8 [at least H, at least W, 3]."""
    photographs = _photographs()
    texture = Image.open(photographs[index]).convert("RGB") if photographs else _procedural_frost(index)
    factor = max(height / texture.height, width / texture.width, scale)
    if factor != 1:
        size = (math.ceil(texture.width * factor), math.ceil(texture.height * factor))
        texture = texture.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(texture)


def _procedural_frost(index: int) -> Image.Image:
    """Crystals of our own, 1024 px: bright ridges where a cloud field crosses its middle, over a paler veil of it."""
    draw = np.random.default_rng(index)
    veil = plasma_fractal(1024, 1.8, draw)
    crystals = sum(
        np.clip(1 - 12 * np.abs(plasma_fractal(1024, decay, draw) - 0.5), 0, 1) / 2 for decay in (1.5, 1.8, 2.1)
    )
    light = np.clip(0.15 + 0.5 * veil + 0.6 * crystals, 0, 1)[..., None]
    return Image.fromarray((255 * light * np.array([0.86, 0.94, 1.0])).astype(np.uint8))
