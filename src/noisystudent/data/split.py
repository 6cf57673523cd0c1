"""Validation images, set aside from the labeled ones."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace

import numpy as np
import pyarrow.compute as pc

from noisystudent.data.corrections import CORRECTED
from noisystudent.data.manifest import UNKNOWN, Manifest


def split_validation(
    manifest: Manifest, *, fraction: float, seed: int, groups: np.ndarray | None = None
) -> tuple[Manifest, Manifest]:
    """Part labeled images into training and validation, the same share of every class.

    Which images go where depends on their ids and the seed alone, not on the order of the rows.

    Args:
        manifest: labeled images; those without a label stay in training.
        fraction: share of each class for validation, rounded down; one image of each class at least stays in training. Those that a
            person was asked about (`corrections.CORRECTED`) stay there and are not counted: they were chosen because they are hard.
        seed: another seed gives another choice.
        groups: int [rows], the same number for copies of one picture, which stay on one side: with the training images, where
            the share ends among them. None: there are no copies.

    Returns:
        training and validation, in the order of `manifest`, with `split` set to "train", unless it is `CORRECTED`, and "val". Validation
        may be empty.
    """
    labels = manifest.labels
    ids = manifest.ids
    groups = np.arange(len(manifest)) if groups is None else groups
    rank = [_rank(seed, id) for id in ids]
    first: dict[int, bytes] = {}  # of each group
    for group, own in zip(groups.tolist(), rank, strict=True):
        first[group] = min(first.get(group, own), own)
    held_out = np.zeros(len(manifest), dtype=bool)
    asked = pc.equal(manifest.table["split"], CORRECTED).to_numpy(zero_copy_only=False)
    for label in np.unique(labels[labels != UNKNOWN]):
        rows = sorted(
            np.flatnonzero((labels == label) & ~asked).tolist(), key=lambda row: (first[int(groups[row])], rank[row])
        )
        # 0.29 * 100 is 28.999...: what is meant is 29.
        held_out[rows[: min(int(len(rows) * fraction + 1e-9), len(rows) - 1)]] = True
    held_out &= ~np.isin(groups, groups[~held_out])
    return (
        _named(manifest.take(np.flatnonzero(~held_out)), "train", but=CORRECTED),
        _named(manifest.take(np.flatnonzero(held_out)), "val"),
    )


def draw_fraction(manifest: Manifest, *, fraction: float, seed: int) -> Manifest:
    """A share of the images, rounded up, in the order of `manifest`; what a smaller share has, a larger one has too."""
    ids = manifest.ids
    count = math.ceil(len(ids) * fraction - 1e-9)
    drawn = sorted(range(len(ids)), key=lambda row: _rank(seed, ids[row]))[:count]
    return manifest.take(np.sort(np.array(drawn)))


def _rank(seed: int, id: str) -> bytes:
    return hashlib.blake2b(f"{seed}:{id}".encode(), digest_size=16).digest()


def _named(manifest: Manifest, split: str, *, but: str = "") -> Manifest:
    column = manifest.table.schema.get_field_index("split")
    names = pc.if_else(pc.equal(manifest.table["split"], but), but, split)
    return replace(manifest, table=manifest.table.set_column(column, "split", names))
