"""What of an earlier run is still valid for one that begins: it is copied, and not done again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from noisystudent import atomic
from noisystudent.config import Config, load_config
from noisystudent.data.images import Skipped
from noisystudent.data.manifest import Manifest
from noisystudent.data.parts import write_part
from noisystudent.errors import UserError
from noisystudent.features.embedding import features_schema, features_table, take
from noisystudent.progress import logger
from noisystudent.run_plan import run_networks
from noisystudent.rundir import RunDir
from noisystudent.stages.source_changes import SCHEMA as SOURCES

SPLITS = ("labeled", "val", "test", "unlabeled")


def check_earlier(config: Config, out: Path) -> None:
    """Raise UserError when the earlier run is not there, or is the one that is to begin."""
    earlier = config.execution.earlier_run
    if not earlier:
        return
    if Path(earlier).resolve() == out.resolve():
        raise UserError(f"--out {out} is the run that was reviewed, which stays as it is: give another folder")
    if not (Path(earlier) / "config.toml").is_file() and not (out / "config.toml").is_file():
        raise UserError(f"execution.earlier_run = {earlier!r} is no run: put it back, or set it to ''")


def take_over(run: RunDir, config: Config) -> None:
    """Copy what is still valid of `execution.earlier_run`, once the images of a run are prepared.

    Features are valid of every image that has not changed, whatever its label. A network that learned from labels alone, and what it was
    measured to be, is valid where the images with labels, those held out and all settings are the same.

    Args:
        run: prepared; receives `features/` and the folders of networks, with their records.
        config: of the run.
    """
    if config.execution.earlier_run:
        run.stage("earlier", lambda: _take_over(run, RunDir(Path(config.execution.earlier_run)), config))


def _take_over(run: RunDir, earlier: RunDir, config: Config) -> dict[str, Any]:
    if not earlier.manifest("labeled").exists():
        return {"networks": [], "features": []}
    networks = _networks(run, earlier, config)
    features = sorted({folder.parent.name for folder in _features(run, earlier, config.execution.part_rows)})
    kept = [*(f"the network {name}" for name in networks), *(f"the features {name}" for name in features)]
    logger.info("of %s still valid, and not made again: %s", earlier.path, ", ".join(kept) or "nothing")
    return {"networks": networks, "features": features}


def _networks(run: RunDir, earlier: RunDir, config: Config) -> list[str]:
    """Copy the networks that learned from labels alone, if these are the same."""
    before = load_config(earlier.path / "config.toml")
    changed = [line for line in config.differences(before) if not line.startswith("data.corrections")]
    same = all(_same(run.manifest(split), earlier.manifest(split)) for split in ("labeled", "val", "test"))
    if changed or not same or _changed_files(run, earlier):
        return []
    taken = []
    for network in run_networks(earlier.decided(before), held_out=earlier.held_out):
        stages = [name for name in earlier.records() if name.startswith(f"{network.folder}/")]
        if network.number or f"{network.folder}/evaluate" not in stages or (run.path / network.folder).exists():
            continue
        with atomic.replacing_folder(run.path / network.folder) as into:
            aside = shutil.ignore_patterns("checkpoints", "robustness")
            shutil.copytree(earlier.path / network.folder, into, ignore=aside, dirs_exist_ok=True)
        for stage in stages:
            run.keep_record(stage, earlier.records()[stage])
        taken.append(network.folder)
    return taken


def _same(one: Path, other: Path) -> bool:
    if not (one.exists() and other.exists()):
        return one.exists() == other.exists()
    a, b = Manifest.load(one), Manifest.load(other)
    return a.class_names == b.class_names and bool(a.table.equals(b.table))


def _features(run: RunDir, earlier: RunDir, part_rows: int) -> Iterator[Path]:
    """Copy the features of each split all of whose images were embedded before; the folders that were written."""
    changed = _changed_files(run, earlier)
    there = [
        (split, Manifest.load(earlier.manifest(split)).table) for split in SPLITS if earlier.manifest(split).exists()
    ]
    uris = pa.chunked_array([chunk for _, table in there for chunk in table["uri"].chunks], pa.string())
    ids = pa.chunked_array([chunk for _, table in there for chunk in table["id"].chunks], pa.string())
    of = np.repeat(np.arange(len(there)), [len(table) for _, table in there])
    for folder in sorted((earlier.path / "features").glob("*")):
        for split in [split for split in SPLITS if run.manifest(split).exists()]:
            manifest, into = Manifest.load(run.manifest(split)), run.path / "features" / folder.name / split
            before = pc.fill_null(pc.index_in(manifest.table["uri"], value_set=uris), -1).to_numpy()
            needed = {there[number][0] for number in np.unique(of[before])}
            whole = all((folder / name / "part-00000.parquet").exists() for name in needed)
            if (before < 0).any() or not whole or changed & set(manifest.ids) or into.exists():
                continue
            old = ids.take(pa.array(before)).combine_chunks()
            if _copy(folder, [there[n][0] for n in of[before]], old, manifest, into, part_rows):
                yield into


def _copy(folder: Path, splits: list[str], old: pa.Array, manifest: Manifest, into: Path, part_rows: int) -> bool:
    """Write the features of a manifest's images, of which the earlier table of each is known with the id there; whether all are there."""
    tables = {split: features_table(folder / split) for split in set(splits)}
    at, unread = np.full(len(splits), -1), {}
    of = np.array(splits)
    for split, table in tables.items():
        rows = np.flatnonzero(of == split)
        at[rows] = table.find(old.take(pa.array(rows)))
        for row in rows[at[rows] < 0].tolist():
            unread[row] = table.unread.get(old[row].as_py())
    if None in unread.values():
        return False  # that embedding was not finished
    width = next(iter(tables.values())).width("features")
    for number, start in enumerate(range(0, len(manifest), part_rows)):
        rows = np.arange(start, min(start + part_rows, len(manifest)))
        values, hashes = np.zeros((len(rows), width), np.float16), np.zeros(len(rows), np.uint64)
        for split, table in tables.items():
            here = np.flatnonzero((of[rows] == split) & (at[rows] >= 0))
            values[here], hashes[here] = take(table, at[rows][here])
        ids = manifest.table["id"].take(pa.array(rows)).to_pylist()
        kept = np.flatnonzero(at[rows] >= 0)
        columns = [
            pa.array([ids[row] for row in kept], pa.string()),
            pa.FixedSizeListArray.from_arrays(pa.array(values[kept].ravel()), width),
            pa.array(hashes[kept]),
        ]
        skipped = [Skipped(ids[row - start], "embed", str(unread[row])) for row in rows.tolist() if row in unread]
        part = pa.Table.from_arrays(columns, schema=features_schema(width))
        write_part(into / f"part-{number:05d}.parquet", part, skipped)
    return True


def _changed_files(run: RunDir, earlier: RunDir) -> set[str]:
    """The ids of images with labels that have other contents than they had (`source_changes`)."""
    digests: list[dict[tuple[str, str], bytes]] = []
    for folder in (run, earlier):
        path = folder.path / "data" / "sources.parquet"
        table = pq.read_table(path) if path.exists() else SOURCES.empty_table()
        keys = zip(table["split"].to_pylist(), table["id"].to_pylist(), strict=True)
        digests.append(dict(zip(keys, table["digest"].to_pylist(), strict=True)))
    now, before = digests
    return {key[1] for key, digest in now.items() if key in before and before[key] != digest}
