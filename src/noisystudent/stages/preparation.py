"""The first stage: from image sources to manifests of readable images, split, checked, and measured for normalization."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from noisystudent import atomic, processes
from noisystudent.config import Config
from noisystudent.configuration import missing_sources
from noisystudent.data.copies import copy_groups
from noisystudent.data.corrections import Changes, correct, read_answers
from noisystudent.data.images import ImageSet, Skipped, check_readable, image_set
from noisystudent.data.leaks import held_out_twins
from noisystudent.data.manifest import Manifest
from noisystudent.data.parts import SKIPPED_SCHEMA
from noisystudent.data.sources import read_source
from noisystudent.data.split import draw_fraction, split_validation
from noisystudent.errors import UserError, some
from noisystudent.progress import logger
from noisystudent.rundir import RunDir
from noisystudent.stages.source_changes import check_unchanged, remember_sources

HASHES_SCHEMA = pa.schema([("id", pa.string()), ("uri", pa.string()), ("split", pa.string()), ("dhash", pa.uint64())])
NORMALIZATION_SAMPLE = 5000  # images are enough for a mean and a deviation per channel


AUTO_FRACTION = 0.1
FEWEST_HELD_OUT = 50  # fewer tell an accuracy within 14 points only (1 / sqrt(50)), and cost labels that are few
SOON_ENOUGH = 200  # held-out images from which differences of some points begin to show
SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing", "dev", "eval"})
CLASSES_SHOWN = 20


def prepared(run: RunDir, config: Config) -> dict[str, Any]:
    """What `prepare` recorded, now or when the run began; a run that began is compared with its sources.

    Raises:
        UserError: as `prepare`; the sources have changed since.
    """
    processes.from_first(lambda: _check_unchanged(run, config))
    return run.stage("prepare", lambda: prepare(run, config))


def _check_unchanged(run: RunDir, config: Config) -> None:
    if run.done("prepare"):
        try:
            now = read_sources(config, tar_index(run))
        except UserError as error:
            raise UserError(
                [
                    f"the images of the run in {run.path} are not as they were. Put them back to go on; "
                    f"`noisystudent report {run.path}` shows what was found:",
                    *error.problems,
                ]
            ) from None
        check_unchanged(run, now)


def prepare(run: RunDir, config: Config) -> dict[str, Any]:
    """Read every source, leave out what cannot be read, split validation data off, and write the manifests.

    Returns:
        class_names, counts, mean and std of the labeled images, warnings.

    Raises:
        UserError: naming everything that is wrong with the sources.
    """
    manifests, changes = read_corrected(config, tar_index(run))
    for source, changed in zip(config.data.corrections, changes, strict=True):
        logger.info("%s: %s", source, changed)
    remember_sources(run, manifests)
    skipped: list[Skipped] = []
    hashes: dict[str, pa.Table] = {}
    for split in [s for s in manifests if s != "unlabeled"]:
        manifests[split], unread, hashes[split] = _keep_readable(manifests[split], config)
        skipped += unread
        if split == "labeled":
            _check_skipped(len(manifests[split]), unread, config)
    labeled = manifests["labeled"]
    groups = copy_groups(
        labeled, hashes["labeled"]["dhash"].to_numpy(), config.execution, view=lambda m: as_the_teacher_sees(m, config)
    )
    split_off_validation(manifests, config, groups)
    check_sizes(manifests, config)
    held_out = _held_out_hashes(manifests, hashes)
    warnings = [
        *source_notes(manifests),
        *_copies(labeled, groups),
        *_shared_with_labels(manifests, hashes["labeled"], held_out, config),
        *held_out_warnings(manifests),
    ]
    for line in class_lines(manifests):
        logger.info(line)
    for split, manifest in manifests.items():
        manifest.save(run.manifest(split))
    with atomic.replacing(run.path / "data" / "hashes.parquet") as temporary:
        pq.write_table(held_out, temporary)
    write_skipped(run, "prepare", skipped)
    mean, std = _normalization(as_the_teacher_sees(manifests["labeled"], config))
    return {
        "class_names": list(manifests["labeled"].class_names),
        "images": {split: len(manifest) for split, manifest in manifests.items()},
        "skipped": len(skipped),
        **({"corrections": [changed._asdict() for changed in changes]} if changes else {}),
        "mean": mean,
        "std": std,
        "warnings": warnings,
    }


def as_the_teacher_sees(manifest: Manifest, config: Config) -> ImageSet:
    """The pictures of a manifest in the first teacher's view: in it they are checked, hashed, compared and measured."""
    return image_set(manifest, config.view(config.teacher), config.execution, often=True)


