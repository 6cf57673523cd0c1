"""What people said of images of a run: another class, or that a picture is of none; and what that changes."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from noisystudent.data.manifest import SCHEMA, UNKNOWN, Manifest
from noisystudent.data.tables import csv_header, list_csv
from noisystudent.errors import UserError, some

NO_CLASS = "(none)"  # the answer for a picture of no class
CORRECTED = "corrected"  # the split of a labeled image that was an unlabeled one


class Changes(NamedTuple):
    """How many images the answers changed.

    Attributes:
        labeled: unlabeled ones that got a label.
        relabeled: labeled ones that got another label.
        dropped_labeled, dropped_unlabeled: of no class, and left out.
        confirmed: labeled ones whose label was given again.
        open: rows without an answer.
    """

    labeled: int = 0
    relabeled: int = 0
    dropped_labeled: int = 0
    dropped_unlabeled: int = 0
    confirmed: int = 0
    open: int = 0

    def __str__(self) -> str:
        said = {
            "images without a label got one and are learned from as labeled ones": self.labeled,
            "labels were changed": self.relabeled,
            "labeled images are of no class and left out": self.dropped_labeled,
            "unlabeled images are of no class and left out": self.dropped_unlabeled,
            "labels were confirmed": self.confirmed,
            "rows have no answer": self.open,
        }
        return "; ".join(f"{count:,} {what}" for what, count in said.items() if count) or "nothing was answered"


class Answers(NamedTuple):
    """What a file says: a class, or `NO_CLASS`, by the address of the image; and how many of its rows have no answer."""

    source: str
    labels: dict[str, str]
    open: int


def read_answers(source: str) -> Answers:
    """Read a CSV file with columns `path` and `label`, as `review` writes it or another program.

    Raises:
        UserError: naming everything that is wrong with it.
    """
    listing = list_csv(os.path.expanduser(source))
    problems = listing.problems + [p for p in listing.label_problems if p not in listing.problems]
    if listing.labels is None or problems:
        raise UserError(problems)
    labels: dict[str, str] = {}
    given, torn = [None if label is None else str(label) for label in listing.labels.to_pylist()], list[int]()
    for row, (uri, label) in enumerate(zip(listing.uris, given, strict=True)):
        if label is not None and labels.setdefault(uri, label) != label:
            torn.append(row)
    if torn:
        lines = _lines(os.path.expanduser(source))
        named = some(listing.ids[row] or f"line {lines[row]}" for row in torn)
        raise UserError(f"{source}: {len(torn):,} images have more than one answer: {named}: keep one row of each")
    return Answers(source, labels, sum(label is None for label in given))


def _lines(path: str) -> list[int]:
    """The line on which each row of a CSV file ends; the header is none of them, nor are empty lines."""
    delimiter, _ = csv_header(path)
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file, delimiter=delimiter)
        return [rows.line_num for row in rows if row][1:]


def reviewed_run(source: str | Path) -> Path | None:
    """The run that a file of answers is about, which its column `run` names; None: it has no such column.

    Raises:
        UserError: the file cannot be read, or it is about several runs.
    """
    path = os.path.expanduser(source)
    try:
        delimiter, header = csv_header(path)
        columns = [column.strip() for column in header]
        if "run" not in columns:
            return None
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(file, delimiter=delimiter)
            next(rows, None)
            runs = {row[columns.index("run")] for row in rows if len(row) == len(columns)} - {""}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"--corrections {source}: cannot be read: {error}") from None
    if len(runs) > 1:
        raise UserError(f"--corrections {source} is about several runs: {some(sorted(runs))}: give the rows of one")
    return Path(runs.pop()) if runs else None


def correct(manifests: dict[str, Manifest], answers: Answers) -> Changes:
    """Put the answers into the manifests of a run's sources, in place.

    An unlabeled image that got a class is a labeled one from now on, of the split `CORRECTED`; a labeled one has the class that it got; a
    picture of no class is left out.

    Args:
        manifests: by name: labeled, and where there are unlabeled, val and test.
        answers: what was said.

    Raises:
        UserError: an image is in none of them, or a class is not one of the labeled images'.
    """
    names = manifests["labeled"].class_names
    _check(manifests, answers, names)
    uris = pa.array(list(answers.labels), pa.string())
    numbers = {**{name: number for number, name in enumerate(names)}, NO_CLASS: UNKNOWN}
    classes = np.array([numbers[label] for label in answers.labels.values()], np.int32)
    counts: Counter[str] = Counter()
    for split in [split for split in manifests if split != "unlabeled"]:
        manifests[split] = _relabeled(manifests[split], uris, classes, counts)
    if "unlabeled" in manifests:
        _take_out(manifests, uris, classes, counts)
    return Changes(**counts, open=answers.open)


def _check(manifests: dict[str, Manifest], answers: Answers, names: Sequence[str]) -> None:
    problems = []
    if NO_CLASS in names:
        problems.append(f"a class is called {NO_CLASS!r}, which is the answer for a picture of no class: rename it")
    known = pc.unique(pa.chunked_array([c for m in manifests.values() for c in m.table["uri"].chunks], pa.string()))
    there = pc.is_in(pa.array(list(answers.labels), pa.string()), value_set=known).to_pylist()
    missing = [uri for uri, is_there in zip(answers.labels, there, strict=True) if not is_there]
    if missing:
        problems.append(
            f"{answers.source}: {len(missing):,} images are in none of the sources: {some(missing)}: give the sources of the run that was "
            "reviewed, or take these rows out"
        )
    unknown = sorted(set(answers.labels.values()) - {*names, NO_CLASS})
    if unknown:
        problems.append(
            f"{answers.source}: the labeled images have no class {some(unknown)}; they have {some(names)}, and a picture of no class is "
            f"answered with {NO_CLASS}"
        )
    if problems:
        raise UserError(problems)


def _relabeled(manifest: Manifest, uris: pa.Array, classes: np.ndarray, counts: Counter[str]) -> Manifest:
    at = pc.fill_null(pc.index_in(manifest.table["uri"], value_set=uris), -1).to_numpy()
    said = np.where(at >= 0, classes[at] if len(classes) else UNKNOWN, manifest.labels).astype(np.int32)
    dropped = (at >= 0) & (said == UNKNOWN)
    counts["dropped_labeled"] += int(dropped.sum())
    counts["relabeled"] += int((~dropped & (said != manifest.labels)).sum())
    counts["confirmed"] += int(((at >= 0) & ~dropped & (said == manifest.labels)).sum())
    column = pa.array(said, pa.int32(), mask=said == UNKNOWN)
    table = manifest.table.set_column(2, SCHEMA.field("label"), column)
    return replace(manifest, table=table).take(np.flatnonzero(~dropped))


def _take_out(manifests: dict[str, Manifest], uris: pa.Array, classes: np.ndarray, counts: Counter[str]) -> None:
    """Move unlabeled images that got a class to the labeled ones, and leave out those of no class."""
    unlabeled, labeled = manifests["unlabeled"], manifests["labeled"]
    at = pc.fill_null(pc.index_in(unlabeled.table["uri"], value_set=uris), -1).to_numpy()
    rows = np.flatnonzero(at >= 0)
    given = classes[at[rows]]
    new = (given != UNKNOWN) & ~pc.is_in(
        unlabeled.table["uri"].take(pa.array(rows)), value_set=labeled.table["uri"].combine_chunks()
    ).to_numpy()
    moved = unlabeled.take(rows[new]).table
    ids = _new_ids(moved["id"].to_pylist(), set(labeled.ids))
    columns = [ids, moved["uri"], pa.array(given[new], pa.int32()), pa.repeat(CORRECTED, len(moved))]
    table = pa.concat_tables([labeled.table, pa.Table.from_arrays(columns, schema=SCHEMA)])
    counts["labeled"] += len(moved)
    counts["dropped_unlabeled"] += int((given == UNKNOWN).sum())
    manifests["labeled"] = replace(labeled, table=table.combine_chunks())
    manifests["unlabeled"] = unlabeled.take(np.flatnonzero(at < 0))


def _new_ids(ids: Sequence[str], taken: set[str]) -> pa.Array:
    """The ids as they were, unless a labeled image has the same: then it says where it came from, as often as need be."""
    found = []
    for id in ids:
        while id in taken:
            id = f"{CORRECTED}/{id}"
        taken.add(id)
        found.append(id)
    return pa.array(found, pa.string())
