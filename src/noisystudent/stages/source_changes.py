"""Have the sources of a run changed on disk since it began?"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from noisystudent import atomic
from noisystudent.addresses import scheme
from noisystudent.data.manifest import Manifest
from noisystudent.data.stored_files import opened, version
from noisystudent.data.uris import file_path, inside, path_or_uri, places_in_shards
from noisystudent.errors import UserError, some
from noisystudent.rundir import RunDir

SHARDS = "unlabeled, of its shards"  # in the place of a split's name
END = 2**16  # bytes at either end of a file that stand for the rest
TEXT, WHOLE = pa.string(), pa.int64()
SCHEMA = pa.schema({"split": TEXT, "id": TEXT, "class": TEXT, "size": WHOLE, "changed": WHOLE, "digest": pa.binary()})


class Seen(NamedTuple):
    """What an image looked like from outside: its class, and of the file that holds it size, time of change and digest of both ends."""

    label: str | None
    size: int = -1
    changed: int = -1
    digest: bytes = b""


def remember_sources(run: RunDir, manifests: dict[str, Manifest]) -> None:
    """Keep what the labeled sources hold, in `data/sources.parquet`, and what the shards of the unlabeled one look like.

    Unlabeled images may be many: they are compared with their manifest, by name, and files of one image are not looked at.
    """
    labeled = {split: manifest for split, manifest in manifests.items() if split != "unlabeled"}
    rows = [(split, id, *seen) for split, manifest in labeled.items() for id, seen in _seen(split, manifest).items()]
    if "unlabeled" in manifests:
        rows += [(SHARDS, name, *seen) for name, seen in _shards(manifests["unlabeled"], {}).items()]
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
    shards = before.pop(SHARDS, {})
    if run.manifest("unlabeled").exists():
        before["unlabeled"] = _seen("unlabeled", Manifest.load(run.manifest("unlabeled")))
    changes = []
    for split in sorted(before.keys() | manifests.keys()):
        known = before.get(split, {})
        changes += _changes(split, known, _seen(split, manifests[split], known) if split in manifests else {})
    if shards and "unlabeled" in manifests:
        changes += _changes(SHARDS, shards, _shards(manifests["unlabeled"], shards))
    if changes:
        raise UserError(
            [
                f"the images changed since the run in {run.path} began. Give another --out to learn from what is there now, or put them "
                f"back to go on; `noisystudent report {run.path}` shows what was found with the old ones:",
                *changes,
            ]
        )


def _changes(split: str, before: dict[str, Seen], now: dict[str, Seen]) -> list[str]:
    both = [id for id in before if id in now]
    kinds = {
        "were added": [id for id in now if id not in before],
        "are gone": [id for id in before if id not in now],
        "are of another class": [id for id in both if now[id].label != before[id].label],
        "have other contents": [id for id in both if now[id].digest != before[id].digest],
    }
    return [f"--{split}: {len(ids):,} {kind}: {some(ids)}" for kind, ids in kinds.items() if ids]


def _seen(split: str, manifest: Manifest, known: dict[str, Seen] | None = None) -> dict[str, Seen]:
    """By id; a file of the size and time in `known` is not opened again."""
    if split == "unlabeled":
        return dict.fromkeys(manifest.ids, Seen(None))
    files: dict[str, tuple[int, int, bytes]] = {}
    names = [*manifest.class_names, None]
    seen = {}
    for id, uri, label in zip(manifest.ids, manifest.table["uri"].to_pylist(), manifest.labels.tolist(), strict=True):
        container, _ = inside(uri)
        if container not in files:
            files[container] = _file(container, (known or {}).get(id))
        seen[id] = Seen(names[label], *files[container])
    return seen


def _shards(manifest: Manifest, known: dict[str, Seen]) -> dict[str, Seen]:
    """By the path of each shard, if the images lie in such; `known` as for `_seen`."""
    places = places_in_shards(manifest.table["uri"])
    containers = {inside(name)[0] for name in places.names} if places else set()
    names = {container: path_or_uri(container) for container in sorted(containers)}
    return {name: Seen(None, *_file(container, known.get(name))) for container, name in names.items()}


def _file(container: str, known: Seen | None) -> tuple[int, int, bytes]:
    """Size, time of change and digest of a file; -1, -1 and nothing where there is none, as on a hub."""
    if container.startswith("hf:"):
        return -1, -1, b""
    path = file_path(container)
    try:
        if scheme(path):
            size, stands_for_it = version(path)
            return size, -1, stands_for_it.encode()
        status = os.stat(path)
        if known and (known.size, known.changed) == (status.st_size, status.st_mtime_ns):
            return known[1:]
        with opened(path) as file:
            ends = hashlib.blake2b(file.read(END), digest_size=16)
            file.seek(max(status.st_size - END, 0))
            ends.update(file.read(END) + str(status.st_size).encode())
    except OSError:  # missing, a pipe, or not to be read: the stage that needs it says so
        return -1, -1, b""
    return status.st_size, status.st_mtime_ns, ends.digest()


def _path(run: RunDir) -> Path:
    return run.path / "data" / "sources.parquet"
