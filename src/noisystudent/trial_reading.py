"""What reading a picture costs: some are made, written as JPEG files, and read as a run reads them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from noisystudent.config import Execution, Training, View
from noisystudent.data.images import RandomCrops, image_set
from noisystudent.data.random_crops import DRAWS
from noisystudent.data.sources import read_source
from noisystudent.trial import seconds_of

PICTURES = 32
CPU = torch.device("cpu")


class Reading(NamedTuple):
    """Seconds of a look at a picture in its file: of training, 0 where whole pictures are kept in memory, and of labeling."""

    training: float
    labeling: float


def reading_a_picture(training: Training, execution: Execution, channels: int, long_side: int) -> Reading:
    """Read made pictures as a network is shown them.

    Args:
        training: image size, and which parts of pictures its noise shows.
        execution: how many threads decode.
        channels: of the images.
        long_side: of the pictures, in pixels; the other is three quarters of it.
    """
    rows, noise = np.arange(PICTURES), training.noise
    with tempfile.TemporaryDirectory(prefix="noisystudent-") as folder:
        make_pictures(Path(folder), PICTURES, (long_side, round(0.75 * long_side)))
        manifest = read_source(folder, split="unlabeled", labels="ignored")
        images = image_set(manifest, View(training.image_size, channels, training.crop_pct), execution)

        def parts() -> torch.Tensor:
            return images.fetch(rows, crops=RandomCrops(0, noise.crop_scale, DRAWS[noise.crop]))

        shown = seconds_of(parts, CPU) if noise.shows_parts else 0.0
        return Reading(shown / PICTURES, seconds_of(lambda: images.fetch(rows), CPU) / PICTURES)


def make_pictures(folder: Path, count: int, size: tuple[int, int], *, seed: int = 0, suffix: str = "jpg") -> None:
    """Smooth random pictures of so many pixels: JPEG decodes them about as fast as photos."""
    draw = np.random.default_rng(seed)
    coarse = (max(size[1] // 8, 1), max(size[0] // 8, 1), 3)
    for number in range(count):
        picture = Image.fromarray(draw.integers(0, 256, coarse, dtype=np.uint8))
        picture.resize(size, Image.Resampling.BICUBIC).save(folder / f"{number:05d}.{suffix}", quality=90)
