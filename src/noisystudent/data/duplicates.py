"""Pictures that occur twice: exactly, or re-encoded, resized, made lighter.

Candidates are found by a perceptual hash, which scales to 10^8 pictures; a look at their pixels then decides, since
small and flat pictures share hashes by chance.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import torch
import torch.nn.functional as F

from noisystudent.config import Execution
from noisystudent.data.duckdb_connections import spilling

ROWS, COLUMNS = 8, 9
BANDS = 4  # of 16 bits: two hashes that differ in at most 3 bits agree in one of the 4
THUMBNAIL = 32
# How near is the same, as mean difference (of 255) and correlation. Measured: of 10,000 CIFAR-10 images (32 px) re-encoded as
# JPEG 75, 99 % differ by less than 5.9 and correlate above 0.970; made 10 % smaller and back, 6.5 and 0.967; Imagenette at
# 128 px, 0.99 and 0.999. Of the 50 million pairs of those 10,000, two pass: one picture, cropped or encoded otherwise.
NEAR = (7.0, 0.96)
# A few pixels tell less: different 8 px digits come as near as 4.4 and 0.994. No pair of scikit-learn's 1.6 million passes this.
TINY = 16  # pixels of the shorter side
NEAR_IF_TINY = (4.0, 0.98)
# Images of one hash that are compared each with each. Of more (flat pictures share a hash) only equal ones are looked for, by
# their digests: so the comparisons grow with the images and not with their square.
CROWD = 32


def dhash(images: torch.Tensor) -> np.ndarray:
    """A 64-bit difference hash: of 8 rows by 9 columns of grey, whether each is darker than its right neighbor.

    The arithmetic is in whole numbers, so that equal neighbors stay equal and the hash is the same on every machine.

    Args:
        images: uint8 [n, channels, height, width].

    Returns:
        uint64 [n]; the top left comparison is the highest bit.
    """
    height, width = images.shape[2:]
    grey = _grey(images).to(torch.float64)  # holds whole numbers up to 2^53: enough for pictures of 10^10 pixels
    cells = _areas(ROWS, height) @ grey @ _areas(COLUMNS, width).T
    bits = (cells[:, :, :-1] < cells[:, :, 1:]).flatten(1).numpy()
    return np.packbits(bits, axis=1).view(">u8").astype(np.uint64).reshape(-1)


def near_pairs(left: pa.Table, right: pa.Table, execution: Execution, *, max_distance: int = 3) -> pa.Table:
    """The pairs of pictures whose hashes differ in few bits.

    Args:
        left: columns `id`, `dhash` (uint64); may be very long (10^8 rows).
        right: the same; best the shorter of the two.
        execution: how much memory tables may take, and where the rest lies.
        max_distance: bits, at most 3.

    Returns:
        columns `left_id`, `right_id`, `distance`, each pair once, sorted.
    """
    if not 0 <= max_distance < BANDS:
        raise ValueError(f"max_distance must be 0 to {BANDS - 1}, not {max_distance}")
    bands = [(f"((l.dhash >> {16 * band}) & 65535)", f"((r.dhash >> {16 * band}) & 65535)") for band in range(BANDS)]
    joins = []
    for band, (ours, theirs) in enumerate(bands):
        # A pair that agrees in several bands is taken at the first.
        earlier = "".join(f" AND {a} <> {b}" for a, b in bands[:band])
        joins.append(
            "SELECT l.id AS left_id, r.id AS right_id, bit_count(xor(l.dhash, r.dhash))::INTEGER AS distance"
            f" FROM left_table l JOIN right_table r ON {ours} = {theirs}"
            f" WHERE bit_count(xor(l.dhash, r.dhash)) <= {max_distance}{earlier}"
        )
    with spilling(execution) as connection:
        connection.register("left_table", left)
        connection.register("right_table", right)
        return connection.sql(" UNION ALL ".join(joins) + " ORDER BY ALL").to_arrow_table()


def same_picture(a: torch.Tensor, b: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Whether pictures are the same, pair by pair.

    Args:
        a: uint8 [n, channels, height, width].
        b: the same shape.

    Returns:
        exact, bool [n]: every pixel is equal; near, bool [n]: equal but for encoding, size or brightness.
    """
    exact = (a == b).flatten(1).all(dim=1)
    difference, correlation = likeness(a, b)
    most_difference, least_correlation = NEAR_IF_TINY if min(a.shape[2:]) < TINY else NEAR
    near = exact | ((difference <= most_difference) & (correlation >= least_correlation))
    return exact.numpy(), near.numpy()


def pixel_digests(images: torch.Tensor) -> list[bytes]:
    """A digest of each picture's pixels, uint8 [n, channels, height, width]: the same where every pixel is."""
    return [hashlib.blake2b(pixels.numpy().tobytes(), digest_size=16).digest() for pixels in images]


def likeness(a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean absolute difference (of 255) and correlation of grey thumbnails, each without its mean; float32 [n] both."""
    ours, theirs = _thumbnails(a), _thumbnails(b)
    norms = ours.norm(dim=1) * theirs.norm(dim=1)
    return (ours - theirs).abs().mean(dim=1), (ours * theirs).sum(dim=1) / norms.clamp(min=1e-6)


def _thumbnails(images: torch.Tensor) -> torch.Tensor:
    height, width = images.shape[2:]
    grey = _grey(images).to(torch.float32) / 1000
    small = F.interpolate(grey[:, None], (min(THUMBNAIL, height), min(THUMBNAIL, width)), mode="area").flatten(1)
    return small - small.mean(dim=1, keepdim=True)


def _grey(images: torch.Tensor) -> torch.Tensor:
    """int32 [n, height, width]: 1000 times the brightness, so that it is a whole number."""
    if images.shape[1] == 1:
        return images[:, 0].to(torch.int32) * 1000
    red, green, blue = images.to(torch.int32).unbind(dim=1)
    return 299 * red + 587 * green + 114 * blue


def _areas(cells: int, pixels: int) -> torch.Tensor:
    """float64 [cells, pixels]: how much of each pixel lies in each cell, in 1/cells of a pixel."""
    pixel = torch.arange(pixels) * cells
    cell = torch.arange(cells)[:, None] * pixels
    overlap = torch.minimum(pixel + cells, cell + pixels) - torch.maximum(pixel, cell)
    return overlap.clamp(min=0).to(torch.float64)
