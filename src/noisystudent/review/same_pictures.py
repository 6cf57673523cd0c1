"""Pictures that are there twice with different classes: one of the two labels is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from noisystudent.config import Execution
from noisystudent.data.copies import copy_groups
from noisystudent.data.images import ImageSet
from noisystudent.data.leaks import held_out_twins
from noisystudent.data.manifest import Manifest
from noisystudent.report.visible import short
from noisystudent.review.findings import Finding

View = Callable[[Manifest], ImageSet]


def torn(labeled: Manifest, hashes: np.ndarray, execution: Execution, *, view: View) -> list[Finding]:
    """Labeled pictures with a copy that has another label, exactly or nearly (`data.duplicates`).

    Args:
        labeled: all labeled images.
        hashes: uint64 [n], of each.
        execution: how much memory tables may take.
        view: gives the pictures of a manifest, all at one size.
    """
    groups = copy_groups(labeled, hashes, execution, view=view)
    members: dict[int, list[int]] = {}
    for row, group in enumerate(groups.tolist()):
        members.setdefault(group, []).append(row)
    labels, ids, splits = labeled.labels, labeled.ids, labeled.table["split"].to_pylist()
    findings = []
    for rows in members.values():
        for row in rows:
            other = next((o for o in rows if labels[o] != labels[row]), None)
            if other is not None:
                why = f"the same picture as {short(ids[other], 60)}, which is labeled {short(labeled.class_names[labels[other]])}"
                findings.append(Finding(splits[row], ids[row], why))
    return findings


def unlike_their_twins(
    unlabeled: Manifest,
    seen: pa.Table,
    labeled: Manifest,
    hashes: np.ndarray,
    execution: Execution,
    *,
    view: View,
) -> list[Finding]:
    """Unlabeled pictures that are labeled ones too, of which the network says another class than the label.

    Args:
        unlabeled: where the ids are found.
        seen: id, label and dhash of those that were looked at.
        labeled: all labeled images.
        hashes: uint64 [n], of each labeled image.
        execution: how much memory tables may take.
        view: gives the pictures of a manifest, all at one size.
    """
    table = labeled.table
    theirs = pa.table({"id": table["id"], "uri": table["uri"], "split": table["split"], "dhash": pa.array(hashes)})
    twins = held_out_twins(unlabeled, seen.select(["id", "dhash"]), theirs, execution, view=view).to_pylist()
    given = dict(zip(zip(table["split"].to_pylist(), labeled.ids, strict=True), labeled.labels.tolist(), strict=True))
    said = _labels_of(seen, [twin["id"] for twin in twins])
    return [
        Finding(
            "unlabeled",
            twin["id"],
            f"the same picture as {short(twin['twin'], 60)}, which is labeled {short(labeled.class_names[label])}",
        )
        for twin in twins
        if (label := given[twin["split"], twin["twin"]]) != said[twin["id"]]
    ]


def _labels_of(seen: pa.Table, ids: Sequence[str]) -> Mapping[str, int]:
    wanted = set(ids)
    pairs = zip(seen["id"].to_pylist(), seen["label"].to_pylist(), strict=True) if wanted else ()
    return {id: label for id, label in pairs if id in wanted}
