"""Noise of the sensor: Gaussian, shot, impulse and speckle."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator


def gaussian_noise(image: np.ndarray, draw: Generator, deviation: float) -> np.ndarray:
    return image / 255 + draw.normal(scale=deviation, size=image.shape)


def shot_noise(image: np.ndarray, draw: Generator, photons: int) -> np.ndarray:
    """So many photons a pixel of full brightness."""
    return draw.poisson(image / 255 * photons) / photons


def impulse_noise(image: np.ndarray, draw: Generator, share: float) -> np.ndarray:
    """Such a share of the values becomes black or white, evenly."""
    drawn = draw.random(image.shape)
    return np.where(drawn >= share, image, np.where(drawn < share / 2, 0, 255)).astype(np.uint8)


def speckle_noise(image: np.ndarray, draw: Generator, deviation: float) -> np.ndarray:
    return image / 255 * (1 + draw.normal(scale=deviation, size=image.shape))
