"""A folder of class folders, or a folder of images."""

from __future__ import annotations

import heapq
import os

import pyarrow as pa

from noisystudent.data.listing import Listing, as_text, is_image_name, some
from noisystudent.data.uris import file_uris

ADVICE = "put the images of each class into a folder named after it"


def list_folder(folder: str) -> Listing:
    """List the images below `folder`, sorted by path; the first folder on the way to an image is its class."""
    walk = _Walk(os.path.abspath(folder))
    walk.run()
    found = sorted(walk.found)
    listing = Listing(ids=[as_text(path) for path in found], uris=file_uris(walk.root, found), advice=ADVICE)
    classes = [id.partition("/")[0] if "/" in id else None for id in listing.ids]
    if any(name is not None for name in classes):
        listing.labels = pa.array(classes, pa.string())
    listing.problems = walk.problems
    if empty := sorted(walk.top_folders - set(classes)):
        listing.label_problems = [f"{folder}: no images in {some(empty)}: add images or delete the folder"]
    return listing


class _Walk:
    """One pass over a folder and all below it, each real folder once.

    Links to folders wait until every real folder has been seen. So a link back into the tree lists nothing twice,
    whatever way it goes round, and an image belongs to the folder it lies in, not to a link that sorts before it.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.found: list[str] = []  # paths relative to the root
        self.top_folders: set[str] = set()
        self.problems: list[str] = []
        self._seen: set[tuple[int, int]] = set()  # device and inode of each folder
        self._folders = [""]
        self._links: list[str] = []

    def run(self) -> None:
        while self._folders or self._links:
            relative = self._folders.pop() if self._folders else heapq.heappop(self._links)
            path = os.path.join(self.root, relative)
            try:
                if self._is_new(path):
                    self._list(path, relative)
            except OSError as error:
                self.problems.append(f"{as_text(path)} cannot be listed: {error.strerror}")

    def _is_new(self, path: str) -> bool:
        status = os.stat(path)
        identity = (status.st_dev, status.st_ino)
        is_new = identity not in self._seen
        self._seen.add(identity)
        return is_new

    def _list(self, path: str, relative: str) -> None:
        with os.scandir(path) as entries:
            for entry in entries:
                name = entry.name
                if name.startswith("."):
                    continue
                if _is_folder(entry):
                    self._add_folder(entry, relative)
                elif is_image_name(name) and (entry.is_symlink() or entry.is_file()):
                    # A link that leads nowhere is listed too: its image is reported as missing, not passed over.
                    self.found.append(relative + name)

    def _add_folder(self, entry: os.DirEntry[str], relative: str) -> None:
        is_link = entry.is_symlink()
        if not relative and not (is_link and os.path.samefile(entry.path, self.root)):
            self.top_folders.add(as_text(entry.name))
        if is_link:
            heapq.heappush(self._links, f"{relative}{entry.name}/")
        else:
            self._folders.append(f"{relative}{entry.name}/")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
