"""WebDataset shards: tar files in which the members of one image share a name."""

from __future__ import annotations

import json
import os
import tarfile
from typing import IO

import pyarrow as pa

from noisystudent.data.listing import EXTENSIONS, Listing, as_text, short_names
from noisystudent.data.uris import file_uri

ADVICE = 'add to each image a member .cls with its class, or .json with "label"'
Label = int | str | None


def list_tars(paths: list[str]) -> Listing:
    """List the images of tar files from their headers: no image is read. Labels come from `.cls` or `.json` members."""
    listing = Listing(advice=ADVICE)
    labels: list[Label] = []
    for path, short in zip(paths, short_names(paths), strict=True):
        try:
            with tarfile.open(path, "r:") as tar:
                _add_shard(listing, labels, os.path.abspath(path), short, tar)
        except (tarfile.TarError, OSError, EOFError) as error:
            listing.problems.append(f"{as_text(path)} cannot be read as an uncompressed tar file: {error}")
    if any(label is not None for label in labels):
        all_numbers = all(label is None or isinstance(label, int) for label in labels)
        listing.labels = pa.array(
            labels if all_numbers else [None if label is None else str(label) for label in labels],
            pa.int64() if all_numbers else pa.string(),
        )
    return listing


def _add_shard(listing: Listing, labels: list[Label], path: str, short: str, tar: tarfile.TarFile) -> None:
    images: dict[str, tuple[int, str, int, int]] = {}  # stem: extra dots in its ending, ending, offset, size
    found: dict[str, Label] = {}
    for member in tar:
        folder, _, name = member.name.rpartition("/")
        if not member.isfile() or name.startswith("."):
            continue
        start, _, ending = name.lower().partition(".")
        stem = f"{folder}/{name[: len(start)]}" if folder else name[: len(start)]
        if ending.rpartition(".")[2] in EXTENSIONS:
            image = (ending.count("."), ending, member.offset_data, member.size)
            if images.get(stem, (0, ""))[1] == ending:
                listing.problems.append(f"{as_text(path)}: {as_text(member.name)!r} is there twice: keep one")
            images[stem] = min(images.get(stem, image), image)  # a.jpg is the image of a, a.mask.png is not
        elif ending in ("cls", "json") and (ending == "cls" or stem not in found):
            try:
                found[stem] = _label(ending, tar.extractfile(member))
            except ValueError as error:
                listing.label_problems.append(f"{as_text(path)}: {as_text(member.name)!r} holds no label: {error}")
    uri = file_uri(path)
    for stem, (_, _, offset, size) in images.items():
        listing.ids.append(f"{short}:{as_text(stem)}")
        listing.uris.append(f"{uri}#offset={offset}&size={size}")
        labels.append(found.get(stem))


def _label(ending: str, file: IO[bytes] | None) -> Label:
    text = file.read().decode("utf-8").strip() if file else ""
    value = json.loads(text) if ending == "json" else text
    if ending == "json":
        value = value.get("label") if isinstance(value, dict) else None
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is neither a whole number nor a name")
    try:
        return int(value) if str(int(value)) == value else value
    except ValueError:
        return value or None
