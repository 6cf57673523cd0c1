"""As many images at a time as a GPU's memory holds, found by trying."""

from __future__ import annotations

import math
from collections.abc import Callable
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from noisystudent.errors import RunError

_fitting: WeakKeyDictionary[nn.Module, int] = WeakKeyDictionary()


def in_parts_that_fit(network: nn.Module, images: Tensor, forward: Callable[[Tensor], Tensor]) -> Tensor:
    """What a network says of images: of all at once, or where they are too many for the GPU's memory, of half as many, and so on.

    How many fitted is remembered for the network's next images.

    Args:
        network: that `forward` asks; each image's answer depends on no other image.
        images: [N, C, H, W].
        forward: from some of them to their answers [n, ...].

    Returns:
        [N, ...].

    Raises:
        RunError: a single image is too large.

    Example:
        >>> layer = nn.Linear(2, 1, bias=False)
        >>> in_parts_that_fit(layer, torch.zeros(3, 2), layer).shape
        torch.Size([3, 1])
    """
    while True:
        most = min(_fitting.get(network, len(images)), len(images))
        try:
            if most == len(images):
                return forward(images)
            return torch.cat([forward(part) for part in torch.split(images, most)])
        except torch.OutOfMemoryError:
            if most <= 1:
                raise RunError(
                    f"an image of {images.shape[-1]} pixels is too large for the GPU's memory with this network: "
                    "free some of it, or compute on the processor (--device cpu, execution.device)"
                ) from None
        _fitting[network] = math.ceil(most / 2)
        torch.cuda.empty_cache()  # only now does nothing hold what was computed
