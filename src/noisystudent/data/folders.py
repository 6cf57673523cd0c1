"""A folder of class folders, a folder of images, and single image files."""

from __future__ import annotations

import heapq
import os
import stat

import pyarrow as pa
import pyarrow.compute as pc

from noisystudent.data.kinds import HEAD, PassedOver, ending, is_image, is_image_name, is_left_behind
from noisystudent.data.labels import class_name
from noisystudent.data.listing import Listing, as_text, as_texts
from noisystudent.data.uris import file_uris
from noisystudent.errors import some

ADVICE = "put the images of each class into a folder named after it"


def list_folder(folder: str) -> Listing:
    """List the images below `folder`, sorted by path; the first folder on the way to an image is its class."""
    walk = _Walk(os.path.abspath(folder))
    walk.run([""])
    listing = walk.listing(folder)
    if empty := sorted(walk.top_folders - set(listing.labels.unique().to_pylist() if listing.labels else ())):
        listing.label_problems = [f"{folder}: no images in {some(empty)}: add images or delete the folder"]
    return listing


def list_files(root: str, paths: list[str], source: str) -> Listing:
    """List image files, and those in folders, that all lie below `root`; their classes are found as in `list_folder`.

    Args:
        root: the folder that a pattern of paths begins with.
        paths: what the pattern stands for.
        source: how the user wrote it.
    """
    walk = _Walk(os.path.abspath(root))
    folders = []
    for path in paths:
        relative = os.path.relpath(path, walk.root)
        if os.path.isdir(path):
            folders.append(relative + "/")
        else:
            folder, slash, name = relative.rpartition("/")
            walk.add_file(folder + slash, name, path, may_be_special=True)
    walk.run(folders)
    return walk.listing(source)


class _Walk:
    """One pass over a folder and all below it, each real folder once.

    Links to folders wait until every real folder has been seen. So a link back into the tree lists nothing twice,
    whatever way it goes round, and an image belongs to the folder it lies in, not to a link that sorts before it.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.found: dict[str, list[str]] = {}  # the images' names by folder, which is relative to the root
        self.top_folders: set[str] = set()
        self.passed = PassedOver()
        self.problems: list[str] = []
        self._seen: set[tuple[int, int]] = set()  # device and inode of each folder
        self._folders: list[str] = []
        self._links: list[str] = []

    def run(self, folders: list[str]) -> None:
        """Look into folders, paths that are relative to the root and end in "/"; "" is the root."""
        self._folders += folders
        while self._folders or self._links:
            relative = self._folders.pop() if self._folders else heapq.heappop(self._links)
            path = os.path.join(self.root, relative)
            try:
                if self._is_new(path):
                    self._list(path, relative)
            except OSError as error:
                self.problems.append(f"{as_text(path)} cannot be listed: {error.strerror}")

    def add_file(self, folder: str, name: str, path: str, *, may_be_special: bool) -> None:
        """List a file if it is an image, or count its kind; `folder` is "" or ends in "/"."""
        if may_be_special and _is_special(path):
            self.passed.add_special()
        elif is_image_name(name) or (not ending(name) and _begins_as_images_do(path)):
            # A link that leads nowhere is listed too: its image is reported as missing, not passed over.
            self.found.setdefault(folder, []).append(name)
        else:
            self.passed.add(name)

    def listing(self, source: str) -> Listing:
        # What is sorted in parts is nearly sorted, and soon sorted as a whole.
        paths = [folder + name for folder in sorted(self.found) for name in sorted(set(self.found[folder]))]
        paths.sort()
        listing = Listing(ids=as_texts(paths), uris=file_uris(self.root, paths), advice=ADVICE)
        listing.labels = first_folders(listing.ids)
        listing.problems = self.problems
        listing.notes = self.passed.notes(source)
        return listing

    def _is_new(self, path: str) -> bool:
        status = os.stat(path)
        identity = (status.st_dev, status.st_ino)
        is_new = identity not in self._seen
        self._seen.add(identity)
        return is_new

    def _list(self, path: str, relative: str) -> None:
        images: list[str] = []
        with os.scandir(path) as entries:
            for entry in entries:
                name = entry.name
                if is_left_behind(name):
                    continue
                if entry.is_file(follow_symlinks=False) and is_image_name(name):  # nearly all: nothing more is asked
                    images.append(name)
                elif _is_folder(entry):
                    self._add_folder(entry, relative)
                else:
                    self.add_file(relative, name, entry.path, may_be_special=not entry.is_file(follow_symlinks=False))
        if images:
            self.found.setdefault(relative, []).extend(images)

    def _add_folder(self, entry: os.DirEntry[str], relative: str) -> None:
        is_link = entry.is_symlink()
        if not relative and not (is_link and os.path.samefile(entry.path, self.root)):
            self.top_folders.add(class_name(as_text(entry.name)))
        if is_link:
            heapq.heappush(self._links, f"{relative}{entry.name}/")
        else:
            self._folders.append(f"{relative}{entry.name}/")


def first_folders(ids: list[str]) -> pa.Array | None:
    """The class that each path's first folder names, null for one without; None: no path has any."""
    paths = pa.array(ids, pa.string())
    inside = pc.match_substring(paths, "/")
    if not pc.any(inside).as_py():
        return None
    first = pc.list_element(pc.split_pattern(paths, "/", max_splits=1), 0).dictionary_encode()
    classes = pa.array([class_name(name) for name in first.dictionary.to_pylist()], pa.string())
    return pc.if_else(inside, classes.take(first.indices), None)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_special(path: str) -> bool:
    """Whether there is something that is neither a file nor a folder."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _begins_as_images_do(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return is_image(file.read(HEAD))
    except OSError:
        return False
