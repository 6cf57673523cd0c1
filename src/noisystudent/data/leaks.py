"""Unlabeled images that are held-out images too: a student that learned from them would look better than it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from noisystudent.data.duplicates import near_pairs, same_picture
from noisystudent.data.images import ImageSet
from noisystudent.data.manifest import Manifest

LEAK_SCHEMA = pa.schema([("id", pa.string()), ("split", pa.string()), ("twin", pa.string()), ("exact", pa.bool_())])
BATCH = 1024


def held_out_twins(
    unlabeled: Manifest, hashes: pa.Table, held_out: pa.Table, *, view: Callable[[Manifest], ImageSet]
) -> pa.Table:
    """The unlabeled images that show the same picture as a held-out one.

    Args:
        unlabeled: where the ids of `hashes` are found.
        hashes: id and dhash of the unlabeled images.
        held_out: id, uri, split and dhash of the validation and test images.
        view: gives the pictures of a manifest, all at one size, to look at the candidates.

    Returns:
        LEAK_SCHEMA: a row for each unlabeled image found, with one of its twins; `exact` when every pixel is the same.
    """
    # Ids are unique within a split only, so rows are numbered.
    numbered = held_out.set_column(0, "id", pa.array([str(row) for row in range(held_out.num_rows)]))
    pairs = near_pairs(hashes.select(["id", "dhash"]), numbered.select(["id", "dhash"]))
    if pairs.num_rows == 0:
        return LEAK_SCHEMA.empty_table()
    row_of = {id: row for row, id in enumerate(unlabeled.ids)}
    left = np.array([row_of[id] for id in pairs["left_id"].to_pylist()])
    right = np.array([int(id) for id in pairs["right_id"].to_pylist()])
    left_rows, left_index = np.unique(left, return_inverse=True)
    right_rows, right_index = np.unique(right, return_inverse=True)
    columns = {
        "id": held_out["id"],
        "uri": held_out["uri"],
        "label": pa.nulls(len(held_out), pa.int32()),
        "split": held_out["split"],
    }
    ours, theirs = view(unlabeled.take(left_rows)), view(Manifest(pa.table(columns)).take(right_rows))
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
