"""Unlabeled images that are held-out images too: a student that learned from them would look better than it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from noisystudent.config import Execution
from noisystudent.data.duplicates import CROWD, near_pairs, pixel_digests, same_picture
from noisystudent.data.images import ImageSet
from noisystudent.data.manifest import Manifest

LEAK_SCHEMA = pa.schema([("id", pa.string()), ("split", pa.string()), ("twin", pa.string()), ("exact", pa.bool_())])
BATCH = 1024


def held_out_twins(
    unlabeled: Manifest,
    hashes: pa.Table,
    held_out: pa.Table,
    execution: Execution,
    *,
    view: Callable[[Manifest], ImageSet],
) -> pa.Table:
    """The unlabeled images that show the same picture as a held-out one.

    Args:
        unlabeled: where the ids of `hashes` are found.
        hashes: id and dhash of the unlabeled images.
        held_out: id, uri, split and dhash of the validation and test images.
        execution: how much memory tables may take.
        view: gives the pictures of a manifest, all at one size, to look at the candidates.

    Returns:
        LEAK_SCHEMA: a row for each unlabeled image found, with one of its twins; `exact` when every pixel is the same.
    """
    columns = {
        "id": held_out["id"],
        "uri": held_out["uri"],
        "label": pa.nulls(len(held_out), pa.int32()),
        "split": held_out["split"],
    }
    others = Manifest(pa.table(columns))
    pairs = _candidates(unlabeled, hashes, others, held_out["dhash"].to_numpy(), execution, view)
    if len(pairs) == 0:
        return LEAK_SCHEMA.empty_table()
    left, right = pairs.T
    left_rows, left_index = np.unique(left, return_inverse=True)
    right_rows, right_index = np.unique(right, return_inverse=True)
    ours, theirs = view(unlabeled.take(left_rows)), view(others.take(right_rows))
    found: dict[str, dict[str, object]] = {}
    for start in range(0, len(left), BATCH):
        a, b = left_index[start : start + BATCH], right_index[start : start + BATCH]
        exact, near = same_picture(ours.fetch(a), theirs.fetch(b))
        for position in np.flatnonzero(exact | near).tolist():
            id, twin = ours.manifest.ids[a[position]], theirs.manifest.table.slice(int(b[position]), 1).to_pylist()[0]
            row = {"id": id, "split": twin["split"], "twin": twin["id"], "exact": bool(exact[position])}
            if id not in found or row["exact"]:
                found[id] = row
    return pa.Table.from_pylist([found[id] for id in sorted(found)], schema=LEAK_SCHEMA)


def _candidates(
    unlabeled: Manifest,
    hashes: pa.Table,
    others: Manifest,
    their_hashes: np.ndarray,
    execution: Execution,
    view: Callable[[Manifest], ImageSet],
) -> np.ndarray:
    """Rows of `unlabeled` and of `others`, int64 [pairs, 2], whose hashes are equal or nearly."""
    order = np.argsort(their_hashes, kind="stable")
    distinct, starts = np.unique(their_hashes[order], return_index=True)
    buckets = np.split(order, starts[1:])
    numbered = pa.table({"id": pa.array([str(n) for n in range(len(distinct))]), "dhash": distinct})
    near = near_pairs(hashes.select(["id", "dhash"]), numbered, execution)
    rows = pc.index_in(near["left_id"], value_set=unlabeled.table["id"]) if near.num_rows else pa.array([], pa.int32())
    of_bucket: dict[int, list[int]] = {}
    for row, bucket in zip(rows.to_pylist(), near["right_id"].to_pylist(), strict=True):
        of_bucket.setdefault(int(bucket), []).append(row)
    found = [np.empty((0, 2), np.int64)]
    for bucket, ours in of_bucket.items():
        theirs = buckets[bucket]
        if len(ours) * len(theirs) <= CROWD**2:
            found.append(np.stack([np.repeat(ours, len(theirs)), np.tile(theirs, len(ours))], axis=1))
        else:
            found.append(_equal(view(unlabeled.take(np.array(ours))), ours, view(others.take(theirs)), theirs))
    return np.concatenate(found)


def _equal(ours: ImageSet, our_rows: list[int], theirs: ImageSet, their_rows: np.ndarray) -> np.ndarray:
    """Each of our rows with one of theirs that has the very same pixels, int64 [pairs, 2]."""
    row_of = dict(zip(_digests(theirs), their_rows.tolist(), strict=True))
    pairs = [(row, row_of[digest]) for row, digest in zip(our_rows, _digests(ours), strict=True) if digest in row_of]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _digests(images: ImageSet) -> list[bytes]:
    starts = range(0, len(images), BATCH)
    return [
        d for start in starts for d in pixel_digests(images.fetch(np.arange(start, min(start + BATCH, len(images)))))
    ]
