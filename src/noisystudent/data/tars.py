"""WebDataset shards: tar files in which the members of one image share a name."""

from __future__ import annotations

import json
import posixpath
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from noisystudent.data import kinds
from noisystudent.data.labels import plain_labels
from noisystudent.data.listing import Listing, as_text, short_names
from noisystudent.data.stored_files import located, opened
from noisystudent.data.tar_contents import SCHEMA, Found, TarContents, indexed
from noisystudent.data.uris import file_uri

TEXT = pa.string()
ADVICE = 'add to each image a member .cls with its class, or .json with "label"'


def list_tars(paths: list[str], source: str, index: Path | None = None) -> Listing:
    """List the images of tar files from their headers: no image is read. Labels come from `.cls` or `.json` members.

    WebDataset takes a name up to its first dot for the key of a sample: of a.jpg and a.mask.png, the image is a.jpg, and the other is left
    out, which is said. A key without such a plain image is none: clip.0001.jpg and clip.0002.jpg are images of their own, whose keys
    reach to the last dot; clip.cls is the class of both, clip.0001.cls that of one.

    Args:
        paths: of the files.
        source: what the user gave.
        index: a folder, in which a file that is as it was is looked up and not read again.
    """
    listing = Listing(advice=ADVICE)
    labels: list[pa.ChunkedArray] = []
    passed, beside, first_beside = kinds.PassedOver(), 0, ""
    for path, short in zip(paths, short_names(paths), strict=True):
        try:
            contents = indexed(located(path), index, _contents)
        except (tarfile.TarError, OSError, EOFError) as error:
            listing.problems.append(f"{as_text(path)} cannot be read as an uncompressed tar file: {error}")
            continue
        images, found = contents.images, contents.found
        listing.ids += pc.binary_join_element_wise(short, images["key"], ":").to_pylist()
        places = [
            file_uri(located(path)),
            "#offset=",
            images["offset"].cast(TEXT),
            "&size=",
            images["size"].cast(TEXT),
        ]
        listing.uris += pc.binary_join_element_wise(*places, "").to_pylist()
        labels.append(images["label"])
        listing.problems += [f"{as_text(path)}: {problem}" for problem in found.problems]
        listing.label_problems += [f"{as_text(path)}: {problem}" for problem in found.label_problems]
        passed.counts.update(found.passed)
        beside, first_beside = beside + found.beside, first_beside or found.first_beside
    if any(column.null_count < len(column) for column in labels):
        listing.labels = plain_labels(pa.chunked_array([chunk for column in labels for chunk in column.chunks], TEXT))
    listing.notes = passed.notes(source)
    if beside:
        listing.notes.append(
            f"{source}: left out, since their samples have another image: {beside:,}, the first {first_beside!r}"
        )
    return listing


class _Member(NamedTuple):
    """An image in a shard: its name, and where its bytes are."""

    name: str
    offset: int
    size: int


def _contents(path: str) -> TarContents:
    images: list[_Member] = []
    labels: dict[str, str | None] = {}
    found = Found()
    passed = kinds.PassedOver()
    with opened(path) as file, tarfile.open(fileobj=file, mode="r:") as tar:
        for member, place in _files(tar):
            name = member.name
            if kinds.is_image_name(name) or (not kinds.ending(name) and _begins_as_images_do(tar, place)):
                images.append(_Member(name, place.offset_data, place.size))
            elif kinds.ending(name) in ("cls", "json"):
                try:
                    _add_label(labels, name, tar.extractfile(place))
                except ValueError as error:
                    found.label_problems.append(f"{as_text(name)!r} holds no label: {error}")
            elif kinds.advice(name):  # captions and the like are a sample's other members, and nothing to speak of
                passed.add(name)
    found.passed = dict(passed.counts)
    found.problems = [
        f"{as_text(name)!r} is there twice: keep one"
        for name, count in Counter(image.name for image in images).items()
        if count > 1
    ]
    chosen = _chosen(images)
    beside = [image.name for image in images if image not in chosen]
    found.beside, found.first_beside = len(beside), as_text(beside[0]) if beside else ""
    keys = [_long_key(image.name) for image in chosen]
    columns = [
        [as_text(key) for key in keys],
        [image.offset for image in chosen],
        [image.size for image in chosen],
        [labels.get(key, labels.get(_first_key(image.name))) for key, image in zip(keys, chosen, strict=True)],
    ]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    return TarContents(pa.Table.from_arrays(arrays, schema=SCHEMA), found)


def _files(tar: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarInfo]]:
    """The members that are files, and the member that has the bytes of each: of a link, the earlier one that it names."""
    seen: dict[str, tarfile.TarInfo] = {}
    for member in tar:
        place = member
        if member.islnk() or member.issym():
            near = posixpath.dirname(member.name) if member.issym() else ""
            place = seen.get(posixpath.normpath(posixpath.join(near, member.linkname)), member)
        if not place.isreg() or place.issparse():
            continue
        seen[posixpath.normpath(member.name)] = place
        if not any(kinds.is_left_behind(part) for part in member.name.split("/")):
            yield member, place


def _chosen(images: list[_Member]) -> dict[_Member, None]:
    """The images that are an own sample each, in the order of the shard."""
    plain: dict[str, str] = {}  # key: the name of its image, the first by name
    for name in sorted(image.name for image in images):
        if "." not in _long_key(name).rpartition("/")[2]:
            plain.setdefault(_long_key(name), name)
    return dict.fromkeys(image for image in images if plain.get(_first_key(image.name), image.name) == image.name)


def _long_key(name: str) -> str:
    """A member's name up to its last dot, if an ending follows it."""
    return name.rpartition(".")[0] if kinds.ending(name) else name


def _first_key(name: str) -> str:
    """A member's name up to its first dot, as WebDataset has it."""
    folder, slash, last = name.rpartition("/")
    return folder + slash + last.partition(".")[0]


def _begins_as_images_do(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bool:
    file = tar.extractfile(member)
    return file is not None and kinds.is_image(file.read(kinds.HEAD))


def _add_label(found: dict[str, str | None], name: str, file: IO[bytes] | None) -> None:
    """Read the label of a sample; one in a .cls member wins over one in .json."""
    key, _, ending = name.rpartition(".")
    text = file.read().decode("utf-8").strip() if file else ""
    if ending.lower() == "cls":
        found[key] = text or None
        return
    content = json.loads(text)
    value = content.get("label") if isinstance(content, dict) else None
    if isinstance(value, bool) or not isinstance(value, str | int | float | None) or value != value:
        raise ValueError(f"{value!r} is neither a whole number nor a name")
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(f"{value!r} is neither a whole number nor a name")
    if value is not None:
        found.setdefault(key, str(value))