def write_skipped(run: RunDir, stage: str, skipped: list[Skipped]) -> None:
    """Replace what `skipped.parquet` says of a stage; the user is told, unless an earlier labeling skipped the same images."""
    path = run.path / "skipped.parquet"
    rows = pq.read_table(path).to_pylist() if path.exists() else []
    told = {row["id"] for row in rows if row["stage"] == stage}
    rows = [row for row in rows if row["stage"] != stage] + [{**row._asdict(), "stage": stage} for row in skipped]
    with atomic.replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=SKIPPED_SCHEMA), temporary)
    if not told.issuperset(row.id for row in skipped):
        logger.warning("%d images cannot be read and are left out; %s says which and why", len(skipped), path)


def tar_index(run: RunDir) -> Path:
    """Where a run keeps what the tar files of its sources hold."""
    return run.path / "data" / "tars"


def read_sources(config: Config, index: Path | None = None) -> dict[str, Manifest]:
    """All sources, corrected, or all that is wrong with them; `index` as for `read_source`."""
    return read_corrected(config, index)[0]


def read_corrected(config: Config, index: Path | None = None) -> tuple[dict[str, Manifest], list[Changes]]:
    """`read_sources`, and what each table of corrections changed."""
    manifests, data = _as_given(config, index), config.data
    answers, problems = [], list[str]()
    for source in data.corrections:
        try:
            answers.append(read_answers(source))
        except UserError as error:
            problems += [f"--corrections: {problem}" for problem in error.problems]
    if problems:
        raise UserError(problems)
    changes = [correct(manifests, answer) for answer in answers]
    if not config.generations:
        manifests.pop("unlabeled", None)
    if "unlabeled" in manifests and data.unlabeled_fraction < 1:
        manifests["unlabeled"] = draw_fraction(
            manifests["unlabeled"], fraction=data.unlabeled_fraction, seed=config.seed
        )
    return manifests, changes


def _as_given(config: Config, index: Path | None) -> dict[str, Manifest]:
    """The manifests of all sources, in the order of the labeled images' classes."""
    data = config.data
    read = functools.partial(read_source, index=index)
    unlabeled_labels: Literal["optional", "ignored"] = "optional" if data.score_pseudo_labels else "ignored"
    manifests: dict[str, Manifest] = {}
    problems = missing_sources(config)

    def attempt(split: str, manifest: Callable[[], Manifest]) -> None:
        try:
            manifests[split] = manifest()
        except UserError as error:
            problems.extend(f"--{split}: {problem}" for problem in error.problems)

    if data.labeled:
        attempt("labeled", lambda: _not_splits(data.labeled, read(data.labeled, split="train", labels="required")))
    if data.unlabeled and (config.generations or data.corrections):  # which may be about unlabeled images
        attempt("unlabeled", lambda: read(data.unlabeled, split="unlabeled", labels=unlabeled_labels))
    for split, source in (("val", data.val), ("test", data.test)):
        if source:
            attempt(split, functools.partial(read, source, split=split, labels="required"))
    for split in [split for split in manifests if split != "labeled" and "labeled" in manifests]:
        attempt(
            split,
            functools.partial(
                _in_order, manifests[split], manifests["labeled"].class_names, lenient=split == "unlabeled"
            ),
        )
    if problems:
        raise UserError(problems)
    return manifests


def source_notes(manifests: dict[str, Manifest]) -> list[str]:
    """What the user should know of how the sources were read; once, where two splits have one source."""
    return list(dict.fromkeys(note for manifest in manifests.values() for note in manifest.notes))


def split_off_validation(manifests: dict[str, Manifest], config: Config, groups: np.ndarray | None = None) -> None:
    """Move a share of the labeled images to `val`, in place, when no validation images were given; copies stay together."""
    if "val" in manifests:
        return
    wanted = config.data.val_fraction
    fraction = AUTO_FRACTION if wanted == "auto" else wanted
    labeled, val = split_validation(manifests["labeled"], fraction=fraction, seed=config.seed, groups=groups)
    if len(val) >= (FEWEST_HELD_OUT if wanted == "auto" else 1):
        manifests["labeled"], manifests["val"] = labeled, val


def class_counts(manifests: dict[str, Manifest]) -> list[dict[str, Any]]:
    """How many images of each class there are: name, and a count for each split that has labels of its own."""
    names = manifests["labeled"].class_names
    counts = {
        split: np.bincount(manifests[split].labels, minlength=len(names)).tolist()
        for split in ("labeled", "val", "test")
        if split in manifests
    }
    return [
        {"name": name, **{split: count[index] for split, count in counts.items()}} for index, name in enumerate(names)
    ]


