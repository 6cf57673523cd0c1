"""Blur: defocus, frosted glass, motion, zoom and Gaussian."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.random import Generator


def gaussian_blur(image: np.ndarray, _: Generator, sigma: float) -> np.ndarray:
    return smoothed(image / 255, sigma)


def defocus_blur(image: np.ndarray, _: Generator, radius: float, softness: float) -> np.ndarray:
    return cv2.filter2D(image / 255, -1, disk(radius, softness))


def glass_blur(image: np.ndarray, draw: Generator, sigma: float, reach: int, rounds: int) -> np.ndarray:
    """Smoothed, pixels taken from near by, smoothed again.

    The published code means to swap two pixels; both sides of its assignment are views of one array, so that it copies one
    over the other. The released files were made so, and this does the same.
    """
    height, width = image.shape[:2]
    softened = (smoothed(image / 255, sigma) * 255).astype(np.uint8)
    # From the bottom right to the top left: a pixel may take what another took before, so that each takes its turn.
    rows, columns = (np.arange(side - reach, reach, -1) for side in (height, width))
    here = (rows[:, None] * width + columns).ravel()
    source = list(range(height * width))
    for _ in range(rounds):
        across, down = draw.integers(-reach, reach, size=(2, len(here)))
        for taker, giver in zip(here.tolist(), (here + down * width + across).tolist(), strict=True):
            source[taker] = source[giver]
    shuffled = softened.reshape(height * width, -1)[source].reshape(image.shape)
    return smoothed(shuffled / 255, sigma)


def motion_blur(image: np.ndarray, draw: Generator, radius: int, sigma: float) -> np.ndarray:
    return moved(image.astype(np.float32) / 255, radius, sigma, draw.uniform(-45, 45))


def zoom_blur(image: np.ndarray, _: Generator, end: float, step: float) -> np.ndarray:
    """The mean of the image and of enlarged ones."""
    # np.arange may or may not include its end; what it gives here is what the released files were made with.
    factors = np.arange(1, end, step)
    sharp = image.astype(np.float32) / 255
    return (sharp + sum(enlarged(sharp, factor) for factor in factors)) / (len(factors) + 1)


def smoothed(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian smoothing, cut off at four deviations, the border continued; float [H, W] or [H, W, C]."""
    reach = int(4 * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    return cv2.sepFilter2D(image, -1, kernel, kernel, borderType=cv2.BORDER_REPLICATE)


def disk(radius: float, softness: float) -> np.ndarray:
    """A round kernel with a soft edge, float32."""
    reach = max(int(radius), 8)
    distances = np.arange(-reach, reach + 1) ** 2
    kernel = (distances[:, None] + distances <= radius**2).astype(np.float32)
    side = 3 if radius <= 8 else 5
    softened: np.ndarray = cv2.GaussianBlur(kernel / kernel.sum(), (side, side), softness)
    return softened


def moved(image: np.ndarray, radius: int, sigma: float, degrees: float) -> np.ndarray:
    """Blurred along a line as ImageMagick's motion blur does: half a Gaussian of 2 radius + 1 pixels; float [H, W] or [H, W, C]."""
    steps = np.arange(2 * radius + 1)
    weights = np.exp(-0.5 * (steps / sigma) ** 2)
    weights /= weights.sum()
    angle = math.radians(degrees)
    down, across = (np.ceil(steps * part - 0.5).astype(int) for part in (math.sin(angle), math.cos(angle)))
    reach = 2 * radius + 1
    padded = cv2.copyMakeBorder(image, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    height, width = image.shape[:2]
    blurred = np.zeros_like(image, dtype=np.float32)
    for weight, y, x in zip(weights.astype(np.float32), reach + down, reach + across, strict=True):
        blurred += weight * padded[y : y + height, x : x + width]
    return blurred


def enlarged(image: np.ndarray, factor: float) -> np.ndarray:
    """The middle of an image, enlarged linearly to its size; [H, W] or [H, W, C]."""
    for axis in (0, 1):
        side = image.shape[axis]
        kept = math.ceil(side / factor)
        size = round(kept * factor)
        # The outermost pixels of the part stay the outermost; what is too much is cut off on both sides.
        at = (np.arange(side) + (size - side) // 2) * ((kept - 1) / max(size - 1, 1)) + (side - kept) // 2
        low = np.minimum(at.astype(int), side - 1)
        share = (at - low).astype(image.dtype).reshape(-1, *(1,) * (image.ndim - 1 - axis))
        near, far = image.take(low, axis), image.take(np.minimum(low + 1, side - 1), axis)
        image = near + (far - near) * share
    return image
