"""Data sets of the Hugging Face hub, or saved by its `datasets` library in a local folder."""

from __future__ import annotations

import functools
import os
from typing import Any

import pyarrow as pa

from noisystudent.data.labels import plain_labels
from noisystudent.data.listing import Listing
from noisystudent.data.uris import hf_source, hf_uri
from noisystudent.errors import UserError, some
from noisystudent.extras import needing

ADVICE = "choose a data set with a column 'label'"


def list_hf(source: str, split: str) -> Listing:
    """List the images of `hf:owner/name[:split]` or `hf:/local/folder[:split]`.

    Args:
        source: what the user gave.
        split: what the images are wanted for; the split to take when the user names none and there are several.
    """
    name, asked = hf_source(source)
    splits = _splits(name)
    chosen = asked or (next(iter(splits)) if len(splits) == 1 else split)
    if chosen not in splits:
        return Listing(problems=[f"{source} has no split {chosen!r}: name one of {some(splits)} (hf:{name}:SPLIT)"])
    data = splits[chosen]
    if _image_column(data) is None:
        return Listing(problems=[f"{source} has no column of images: it has {some(data.column_names)}"])
    uri = hf_uri(name, chosen) + "#row="
    listing = Listing([f"{chosen}/{row}" for row in range(len(data))], [f"{uri}{row}" for row in range(len(data))])
    listing.advice = ADVICE
    _add_labels(listing, data)
    return listing


def hf_cell(name: str, split: str, row: int) -> dict[str, Any] | None:
    """The image of a row as it is stored: {"bytes": encoded or None, "path": of its file or None}."""
    cell: dict[str, Any] | None = next(iter(_images(name, split)[row].values()))
    return cell


def _add_labels(listing: Listing, data: Any) -> None:
    named = [column for column, feature in data.features.items() if hasattr(feature, "names")]
    column = "label" if "label" in data.column_names else named[0] if len(named) == 1 else None
    if column is None:
        return
    labels = data.select_columns([column]).with_format("arrow")[:][column]
    try:
        listing.labels = plain_labels(labels)
    except pa.ArrowException:
        listing.label_problems.append(f"column {column!r} is {labels.type}: choose a data set with one label an image")
    listing.class_names = tuple(getattr(data.features[column], "names", ()))


def _image_column(data: Any) -> str | None:
    """The first column of images, which Hugging Face marks with its type."""
    return next((name for name, feature in data.features.items() if type(feature).__name__ == "Image"), None)


@functools.lru_cache(maxsize=8)
def _images(name: str, split: str) -> Any:
    """The column of images of one split, as they are stored."""
    import datasets

    data = _splits(name)[split]
    column = _image_column(data)
    return data.select_columns([column]).cast_column(column, datasets.Image(decode=False))


@functools.lru_cache(maxsize=8)
def _splits(name: str) -> dict[str, Any]:
    """Every split of a data set, by name."""
    with needing("hf"):
        import datasets
    try:
        if any(os.path.exists(os.path.join(name, file)) for file in ("dataset_dict.json", "state.json")):
            data = datasets.load_from_disk(name)
        else:
            data = datasets.load_dataset(name)
    except Exception as error:  # the library raises many kinds: no such name, no network, no permission, broken files
        raise UserError(f"hf:{name} cannot be loaded: {' '.join(str(error).split())}") from error
    return dict(data) if isinstance(data, dict) else {str(data.split or "train"): data}
