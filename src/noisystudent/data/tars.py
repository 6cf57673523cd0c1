"""WebDataset shards: tar files in which the members of one image share a name."""

from __future__ import annotations

import json
import os
import posixpath
import tarfile
from collections import Counter
from collections.abc import Iterator
from typing import IO, NamedTuple

import pyarrow as pa

from noisystudent.data import kinds
from noisystudent.data.labels import plain_labels
from noisystudent.data.listing import Listing, as_text, short_names
from noisystudent.data.uris import file_uri

ADVICE = 'add to each image a member .cls with its class, or .json with "label"'


def list_tars(paths: list[str], source: str) -> Listing:
    """List the images of tar files from their headers: no image is read. Labels come from `.cls` or `.json` members.

    WebDataset takes a name up to its first dot for the key of a sample: of a.jpg and a.mask.png, the image is a.jpg, and the other is left
    out, which is said. A key without such a plain image is none: clip.0001.jpg and clip.0002.jpg are images of their own, whose keys
    reach to the last dot; clip.cls is the class of both, clip.0001.cls that of one.
    """
    listing = Listing(advice=ADVICE)
    shards = _Shards(listing)
    for path, short in zip(paths, short_names(paths), strict=True):
        try:
            with tarfile.open(path, "r:") as tar:
                shards.add(os.path.abspath(path), short, tar)
        except (tarfile.TarError, OSError, EOFError) as error:
            listing.problems.append(f"{as_text(path)} cannot be read as an uncompressed tar file: {error}")
    shards.finish(source)
    return listing


class _Member(NamedTuple):
    """An image in a shard: its name, and where its bytes are."""

    name: str
    offset: int
    size: int


class _Shards:
    """What is known of a listing's shards, one after the other."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._labels: list[str | None] = []
        self._passed = kinds.PassedOver()
        self._beside: list[str] = []  # images of samples that have another one

    def add(self, path: str, short: str, tar: tarfile.TarFile) -> None:
        images: list[_Member] = []
        found: dict[str, str | None] = {}
        for member, place in _files(tar):
            name = member.name
            if kinds.is_image_name(name) or (not kinds.ending(name) and _begins_as_images_do(tar, place)):
                images.append(_Member(name, place.offset_data, place.size))
            elif kinds.ending(name) in ("cls", "json"):
                try:
                    _add_label(found, name, tar.extractfile(place))
                except ValueError as error:
                    problem = f"{as_text(path)}: {as_text(name)!r} holds no label: {error}"
                    self._listing.label_problems.append(problem)
            elif kinds.advice(name):  # captions and the like are a sample's other members, and nothing to speak of
                self._passed.add(name)
        self._listing.problems += [
            f"{as_text(path)}: {as_text(name)!r} is there twice: keep one"
            for name, count in Counter(image.name for image in images).items()
            if count > 1
        ]
        chosen = _chosen(images)
        self._beside += [image.name for image in images if image not in chosen]
        uri = file_uri(path)
        for image in chosen:
            key = _long_key(image.name)
            self._listing.ids.append(f"{short}:{as_text(key)}")
            self._listing.uris.append(f"{uri}#offset={image.offset}&size={image.size}")
            self._labels.append(found.get(key, found.get(_first_key(image.name))))

    def finish(self, source: str) -> None:
        """Put what holds for all shards together into the listing."""
        if any(label is not None for label in self._labels):
            self._listing.labels = plain_labels(pa.array(self._labels, pa.string()))
        self._listing.notes = self._passed.notes(source)
        if self._beside:
            count, first = len(self._beside), as_text(self._beside[0])
            self._listing.notes.append(
                f"{source}: left out, since their samples have another image: {count:,}, the first {first!r}"
            )


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
