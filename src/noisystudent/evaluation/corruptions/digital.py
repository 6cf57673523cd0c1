"""Of the camera and the file: brightness, contrast, elastic transform, pixelate, JPEG, saturate.

Constants: spec section 5.2, from Hendrycks and Dietterich 2019.
"""

from __future__ import annotations

import functools
import io

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image
from scipy import fft
from scipy.ndimage import map_coordinates

PUBLISHED_SIDE = 224  # what the lengths of the elastic transform are given for


def brightness(image: np.ndarray, severity: int, draw: Generator) -> np.ndarray:
    """The V of HSV raised: red, green and blue grow in proportion; black becomes grey."""
    x = image / 255
    value = x.max(axis=2, keepdims=True)
    brighter = np.clip(value + (0.1, 0.2, 0.3, 0.4, 0.5)[severity - 1], 0, 1)
    return np.where(value == 0, brighter, x * (brighter / np.where(value == 0, 1, value)))


def contrast(image: np.ndarray, severity: int, draw: Generator) -> np.ndarray:
    """Towards the mean of each channel."""
    x = image / 255
    mean = x.mean(axis=(0, 1), keepdims=True)
    return (x - mean) * (0.4, 0.3, 0.2, 0.1, 0.05)[severity - 1] + mean


def saturate(image: np.ndarray, severity: int, draw: Generator) -> np.ndarray:
    """The S of HSV scaled and shifted; grey has the hue of red there."""
    factor, shift = ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2))[severity - 1]
    x = image / 255
    value = x.max(axis=2, keepdims=True)
    chroma = value - x.min(axis=2, keepdims=True)
    saturation = chroma / np.where(value == 0, 1, value)
    wanted = np.clip(saturation * factor + shift, 0, 1)
    colored = value - (value - x) * (wanted / np.where(saturation == 0, 1, saturation))
    red = value * np.concatenate((np.ones_like(wanted), 1 - wanted, 1 - wanted), axis=2)
    return np.where(chroma == 0, red, colored)


def elastic_transform(image: np.ndarray, severity: int, draw: Generator) -> np.ndarray:
    """A random affine map, then a smooth random displacement; lengths grow with the image."""
    # 244 is what the published code has in place of 224 (spec 5.2). The displacement is the strength over the width of its
    # smoothing: the strength grows with the square of the side, so that the displacement is a share of it.
    strength, sigma, corner = (
        244 * share
        for share in ((2, 0.7, 0.1), (2, 0.08, 0.2), (0.05, 0.01, 0.02), (0.07, 0.01, 0.02), (0.12, 0.01, 0.02))[
            severity - 1
        ]
    )
    scale = min(image.shape[:2]) / PUBLISHED_SIDE
    strength, sigma, corner = strength * scale**2, sigma * scale, corner * scale
    height, width = image.shape[:2]
    x = image.astype(np.float32) / 255
    center, third = np.array([height // 2, width // 2]), min(height, width) // 3
    corners = np.float32([center + third, center + np.array([third, -third]), center - third])
    shaken = corners + draw.uniform(-corner, corner, corners.shape).astype(np.float32)
    affine = cv2.getAffineTransform(corners, shaken)
    x = cv2.warpAffine(x, affine, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    across, down = (strength * smoothed_by_reflection(draw.uniform(-1, 1, (height, width)), sigma) for _ in range(2))
    at = [np.arange(height)[:, None] + down, np.arange(width) + across]
    return np.stack([map_coordinates(x[..., c], at, order=1, mode="reflect") for c in range(3)], axis=2)


def pixelate(image: np.ndarray, severity: int, draw: Generator) -> np.ndarray:
    share = (0.6, 0.5, 0.4, 0.3, 0.25)[severity - 1]
    height, width = image.shape[:2]
    small = Image.fromarray(image).resize((int(width * share), int(height * share)), Image.Resampling.BOX)
    return np.asarray(small.resize((width, height), Image.Resampling.BOX))


def jpeg_compression(image: np.ndarray, severity: int, draw: Generator) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=(25, 18, 15, 10, 7)[severity - 1])
    return np.asarray(Image.open(file))


def smoothed_by_reflection(field: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian smoothing, cut off at three deviations, the field reflected at its borders; of whatever width at the same speed."""
    down, across = (_response(side, sigma) for side in field.shape)
    return fft.idctn(fft.dctn(field) * down[:, None] * across)


@functools.lru_cache(maxsize=16)
def _response(side: int, sigma: float) -> np.ndarray:
    """By how much the smoothing scales each cosine of a side."""
    reach = np.arange(1, int(3 * sigma + 0.5) + 1)
    weights = np.exp(-0.5 * (reach / sigma) ** 2)
    cosines = np.cos(np.pi / side * np.outer(np.arange(side), reach))
    return (1 + 2 * cosines @ weights) / (1 + 2 * weights.sum())