def class_lines(manifests: dict[str, Manifest]) -> list[str]:
    """The classes and how many images each has, for the user to see before anything is trained; of many the smallest."""
    counts = sorted(class_counts(manifests), key=lambda row: row["labeled"])
    if len(counts) <= CLASSES_SHOWN:
        counts = class_counts(manifests)
        of = f"{len(counts)} classes"
    else:
        of = f"{len(counts):,} classes, the {CLASSES_SHOWN} smallest of them"
        counts = counts[:CLASSES_SHOWN]
    splits = [split for split in ("labeled", "val", "test") if split in manifests]
    listed = [f"{row['name']!r} {' + '.join(str(row[split]) for split in splits)}" for row in counts]
    return [f"{of}, with the number of {' + '.join(splits)} images: {', '.join(listed)}"]


def held_out_warnings(manifests: dict[str, Manifest]) -> list[str]:
    """What too few held-out images, or none, keep a run from saying."""
    split = next((split for split in ("test", "val") if split in manifests), None)
    if split is None:
        return [
            "no image is held out, so that no accuracy can be measured: give labeled images that are not learned from, with --test or "
            "--val, or hold some of these out with --set data.val_fraction=0.2"
        ]
    n, warnings = len(manifests[split]), []
    if n < SOON_ENOUGH:
        warnings.append(
            f"only {n} images are held out to measure on: differences below about {100 / np.sqrt(n):.0f} points cannot be seen; more "
            "labeled images with --test would tell more"
        )
    missing = [row["name"] for row in class_counts(manifests) if row[split] == 0]
    if missing:
        warnings.append(
            f"of {len(missing)} of {len(manifests[split].class_names)} classes no image is held out, and nothing is measured of them: "
            f"{some(missing)}"
        )
    return warnings


def _not_splits(source: str, manifest: Manifest) -> Manifest:
    """The manifest, unless its classes are train, val and test: a data set's folder was given in place of its training part."""
    names = manifest.class_names
    if all(name.casefold() in SPLITS for name in names):
        part = {kind: next((n for n in names if n.casefold().startswith(kind)), None) for kind in ("tr", "va", "te")}
        options = zip(("--labeled", "--val", "--test"), part.values(), strict=True)
        advice = " ".join(f"{option} {os.path.join(source, name)}" for option, name in options if name)
        raise UserError(
            f"{source}: its classes would be {some(names)}, which are names of splits: give {advice}, or rename the folders, if these are "
            "classes"
        )
    return manifest


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


def _copies(labeled: Manifest, groups: np.ndarray) -> list[str]:
    """Warnings of labeled pictures that are there more than once."""
    members: dict[int, list[int]] = {}
    for row, group in enumerate(groups.tolist()):
        members.setdefault(group, []).append(row)
    copied = [rows for rows in members.values() if len(rows) > 1]
    labels, ids = labeled.labels, labeled.ids
    torn = [rows for rows in copied if len(set(labels[rows].tolist())) > 1]
    warnings = []
    if copied:
        count = sum(len(rows) - 1 for rows in copied)
        warnings.append(
            f"{count:,} labeled images are copies of others, nearly or exactly, such as {some(ids[row] for row in copied[0])}: copies "
            "stay on one side of the validation split"
        )
    if torn:
        warnings.append(
            f"{len(torn):,} pictures are labeled with more than one class, such as {some(ids[row] for row in torn[0])}: one of the labels "
            "is wrong"
        )
    return warnings


def _shared_with_labels(
    manifests: dict[str, Manifest], hashes: pa.Table, held_out: pa.Table, config: Config
) -> list[str]:
    """A picture that is both labeled and in validation or test makes the measured accuracy too good."""
    labeled = manifests["labeled"]
    own = hashes.filter(pc.is_in(hashes["id"], labeled.table["id"]))
    twins = held_out_twins(labeled, own, held_out, config.execution, view=lambda m: as_the_teacher_sees(m, config))
    warnings = []
    for split in [s for s in ("val", "test") if s in manifests]:
        found = twins.filter(pc.equal(twins["split"], split))
        exact = sum(found["exact"].to_pylist())
        if found.num_rows:
            warnings.append(
                f"{found.num_rows:,} labeled images are in --{split} too ({exact:,} identical, {found.num_rows - exact:,} nearly), such as "
                f"{some(found['id'].to_pylist()[:1])}: its accuracy is too good to be true; take them out of one of the two"
            )
    return warnings


def _normalization(images: ImageSet) -> tuple[list[float], list[float]]:
    """Mean and standard deviation per channel of the labeled images, of values in [0, 1]."""
    step = max(len(images) // NORMALIZATION_SAMPLE, 1)
    sample = images.fetch(np.arange(0, len(images), step)).double() / 255
    mean, std = sample.mean(dim=(0, 2, 3)), sample.std(dim=(0, 2, 3)).clamp(min=1e-3)
    return [round(value, 6) for value in mean.tolist()], [round(value, 6) for value in std.tolist()]
