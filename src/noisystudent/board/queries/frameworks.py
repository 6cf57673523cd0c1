"""What code is written with: the frameworks that the archive's links name."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

# As the archive abbreviates them, and as their makers call them.
NAMES = {
    "tf": "TensorFlow",
    "pytorch": "PyTorch",
    "jax": "JAX",
    "mxnet": "MXNet",
    "torch": "Torch",
    "caffe2": "Caffe2",
    "paddle": "PaddlePaddle",
    "mindspore": "MindSpore",
}


class Used(NamedTuple):
    """A framework: its abbreviation, its name, and how many papers have code in it."""

    slug: str
    name: str
    papers: int


def used(connection: sqlite3.Connection) -> list[Used]:
    """All frameworks that code is written with, those of most papers first."""
    rows = connection.execute(
        "SELECT framework, count(DISTINCT paper_id) AS papers FROM paper_repository WHERE framework NOT IN ('none', '') "
        "GROUP BY framework ORDER BY papers DESC, framework"
    )
    return [Used(row["framework"], NAMES.get(row["framework"], row["framework"]), row["papers"]) for row in rows]


def framework_meant(connection: sqlite3.Connection, text: str) -> str | None:
    """The abbreviation of the framework that a text means, by that or by its name."""
    folded = text.strip().casefold()
    return next(
        (each.slug for each in used(connection) if folded in (each.slug.casefold(), each.name.casefold())), None
    )
