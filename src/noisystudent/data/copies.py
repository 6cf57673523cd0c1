"""Copies among the images of one set: the same picture twice, or nearly, under other names or in other folders."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pyarrow as pa
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from noisystudent.config import Execution
from noisystudent.data.duplicates import CROWD, near_pairs, pixel_digests, same_picture
from noisystudent.data.images import ImageSet
from noisystudent.data.manifest import Manifest

BATCH = 1024


def copy_groups(
    manifest: Manifest, hashes: np.ndarray, execution: Execution, *, view: Callable[[Manifest], ImageSet]
) -> np.ndarray:
    """Which images show the same picture.

    Args:
        manifest: the images.
        hashes: uint64 [n], of `duplicates.dhash`, in the order of the manifest.
        execution: how much memory tables may take.
        view: gives the pictures of a manifest, all at one size, to look at the candidates.

    Returns:
        int64 [n]: the number of each image's group; images with the same number are copies, nearly or exactly.
    """
    pairs, crowds = _candidates(hashes, execution)
    exact = [_equal(manifest, rows, view) for rows in crowds]
    alike = [part[_same(manifest, part, view)] for part in np.array_split(pairs, len(pairs) // BATCH + 1) if len(part)]
    found = np.concatenate([np.empty((0, 2), np.int64), *exact, *alike])
    shape = (len(manifest), len(manifest))
    graph = coo_matrix((np.ones(len(found)), (found[:, 0], found[:, 1])), shape=shape)
    groups: np.ndarray = connected_components(graph, directed=False)[1].astype(np.int64)
    return groups


def _candidates(hashes: np.ndarray, execution: Execution) -> tuple[np.ndarray, list[np.ndarray]]:
    """Pairs of rows, int64 [pairs, 2], whose hashes are equal or nearly; and the rows of each hash that too many share.

    So the number of pairs grows with the rows and not with their square.
    """
    order = np.argsort(hashes, kind="stable")
    starts = (
        np.flatnonzero(np.r_[True, hashes[order][1:] != hashes[order][:-1]]) if len(order) else np.empty(0, np.int64)
    )
    buckets = np.split(order, starts[1:])
    pairs = [pair for bucket in buckets if len(bucket) <= CROWD for pair in combinations(bucket.tolist(), 2)]
    first = order[starts]
    table = pa.table({"id": pa.array(first.astype(str)), "dhash": pa.array(hashes[first], pa.uint64())})
    near = near_pairs(table, table, execution)
    ends = (np.array(near[column].to_pylist(), dtype=np.int64) for column in ("left_id", "right_id"))
    between = np.stack(list(ends), axis=1) if near.num_rows else np.empty((0, 2), np.int64)
    within = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    crowds = [bucket for bucket in buckets if len(bucket) > CROWD]
    return np.concatenate([within, between[between[:, 0] < between[:, 1]]]), crowds


def _equal(manifest: Manifest, rows: np.ndarray, view: Callable[[Manifest], ImageSet]) -> np.ndarray:
    """Each row with the first one that has the very same pixels, int64 [pairs, 2]."""
    images = view(manifest.take(rows))
    first: dict[bytes, int] = {}
    pairs = []
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH].tolist()
        digests = pixel_digests(images.fetch(np.arange(start, start + len(part))))
        pairs += [(first.setdefault(digest, row), row) for row, digest in zip(part, digests, strict=True)]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _same(manifest: Manifest, pairs: np.ndarray, view: Callable[[Manifest], ImageSet]) -> np.ndarray:
    rows, index = np.unique(pairs, return_inverse=True)
    pictures = view(manifest.take(rows)).fetch(np.arange(len(rows)))
    left, right = index.reshape(-1, 2).T
    exact, near = same_picture(pictures[left], pictures[right])
    alike: np.ndarray = exact | near
    return alike
