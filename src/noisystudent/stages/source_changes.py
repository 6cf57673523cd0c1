"""Have the sources of a run changed on disk since it began?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from noisystudent import atomic
from noisystudent.data.listing import some
from noisystudent.data.manifest import Manifest
from noisystudent.data.uris import file_path, inside
from noisystudent.errors import UserError
from noisystudent.rundir import RunDir

SCHEMA = pa.schema(
    [("split", pa.string()), ("id", pa.string()), ("class", pa.string()), ("size", pa.int64()), ("changed", pa.int64())]
)


class Seen(NamedTuple):
    """What an image looked like from outside: its class, and size and time of change of the file that holds it, -1 where there is none."""

    label: str | None
    size: int
    changed: int


def remember_sources(run: RunDir, manifests: dict[str, Manifest]) -> None:
    """Keep what the labeled sources hold, in `data/sources.parquet`.

    Unlabeled images may be many: they are compared with their manifest, by name, and their files are not looked at.
    """
    labeled = {split: manifest for split, manifest in manifests.items() if split != "unlabeled"}
    rows = [(split, id, *seen) for split, manifest in labeled.items() for id, seen in _seen(split, manifest).items()]
    columns = [list(column) for column in zip(*rows, strict=True)]
    table = pa.Table.from_arrays([pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)
    with atomic.replacing(_path(run)) as temporary:
        pq.write_table(table, temporary)


def check_unchanged(run: RunDir, manifests: dict[str, Manifest]) -> None:
    """Raise UserError when the sources are not what the run began with; a run of an earlier version is not checked.

    Args:
        run: begun.
        manifests: of the sources as they are now, by split.
    """
    if not _path(run).exists():
        return
    before: dict[str, dict[str, Seen]] = {}
    for split, id, *seen in zip(*(column.to_pylist() for column in pq.read_table(_path(run)).columns), strict=True):
        before.setdefault(split, {})[id] = Seen(*seen)
    if run.manifest("unlabeled").exists():
        before["unlabeled"] = _seen("unlabeled", Manifest.load(run.manifest("unlabeled")))
    changes = [
        change
        for split in sorted(before.keys() | manifests.keys())
        for change in _changes(
            split, before.get(split, {}), _seen(split, manifests[split]) if split in manifests else {}
        )
    ]
    if changes:
        raise UserError(
            [
                f"the images changed since the run in {run.path} began. Give another --out to learn from what is there now, or put them "
                f"back to go on; `noisystudent report {run.path}` shows what was found with the old ones:",
                *changes,
            ]
        )


def _changes(split: str, before: dict[str, Seen], now: dict[str, Seen]) -> list[str]:
    kinds = {
        "were added": [id for id in now if id not in before],
        "are gone": [id for id in before if id not in now],
        "are of another class": [id for id in before if id in now and now[id].label != before[id].label],
        "have other contents": [id for id in before if id in now and now[id][1:] != before[id][1:]],
    }
    return [f"--{split}: {len(ids):,} {kind}: {some(ids)}" for kind, ids in kinds.items() if ids]


def _seen(split: str, manifest: Manifest) -> dict[str, Seen]:
    ids = manifest.ids
    if split == "unlabeled":
        return dict.fromkeys(ids, Seen(None, -1, -1))
    files: dict[str, tuple[int, int]] = {}
    names = [*manifest.class_names, None]
    seen = {}
    for id, uri, label in zip(ids, manifest.table["uri"].to_pylist(), manifest.labels.tolist(), strict=True):
        container, _ = inside(uri)
        if container not in files:
            files[container] = _file(container)
        seen[id] = Seen(names[label], *files[container])
    return seen


def _file(container: str) -> tuple[int, int]:
    if not container.startswith("file://"):
        return -1, -1
    try:
        status = os.stat(file_path(container))
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns


def _path(run: RunDir) -> Path:
    return run.path / "data" / "sources.parquet"
