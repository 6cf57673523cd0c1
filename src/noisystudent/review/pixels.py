"""Pictures as plain numbers: what a linear classifier can be fitted on where no network is there that did not learn from the labels."""

from __future__ import annotations

import numpy as np
import torch.nn.functional as F

from noisystudent.data.images import CHUNK, ImageSet

SIDE = 32  # pixels of a side, at most
# Of the labels, in percent: a classifier on pixels that is right less often calls too many right labels wrong. On 200 digits with 20 wrong
# labels it is right on 78 to 83 %, and 14 of the 20 are found (benchmarks/reviewing.py), where by the network that learned them 5 were.
SUFFICES = 60.0


def pixel_features(images: ImageSet) -> np.ndarray:
    """float32 [N, D]: the brightness of each channel at each place, from 0 to 1; 0 where a picture cannot be read."""
    side = min(SIDE, images.size)
    rows = [np.arange(start, min(start + CHUNK, len(images))) for start in range(0, len(images), CHUNK)]
    pixels = [images.try_fetch(some)[0].float() / 255 for some in rows]
    small = [F.interpolate(some, (side, side), mode="area").flatten(1).numpy() for some in pixels]
    found: np.ndarray = np.concatenate(small)
    return found
