"""Image sources of every kind, read into one manifest."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from noisystudent.addresses import scheme
from noisystudent.data.folders import list_files, list_folder
from noisystudent.data.huggingface import list_hf
from noisystudent.data.kinds import READ, advice, ending, is_image_name
from noisystudent.data.labels import twins
from noisystudent.data.listing import Listing, short_names
from noisystudent.data.manifest import SCHEMA, UNKNOWN, Manifest
from noisystudent.data.patterns import KINDS, absent, absent_of, expanded, fixed_folder
from noisystudent.data.tables import list_csv, list_parquet
from noisystudent.data.tars import list_tars
from noisystudent.errors import UserError, some


def read_source(
    source: str | Path,
    *,
    split: str,
    labels: Literal["required", "optional", "ignored"],
    index: Path | None = None,
) -> Manifest:
    """List the images of a source. No image is decoded; whether a file is there is found out when it is read.

    Args:
        source: one of
            a folder of class folders, or of images in any folders below it (links are followed; hidden names, and what systems leave
            beside pictures, such as `__MACOSX`, are not looked at);
            an image file, or a pattern of files and folders such as `photos/2024-*/*.jpg`;
            `table.csv` or `table.parquet` with `path` (relative to the table, absolute, with `~`, or a `file://` address) or, in Parquet,
            `image` (encoded bytes, or a struct with `bytes`; it wins over `path`), and optionally `label` (a whole number or a name;
            -1: none) and `id`;
            a folder of Parquet files, or a pattern such as `dir/train-*.parquet`;
            a WebDataset tar file or a pattern such as `shards/{000..099}.tar`;
            tar or Parquet files by an address that fsspec reads, such as `s3://bucket/shards/{000..099}.tar`;
            `hf:owner/name[:split]` or `hf:/local/folder[:split]`.
            `~` at its beginning is the user's home folder.
        split: what goes into the manifest's column `split`.
        labels: "required": each image must have one, and there must be two classes or more; "optional": taken where
            there are any; "ignored": not read.
        index: a folder in which to keep what tar files hold, so that one that is as it was is not read again.

    Returns:
        The manifest, in an order that depends on nothing but the source. Classes are sorted by name (by value if they
        are numbers), unless the source names them in an order of its own. Its `notes` say what was left out.

    Raises:
        UserError: naming everything that is wrong with the source.

    Example:
        >>> read_source("photos/labeled", split="train", labels="required").class_names  # doctest: +SKIP
        ('cat', 'dog')
    """
    source = os.fspath(source)
    listing = _list(source, split, index)
    problems = listing.problems
    if not problems and not listing.ids:
        problems.append(f"{source}: no images there ({READ}): give another source")
        problems += listing.notes
    problems += _id_problems(source, listing.ids)
    if labels == "ignored":
        listing.labels = None
    numbers, class_names = _numbered(source, listing)
    if labels == "required":
        problems += listing.label_problems
        if listing.ids and not listing.label_problems:
            problems += _label_problems(source, listing, numbers)
        elif listing.label_problems:
            problems += listing.notes
    if problems:
        raise UserError(problems)
    columns = [pa.array(listing.ids, pa.string()), pa.array(listing.uris, pa.string()), numbers]
    table = pa.table([*columns, pa.repeat(split, len(listing.ids))], schema=SCHEMA)
    return Manifest(table, class_names, (*listing.notes, *_twin_notes(source, class_names)))


def read_sources(sources: Sequence[str | Path], *, split: str) -> Manifest:
    """The images of one source or of several, in the order given, without labels; see `read_source`.

    Of several, an id begins with the name of its source, as short as their shared folder allows.

    Raises:
        UserError: naming everything that is wrong with any of them.
    """
    if len(sources) == 1:
        return read_source(sources[0], split=split, labels="ignored")
    if not sources:
        raise UserError("no images were named: give files, folders, tables or shards")
    if problem := absent_of(sources):
        raise UserError(problem)
    written = [os.fspath(source) for source in sources]
    found, problems = list[Manifest](), list[str]()
    for source in written:
        try:
            found.append(read_source(source, split=split, labels="ignored"))
        except UserError as error:
            problems += error.problems
    if problems:
        raise UserError(problems)
    named = zip(written, _names_of_sources(written), found, strict=True)
    ids = [_id_among(source, name, id) for source, name, manifest in named for id in manifest.ids]
    if problems := _id_problems(f"{len(sources):,} sources", ids):
        raise UserError(problems)
    table = pa.concat_tables([manifest.table for manifest in found]).set_column(0, "id", pa.array(ids, pa.string()))
    return Manifest(table.combine_chunks(), notes=tuple(note for manifest in found for note in manifest.notes))


def _id_among(source: str, name: str, id: str) -> str:
    """The id of an image of one source among several; those of files and shards begin with the file's name already."""
    own = os.path.basename(name)
    if id.startswith(own) and not os.path.isdir(os.path.expanduser(source)):
        return name + id.removeprefix(own)
    return f"{name}/{id}"


