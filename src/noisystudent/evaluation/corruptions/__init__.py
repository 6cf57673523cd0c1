"""The corruptions of ImageNet-C (Hendrycks and Dietterich 2019, arXiv 1903.12261), made here, at any image size.

They are for people without the released files, and figures made with them are named so: the released files went through JPEG
once more, their motion blur and snow through ImageMagick. Each image's draws depend on its id alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from noisystudent.evaluation.corruptions import blur, digital, noise, weather
from noisystudent.evaluation.corruptions.constants import strengths
from noisystudent.evaluation.corruptions.weather import frost_origin as frost_origin
from noisystudent.seeds import derive_seed

SEVERITIES = (1, 2, 3, 4, 5)
Corruption = Callable[..., np.ndarray]
"""Of uint8 [H, W, 3], a generator and how strong: uint8, or float with 1 for full brightness."""

MAIN: dict[str, Corruption] = {
    "gaussian_noise": noise.gaussian_noise,
    "shot_noise": noise.shot_noise,
    "impulse_noise": noise.impulse_noise,
    "defocus_blur": blur.defocus_blur,
    "glass_blur": blur.glass_blur,
    "motion_blur": blur.motion_blur,
    "zoom_blur": blur.zoom_blur,
    "snow": weather.snow,
    "frost": weather.frost,
    "fog": weather.fog,
    "brightness": digital.brightness,
    "contrast": digital.contrast,
    "elastic_transform": digital.elastic_transform,
    "pixelate": digital.pixelate,
    "jpeg_compression": digital.jpeg_compression,
}
"""Those of the mean corruption error."""

EXTRA: dict[str, Corruption] = {
    "speckle_noise": noise.speckle_noise,
    "gaussian_blur": blur.gaussian_blur,
    "spatter": weather.spatter,
    "saturate": digital.saturate,
}
"""For choosing settings; they are not part of the mean."""

CORRUPTIONS = MAIN | EXTRA


def corrupt(images: Tensor, name: str, severity: int, *, ids: Sequence[str], seed: int = 0, workers: int = 1) -> Tensor:
    """Corrupt a batch.

    Args:
        images: uint8 [N, C, H, W], C of 3, or of 1 for grey: then what has color turns grey again.
        name: of `CORRUPTIONS`.
        severity: 1 to 5; how strong that is for images of this size, `constants.strengths` says.
        ids: one an image; with `seed` they decide the draws, whatever the batch, the order and the number of workers.
        workers: threads.

    Returns:
        uint8 [N, C, H, W].

    Example:
        >>> images = torch.full((2, 3, 32, 32), 100, dtype=torch.uint8)
        >>> corrupt(images, "brightness", 3, ids=["a", "b"]).unique().tolist()
        [138]
    """
    operation = CORRUPTIONS[name]
    _, table = strengths(min(images.shape[2:]))
    colored = images.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).contiguous().numpy()

    def one(image: np.ndarray, id: str) -> np.ndarray:
        draw = np.random.default_rng(derive_seed(seed, "corruption", name, severity, id))
        return as_bytes(operation(image, draw, *table[name][severity - 1]))

    with ThreadPoolExecutor(workers) as threads:
        corrupted = np.stack(list(threads.map(one, colored, ids)))
    result = torch.from_numpy(corrupted).permute(0, 3, 1, 2)
    return result.contiguous() if images.shape[1] == 3 else grey(result)


def as_bytes(image: np.ndarray) -> np.ndarray:
    """Cut off at black and white, and towards black: as the published code does."""
    return image if image.dtype == np.uint8 else (np.clip(image, 0, 1) * 255).astype(np.uint8)


def grey(images: Tensor) -> Tensor:
    """Of uint8 [N, 3, H, W] the ITU-R 601 luminance, uint8 [N, 1, H, W]; what is grey stays as it is."""
    weights = torch.tensor([299, 587, 114]).view(1, 3, 1, 1)
    return ((images * weights).sum(dim=1, keepdim=True) // 1000).to(torch.uint8)
