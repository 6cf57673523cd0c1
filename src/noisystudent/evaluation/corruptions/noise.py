"""Noise of the sensor: Gaussian, shot, impulse and speckle. Constants: spec section 5.2, from Hendrycks and Dietterich 2019."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator


def gaussian_noise(image: np.ndarray, severity: int, draw: Generator) -> np.ndarray:
    deviation = (0.08, 0.12, 0.18, 0.26, 0.38)[severity - 1]
    return image / 255 + draw.normal(scale=deviation, size=image.shape)


def shot_noise(image: np.ndarray, severity: int, draw: Generator) -> np.ndarray:
    """So many photons a pixel of full brightness."""
    photons = (60, 25, 12, 5, 3)[severity - 1]
    return draw.poisson(image / 255 * photons) / photons


def impulse_noise(image: np.ndarray, severity: int, draw: Generator) -> np.ndarray:
    """Such a share of the values becomes black or white, evenly."""
    share = (0.03, 0.06, 0.09, 0.17, 0.27)[severity - 1]
    drawn = draw.random(image.shape)
    return np.where(drawn >= share, image, np.where(drawn < share / 2, 0, 255)).astype(np.uint8)


def speckle_noise(image: np.ndarray, severity: int, draw: Generator) -> np.ndarray:
    deviation = (0.15, 0.2, 0.35, 0.45, 0.6)[severity - 1]
    return image / 255 * (1 + draw.normal(scale=deviation, size=image.shape))