def _names_of_sources(sources: list[str]) -> list[str]:
    """Paths relative to the folder that they share, and addresses as they are."""
    elsewhere = [source.startswith("hf:") or bool(scheme(source)) for source in sources]
    paths = [os.path.abspath(os.path.expanduser(source)) for source in sources]
    here = iter(short_names([path for path, away in zip(paths, elsewhere, strict=True) if not away]))
    return [source if away else next(here) for source, away in zip(sources, elsewhere, strict=True)]


def _list(source: str, split: str, index: Path | None) -> Listing:
    if source.startswith("hf:"):
        return list_hf(source, split)
    if scheme(source):
        return _list_address(source, index)
    path = os.path.expanduser(source)
    if os.path.isdir(path):
        tables = sorted(glob.glob(os.path.join(glob.escape(path), "*.parquet")))
        return list_parquet(tables) if tables else list_folder(path)
    if problem := absent(source):
        return Listing(problems=[problem])
    paths = expanded(path)
    special = [path for path in paths if not (os.path.isfile(path) or os.path.isdir(path))]
    if special and (len(paths) == 1 or ending(path) in ("parquet", "tar")):  # among image files they are passed over
        return Listing(problems=[f"{some(special)} is a pipe, a socket or a device: give {KINDS}"])
    match os.path.splitext(path)[1].lower():
        case ".csv" if len(paths) == 1:
            return list_csv(paths[0])
        case ".parquet":
            return list_parquet(paths)
        case ".tar":
            return list_tars(paths, source, index)
    if paths == [path] and ending(path) and not is_image_name(path):
        hint = f" ({advice(path)})" if advice(path) else ""
        return Listing(problems=[f"{source} is no image source{hint}: give {KINDS}"])
    return list_files(fixed_folder(path) if paths != [path] else os.path.dirname(path), paths, source)


def _list_address(source: str, index: Path | None) -> Listing:
    """Of shards on another machine; of whatever else `absent` says what is wrong with it."""
    if problem := absent(source):
        return Listing(problems=[problem])
    paths = expanded(source)
    return list_parquet(paths) if ending(source) == "parquet" else list_tars(paths, source, index)


def _twin_notes(source: str, class_names: tuple[str, ...]) -> list[str]:
    return [
        f"{source}: the classes {' and '.join(map(repr, alike))} are told apart, though their names differ in capitals, spaces or"
        " hyphens alone: give them one name if they are one class"
        for alike in twins(class_names)
    ]


def _id_problems(source: str, ids: list[str]) -> list[str]:
    if len(set(ids)) == len(ids) and None not in ids:
        return []
    twice = [str(id) for id, count in Counter(ids).items() if count > 1 or id is None]
    return [f"{source}: {len(twice):,} ids occur more than once or are empty: {some(twice)}: each image needs its own"]


def _numbered(source: str, listing: Listing) -> tuple[pa.Array, tuple[str, ...]]:
    """Labels as int32, and the name of each number."""
    labels = listing.labels
    if labels is None:
        return pa.nulls(len(listing.ids), pa.int32()), ()
    none = "" if pa.types.is_string(labels.type) else UNKNOWN  # -1 is how Hugging Face and others write "no label"
    labels = pc.if_else(pc.equal(labels, none), None, labels)
    values = sorted(pc.unique(labels.drop_null()).to_pylist())
    if pa.types.is_string(labels.type) or not listing.class_names:
        names = tuple(str(value) for value in values)
        return _flat(pc.index_in(labels, pa.array(values, labels.type))), names
    if outside := [str(value) for value in values if not 0 <= value < len(listing.class_names)]:
        count = len(listing.class_names)
        listing.problems.append(f"{source}: there are {count} class names, but labels {some(outside)}")
        return pa.nulls(len(listing.ids), pa.int32()), ()
    return _flat(labels.cast(pa.int32())), listing.class_names


def _flat(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _label_problems(source: str, listing: Listing, numbers: pa.Array) -> list[str]:
    """What is wrong with the labels of a source that must have them."""
    if numbers.null_count == len(numbers):
        return [f"{source}: no image has a label: {listing.advice}"]
    problems = []
    if numbers.null_count:
        rows = np.flatnonzero(numbers.is_null().to_numpy(zero_copy_only=False))
        problems.append(
            f"{source}: {len(rows):,} of {len(numbers):,} images have no label (the first in row {rows[0] + 1:,}):"
            f" {some(listing.ids[row] for row in rows)}: {listing.advice}, or take these images out"
        )
    classes = pc.unique(numbers.drop_null())
    if len(classes) < 2:
        problems.append(f"{source}: all images are of one class: a classifier needs two or more")
    return problems
