"""The pictures of a set that is small enough, on the GPU that trains on them: a step takes its own there, and copies row numbers alone."""

from __future__ import annotations

import numpy as np
import torch

from noisystudent.data.images import ImageSet, RandomCrops
from noisystudent.device import moved


class OnDevice:
    """As an `ImageSet` that is kept in memory, with its pictures on a device.

    Args:
        images: kept in memory.
        device: where its pictures are copied to, at once.

    Raises:
        UserError: naming the images that cannot be read.

    Example:
        >>> OnDevice(images, torch.device("cuda")).fetch(np.arange(64)).device  # doctest: +SKIP
        device(type='cuda', index=0)
    """

    def __init__(self, images: ImageSet, device: torch.device) -> None:
        self.shuffled = images.shuffled
        self._pixels = images.fetch(np.arange(len(images))).to(device)

    def fetch(self, rows: np.ndarray, *, crops: RandomCrops | None = None) -> torch.Tensor:
        """The pictures of some rows, as `ImageSet.fetch` gives them, on the device."""
        if crops is not None:
            raise ValueError("random crops need whole pictures, which are not kept")
        return self._pixels.index_select(0, moved(torch.from_numpy(rows), self._pixels.device))


def where_they_train(images: ImageSet, device: torch.device) -> ImageSet | OnDevice:
    """The set itself for a processor, and where it is too large to be kept in memory."""
    return OnDevice(images, device) if images.in_memory and device.type != "cpu" else images
