"""Of the camera and the file: brightness, contrast, elastic transform, pixelate, JPEG, saturate."""

from __future__ import annotations

import functools
import io

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image
from scipy import fft
from scipy.ndimage import map_coordinates


def brightness(image: np.ndarray, _: Generator, added: float) -> np.ndarray:
    """The V of HSV raised: red, green and blue grow in proportion; black becomes grey."""
    x = image / 255
    value = x.max(axis=2, keepdims=True)
    brighter = np.clip(value + added, 0, 1)
    raised: np.ndarray = np.where(value == 0, brighter, x * (brighter / np.where(value == 0, 1, value)))
    return raised


def contrast(image: np.ndarray, _: Generator, kept: float) -> np.ndarray:
    """Towards the mean of each channel."""
    x = image / 255
    mean = x.mean(axis=(0, 1), keepdims=True)
    pulled: np.ndarray = (x - mean) * kept + mean
    return pulled


def saturate(image: np.ndarray, _: Generator, factor: float, shift: float) -> np.ndarray:
    """The S of HSV scaled and shifted; grey has the hue of red there."""
    x = image / 255
    value = x.max(axis=2, keepdims=True)
    chroma = value - x.min(axis=2, keepdims=True)
    saturation = chroma / np.where(value == 0, 1, value)
    wanted = np.clip(saturation * factor + shift, 0, 1)
    colored = value - (value - x) * (wanted / np.where(saturation == 0, 1, saturation))
    red = value * np.concatenate((np.ones_like(wanted), 1 - wanted, 1 - wanted), axis=2)
    saturated: np.ndarray = np.where(chroma == 0, red, colored)
    return saturated


def elastic_transform(image: np.ndarray, draw: Generator, strength: float, sigma: float, corner: float) -> np.ndarray:
    """A random affine map that moves three corners, then a smooth random displacement.

    `sigma` and `corner` are shares of the side. A displacement is as long as the strength over the width of its smoothing: the
    strength is a share of the side's square, so that displacements are shares of the side.
    """
    height, width = image.shape[:2]
    side = min(height, width)
    center, third = np.array([height // 2, width // 2]), side // 3
    corners = np.array([center + third, np.add(center, (third, -third)), center - third], dtype=np.float32)
    shaken = corners + draw.uniform(-corner * side, corner * side, corners.shape).astype(np.float32)
    affine = cv2.getAffineTransform(corners, shaken)
    x = cv2.warpAffine(image.astype(np.float32) / 255, affine, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    across, down = (
        strength * side**2 * smoothed_by_reflection(draw.uniform(-1, 1, (height, width)), sigma * side)
        for _ in range(2)
    )
    at = [np.arange(height)[:, None] + down, np.arange(width) + across]
    return np.stack([map_coordinates(x[..., c], at, order=1, mode="reflect") for c in range(3)], axis=2)


def pixelate(image: np.ndarray, _: Generator, share: float) -> np.ndarray:
    height, width = image.shape[:2]
    small = Image.fromarray(image).resize((int(width * share), int(height * share)), Image.Resampling.BOX)
    return np.asarray(small.resize((width, height), Image.Resampling.BOX))


def jpeg_compression(image: np.ndarray, _: Generator, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def smoothed_by_reflection(field: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian smoothing, cut off at three deviations, the field reflected at its borders; of whatever width at the same speed."""
    down, across = (_response(side, sigma) for side in field.shape)
    smooth: np.ndarray = fft.idctn(fft.dctn(field) * down[:, None] * across)
    return smooth


@functools.lru_cache(maxsize=16)
def _response(side: int, sigma: float) -> np.ndarray:
    """By how much the smoothing scales each cosine of a side."""
    reach = np.arange(1, int(3 * sigma + 0.5) + 1)
    weights = np.exp(-0.5 * (reach / sigma) ** 2)
    cosines = np.cos(np.pi / side * np.outer(np.arange(side), reach))
    response: np.ndarray = (1 + 2 * cosines @ weights) / (1 + 2 * weights.sum())
    return response
