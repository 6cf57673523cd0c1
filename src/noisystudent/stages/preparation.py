"""The first stage: from image sources to manifests of readable images, split, checked, and measured for normalization."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from noisystudent import atomic
from noisystudent.config import Config, Training
from noisystudent.configuration import missing_sources
from noisystudent.data.images import ImageSet, Skipped, check_readable, fits_in_memory
from noisystudent.data.manifest import Manifest
from noisystudent.data.sources import read_source
from noisystudent.data.split import draw_fraction, split_validation
from noisystudent.errors import UserError
from noisystudent.progress import logger
from noisystudent.pseudo.label import SKIPPED_SCHEMA
from noisystudent.rundir import RunDir

HASHES_SCHEMA = pa.schema([("id", pa.string()), ("uri", pa.string()), ("split", pa.string()), ("dhash", pa.uint64())])
NORMALIZATION_SAMPLE = 5000  # images are enough for a mean and a deviation per channel


def prepare(run: RunDir, config: Config) -> dict[str, Any]:
    """Read every source, leave out what cannot be read, split validation data off, and write the manifests.

    Returns:
        class_names, counts, mean and std of the labeled images, warnings.

    Raises:
        UserError: naming everything that is wrong with the sources.
    """
    manifests = read_sources(config)
    skipped: list[Skipped] = []
    hashes: dict[str, pa.Table] = {}
    for split in [s for s in manifests if s != "unlabeled"]:
        manifests[split], unread, hashes[split] = _keep_readable(manifests[split], config)
        skipped += unread
        if split == "labeled":
            _check_skipped(len(manifests[split]), unread, config)
    split_off_validation(manifests, config)
    check_sizes(manifests, config)
    warnings = source_notes(manifests) + _shared_with_labels(manifests)
    for split, manifest in manifests.items():
        manifest.save(run.manifest(split))
    with atomic.replacing(run.path / "data" / "hashes.parquet") as temporary:
        pq.write_table(_held_out_hashes(manifests, hashes), temporary)
    write_skipped(run, "prepare", skipped)
    mean, std = _normalization(image_set(manifests["labeled"], config.teacher, config))
    return {
        "class_names": list(manifests["labeled"].class_names),
        "images": {split: len(manifest) for split, manifest in manifests.items()},
        "skipped": len(skipped),
        "mean": mean,
        "std": std,
        "warnings": warnings,
    }


def image_set(manifest: Manifest, training: Training, config: Config, *, for_training: bool = False) -> ImageSet:
    """The pictures of a manifest as a network wants them; held in memory when they fit and are always cropped the same way."""
    random_crops = for_training and training.noise.shows_parts
    size, crop_pct = (training.image_size, training.crop_pct) if for_training else training.view
    return ImageSet(
        manifest,
        size=size,
        channels=config.data.channels,
        crop_pct=crop_pct,
        workers=config.execution.decoders,
        in_memory=not random_crops and fits_in_memory(len(manifest), size, config.data.channels),
    )


def write_skipped(run: RunDir, stage: str, skipped: list[Skipped]) -> None:
    """Replace what `skipped.parquet` says of a stage."""
    path = run.path / "skipped.parquet"
    rows = pq.read_table(path).to_pylist() if path.exists() else []
    rows = [row for row in rows if row["stage"] != stage] + [{**row._asdict(), "stage": stage} for row in skipped]
    with atomic.replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=SKIPPED_SCHEMA), temporary)
    if skipped:
        logger.warning("%d images cannot be read and are left out; %s says which and why", len(skipped), path)


def read_sources(config: Config) -> dict[str, Manifest]:
    """All sources, or all that is wrong with them."""
    data = config.data
    unlabeled_labels: Literal["optional", "ignored"] = "optional" if data.score_pseudo_labels else "ignored"
    manifests: dict[str, Manifest] = {}
    problems = missing_sources(config)

    def attempt(split: str, read: Callable[[], Manifest]) -> None:
        try:
            manifests[split] = read()
        except UserError as error:
            problems.extend(f"--{split}: {problem}" for problem in error.problems)

    if data.labeled:
        attempt("labeled", lambda: read_source(data.labeled, split="train", labels="required"))
    if data.unlabeled and config.generations:
        attempt("unlabeled", lambda: read_source(data.unlabeled, split="unlabeled", labels=unlabeled_labels))
    for split, source in (("val", data.val), ("test", data.test)):
        if source:
            attempt(split, functools.partial(read_source, source, split=split, labels="required"))
    for split in [split for split in manifests if split != "labeled" and "labeled" in manifests]:
        attempt(
            split,
            functools.partial(
                _in_order, manifests[split], manifests["labeled"].class_names, lenient=split == "unlabeled"
            ),
        )
    if problems:
        raise UserError(problems)
    if "unlabeled" in manifests and data.unlabeled_fraction < 1:
        manifests["unlabeled"] = draw_fraction(
            manifests["unlabeled"], fraction=data.unlabeled_fraction, seed=config.seed
        )
    return manifests


def source_notes(manifests: dict[str, Manifest]) -> list[str]:
    """What the user should know of how the sources were read; once, where two splits have one source."""
    return list(dict.fromkeys(note for manifest in manifests.values() for note in manifest.notes))


def split_off_validation(manifests: dict[str, Manifest], config: Config) -> None:
    """Move a share of the labeled images to `val`, in place, when no validation images were given."""
    if "val" not in manifests:
        manifests["labeled"], val = split_validation(
            manifests["labeled"], fraction=config.data.val_fraction, seed=config.seed
        )
        if len(val):
            manifests["val"] = val


def _in_order(manifest: Manifest, names: tuple[str, ...], *, lenient: bool) -> Manifest:
    """The manifest with its labels as indices of `names`; when `lenient`, images of other classes lose their label."""
    unknown = [name for name in manifest.class_names if name not in names]
    if unknown and not lenient:
        raise UserError(
            f"has classes that the labeled images do not have: {', '.join(map(repr, unknown[:10]))}; "
            f"those have {', '.join(map(repr, names[:10]))}"
        )
    indices = np.array(
        [names.index(name) if name in names else -1 for name in manifest.class_names] + [-1], dtype=np.int32
    )
    labels = indices[manifest.labels]
    column = pa.array(labels, pa.int32(), mask=labels < 0)
    return replace(manifest, table=manifest.table.set_column(2, "label", column), class_names=names)


def _keep_readable(manifest: Manifest, config: Config) -> tuple[Manifest, list[Skipped], pa.Table]:
    """The images that can be read, those that cannot, and the perceptual hashes of the former."""
    size, crop_pct = config.teacher.view
    rows, skipped, hashes = check_readable(
        manifest,
        channels=config.data.channels,
        size=size,
        crop_pct=crop_pct,
        workers=config.execution.decoders,
    )
    kept = manifest.take(rows)
    return kept, skipped, pa.table({"id": kept.table["id"], "dhash": hashes})


def _held_out_hashes(manifests: dict[str, Manifest], hashes: dict[str, pa.Table]) -> pa.Table:
    """id, uri, split and dhash of the validation and test images; validation images may have been split off the labeled ones."""
    parts = []
    for split in [split for split in ("val", "test") if split in manifests]:
        manifest, hashed = manifests[split].table, hashes.get(split, hashes["labeled"])
        hash_of = dict(zip(hashed["id"].to_pylist(), hashed["dhash"].to_pylist(), strict=True))
        found = pa.array([hash_of[id] for id in manifest["id"].to_pylist()], pa.uint64())
        names = pa.array([split] * len(manifest), pa.string())
        parts.append(pa.Table.from_arrays([manifest["id"], manifest["uri"], names, found], schema=HASHES_SCHEMA))
    return pa.concat_tables(parts) if parts else HASHES_SCHEMA.empty_table()


def _check_skipped(readable: int, unread: list[Skipped], config: Config) -> None:
    share = len(unread) / (readable + len(unread))
    if share > config.data.max_skipped:
        first = "; ".join(f"{row.id!r}: {row.reason}" for row in unread[:5])
        raise UserError(
            f"--labeled: {len(unread)} of {readable + len(unread)} images cannot be read ({100 * share:.1f} %), more than "
            f"data.max_skipped = {100 * config.data.max_skipped:g} %: {first}. Mend or delete them, or allow more"
        )


def check_sizes(manifests: dict[str, Manifest], config: Config) -> None:
    problems = [f"--{split}: no image of it can be read" for split, manifest in manifests.items() if len(manifest) == 0]
    counts = np.bincount(manifests["labeled"].labels, minlength=len(manifests["labeled"].class_names))
    empty = [name for name, count in zip(manifests["labeled"].class_names, counts, strict=True) if count == 0]
    if empty:
        problems.append(f"--labeled: no readable image is left of {', '.join(map(repr, empty))}")
    if "val" in manifests and len(manifests["val"]) > len(manifests["labeled"]):
        problems.append(
            f"--val has {len(manifests['val'])} labels and the training part of --labeled {len(manifests['labeled'])}: "
            "training needs the larger part; swap them, move some, or lower data.val_fraction"
        )
    if problems:
        raise UserError(problems)


def _shared_with_labels(manifests: dict[str, Manifest]) -> list[str]:
    """A file that is both labeled and in validation or test makes the measured accuracy too good."""
    labeled = set(manifests["labeled"].table["uri"].to_pylist())
    warnings = []
    for split in [s for s in ("val", "test") if s in manifests]:
        shared = sum(uri in labeled for uri in manifests[split].table["uri"].to_pylist())
        if shared:
            warnings.append(
                f"{shared} images of --{split} are labeled training images too: its accuracy is too good to be true"
            )
    return warnings


def _normalization(images: ImageSet) -> tuple[list[float], list[float]]:
    """Mean and standard deviation per channel of the labeled images, of values in [0, 1]."""
    step = max(len(images) // NORMALIZATION_SAMPLE, 1)
    sample = images.fetch(np.arange(0, len(images), step)).double() / 255
    mean, std = sample.mean(dim=(0, 2, 3)), sample.std(dim=(0, 2, 3)).clamp(min=1e-3)
    return [round(value, 6) for value in mean.tolist()], [round(value, 6) for value in std.tolist()]
