"""The pictures of a manifest as batches of pixels."""

from __future__ import annotations

import functools
import json
import math
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import torch

from noisystudent.config import Execution
from noisystudent.data.decoding import UnreadableImage, decoded, eval_view, random_resized_view, read_bytes
from noisystudent.data.duplicates import dhash
from noisystudent.data.manifest import Manifest
from noisystudent.data.once_a_machine import once_a_machine
from noisystudent.data.random_crops import Draw, even_area
from noisystudent.data.shards import IN_TURN, Pieces, ShardCache, as_they_lie, pieces_of
from noisystudent.data.uris import inside, path_or_uri
from noisystudent.errors import UserError, changed_since, some
from noisystudent.progress import track

CHUNK = 256  # images between two steps of progress
# The part of the memory for shards in whose reach rows are shuffled. Between two uses of a piece pieces of at most two reaches are used:
# with a third one for the batch that is made, those used last are all that are still needed.
REACH = 3
TASKS_A_WORKER = 4  # a batch is cut finer than there are threads, since pictures differ in size
View = Callable[[str, int], np.ndarray]  # address, position in the batch -> uint8 [size, size, channels]


class Skipped(NamedTuple):
    """An image that cannot be used, the stage that found out, and why."""

    id: str
    stage: str
    reason: str


class RandomCrops(NamedTuple):
    """A random part of each picture of a batch.

    Args:
        seed: of the batch; a part depends on it and on the picture's place in the batch, not on threads.
        scale: smallest and largest share of a picture's area that a part has.
        draw: how it is drawn.
        places: int [n], of the pictures in the batch; None: as they come.
    """

    seed: int
    scale: tuple[float, float] = (0.08, 1.0)
    draw: Draw = even_area
    places: np.ndarray | None = None


Fetched = tuple[torch.Tensor, dict[int, str]]  # pixels, and by their position the reasons of what could not be read


def told_apart(
    manifest: Manifest, rows: np.ndarray, reasons: Mapping[int, str], *, stage: str
) -> tuple[list[str], list[int], list[Skipped]]:
    """Of rows that were fetched, those that could be read, as ids and as positions in `rows`; and the others.

    Example:
        >>> import pyarrow as pa
        >>> from noisystudent.data.manifest import SCHEMA
        >>> table = pa.table({"id": ["a", "b", "c"], "uri": ["", "", ""], "label": [0, 0, 0], "split": ["", "", ""]}, SCHEMA)
        >>> told_apart(Manifest(table), np.array([2, 0]), {0: "truncated"}, stage="label")
        (['a'], [1], [Skipped(id='c', stage='label', reason='truncated')])
    """
    ids: list[str] = manifest.table["id"].take(pa.array(rows)).to_pylist()
    there = [position for position in range(len(rows)) if position not in reasons]
    skipped = [Skipped(ids[position], stage, reason) for position, reason in reasons.items()]
    return [ids[position] for position in there], there, skipped


class Pictures(Protocol):
    """What a classifier can be asked about: a manifest, and the pixels of some of its rows (see `ImageSet.try_fetch`)."""

    @property
    def manifest(self) -> Manifest: ...

    def __len__(self) -> int: ...

    def try_fetch(self, rows: np.ndarray) -> Fetched: ...


class ImageSet:
    """The decoded pictures of a manifest: from memory when they fit, else decoded on demand by threads.

    Args:
        manifest: what to read.
        size: pixels of a side.
        channels: 3 (RGB) or 1 (grey).
        crop_pct: share of the short side that the evaluation crop keeps.
        workers: threads that decode.
        in_memory: decode everything once, at the first fetch, and keep it; processes of a machine keep it together.
        memory: bytes of shards to keep while the rows that `shuffled` gives are fetched.

    Example:
        >>> images = ImageSet(manifest, size=32, channels=3, in_memory=True)  # doctest: +SKIP
        >>> images.fetch(np.arange(64)).shape  # doctest: +SKIP
        torch.Size([64, 3, 32, 32])
    """

    def __init__(
        self,
        manifest: Manifest,
        *,
        size: int,
        channels: int,
        crop_pct: float = 1.0,
        workers: int = 2,
        in_memory: bool,
        memory: int = IN_TURN,
    ) -> None:
        self.manifest = manifest
        self.size = size
        self.channels = channels
        self.crop_pct = crop_pct
        self.in_memory = in_memory
        self._memory = memory
        self._shards = ShardCache()
        self._uris = manifest.table["uri"]
        self._workers = workers
        self._threads = ThreadPoolExecutor(workers, "decode") if workers > 1 else None
        self._lock = threading.Lock()
        self._kept: torch.Tensor | None = None
        self._unreadable: dict[int, str] = {}  # of those kept in memory: row -> reason

    def __len__(self) -> int:
        return len(self.manifest)

    def shuffled(self, rows: np.ndarray, draw: np.random.Generator) -> np.ndarray:
        """Rows in an order of chance in which they are quick to fetch, one part after another.

        Args:
            rows: int [n], row numbers of the manifest; a row may occur more than once.
            draw: where chance comes from.

        Returns:
            int [n]. Any order is as likely as another, unless the set is read from shards that are larger than `memory` allows: then as
            `Pieces.shuffled` has it. It depends on the manifest, the shards, `memory` and `draw` alone.

        Raises:
            UserError: naming the shards that cannot be read.
        """
        reach = self._memory // REACH
        if self._pieces is None or self._pieces.sizes.sum() <= reach:
            return draw.permutation(rows)
        return self._pieces.shuffled(rows, draw, reach=reach)

    @functools.cached_property
    def _pieces(self) -> Pieces | None:
        """Those of the shards from which the set is read time and again; from now on they are kept longer."""
        if self.in_memory:
            return None
        self._shards.limit = max(self._memory, IN_TURN)
        return pieces_of(self._uris)

    def fetch(self, rows: np.ndarray, *, crops: RandomCrops | None = None) -> torch.Tensor:
        """The pictures of some rows.

        Args:
            rows: int [n], row numbers of the manifest; a row may occur more than once.
            crops: give a random part of each picture instead of the evaluation view. Not for an in-memory set, which has no
                whole pictures.

        Returns:
            uint8 [n, channels, size, size].

        Raises:
            UserError: naming the images that cannot be read.
        """
        if crops is None:
            pixels, unreadable = self.try_fetch(rows)
        elif self.in_memory:
            raise ValueError("random crops need in_memory=False")
        else:
            pixels, unreadable = self._decoded(rows, self._random_view(crops))
        if unreadable:
            raise UserError(self._changed(np.asarray(rows)[list(unreadable)], list(unreadable.values())))
        return pixels

    def _changed(self, rows: np.ndarray, reasons: list[str]) -> list[str]:
        """What to tell of rows that could be read when the run began: a sentence for each file, with its images if it may have more."""
        found: dict[tuple[str, str], list[str]] = {}
        table = self.manifest.take(rows).table
        for id, uri, reason in zip(table["id"].to_pylist(), table["uri"].to_pylist(), reasons, strict=True):
            container, place = inside(uri)
            found.setdefault((path_or_uri(container) if place else id, reason), []).append(id)
        return [
            changed_since(name, reason if ids[0] == name else f"{some(dict.fromkeys(ids))}: {reason}")
            for (name, reason), ids in found.items()
        ]

    def try_fetch(self, rows: np.ndarray) -> Fetched:
        """The evaluation views of some rows, and which could not be read.

        Returns:
            uint8 [n, channels, size, size], black where a picture cannot be read; and for each of these its position in
            `rows` with the reason.
        """
        if not self.in_memory:
            return self._decoded(rows, self._eval_view)
        kept = self._load()
        reasons = {i: self._unreadable[row] for i, row in enumerate(rows.tolist()) if row in self._unreadable}
        return kept[torch.from_numpy(np.asarray(rows, dtype=np.int64))], reasons

    def _load(self) -> torch.Tensor:
        with self._lock:
            if self._kept is None:
                shape = (len(self), self.channels, self.size, self.size)
                memory, unreadable = once_a_machine(
                    lambda: json.dumps([*shape, self.crop_pct, *self._uris.to_pylist()]),
                    math.prod(shape),
                    lambda memory: self._fill(memory.view(shape)),
                )
                self._kept, self._unreadable, self._shards = memory.view(shape), dict(unreadable), ShardCache()
            return self._kept

    def _fill(self, kept: torch.Tensor) -> list[tuple[int, str]]:
        """Decode everything; the rows that could not be read, with the reasons."""
        self._shards.limit = max(self._memory, IN_TURN)  # rows of a selection are in the order of their names
        unread: list[tuple[int, str]] = []
        with track("decoding images", len(self)) as advance:
            for rows in _chunks(len(self)):
                pixels, unreadable = self._decoded(rows, self._eval_view)
                kept[rows[0] : rows[-1] + 1] = pixels
                unread += [(int(rows[position]), reason) for position, reason in unreadable.items()]
                advance(len(rows), "")
        return unread

    def _decoded(self, rows: np.ndarray, view: View) -> tuple[torch.Tensor, dict[int, str]]:
        pixels = np.zeros((len(rows), self.channels, self.size, self.size), dtype=np.uint8)
        addresses = self._uris.take(np.asarray(rows, dtype=np.int64))
        uris: list[str] = addresses.to_pylist()
        unreadable: dict[int, str] = {}

        def fill(positions: np.ndarray) -> None:
            for position in positions.tolist():
                try:
                    pixels[position] = view(uris[position], position).transpose(2, 0, 1)
                except UnreadableImage as reason:
                    unreadable[position] = str(reason)

        tasks = np.array_split(as_they_lie(addresses), self._workers * TASKS_A_WORKER if self._threads else 1)
        for _ in (self._threads.map if self._threads else map)(fill, tasks):
            pass
        return torch.from_numpy(pixels), dict(sorted(unreadable.items()))  # not in the order of threads

    def _eval_view(self, uri: str, position: int) -> np.ndarray:
        at_least = math.ceil(self.size / self.crop_pct)
        with decoded(read_bytes(uri, self._shards), channels=self.channels, at_least=at_least) as image:
            return eval_view(image, size=self.size, crop_pct=self.crop_pct)

    def _random_view(self, crops: RandomCrops) -> View:
        # decode() leaves at least twice as many pixels: enough for the smallest part.
        at_least = math.ceil(self.size / (2 * math.sqrt(crops.scale[0])))

        def view(uri: str, position: int) -> np.ndarray:
            place = position if crops.places is None else int(crops.places[position])
            rng = np.random.default_rng((crops.seed, place))
            with decoded(read_bytes(uri, self._shards), channels=self.channels, at_least=at_least) as image:
                return random_resized_view(image, size=self.size, rng=rng, scale=crops.scale, draw=crops.draw)

        return view


class Viewing(Protocol):
    """What says how pictures are shown, such as a classifier's preprocessing or a configuration's `View`."""

    @property
    def image_size(self) -> int: ...

    @property
    def channels(self) -> int: ...

    @property
    def crop_pct(self) -> float: ...


def image_set(
    manifest: Manifest,
    view: Viewing,
    execution: Execution,
    *,
    size: int | None = None,
    crop_pct: float | None = None,
    often: bool = False,
) -> ImageSet:
    """The pictures of a manifest as a network wants them.

    Args:
        manifest: what to read.
        view: how it wants them.
        execution: how many threads decode, and how much memory a set may take.
        size, crop_pct: in place of the view's.
        often: they are asked for again and again, always the same way: keep them in memory when they fit.
    """
    side = size or view.image_size
    return ImageSet(
        manifest,
        size=side,
        channels=view.channels,
        crop_pct=crop_pct or view.crop_pct,
        workers=execution.decoders,
        in_memory=often and len(manifest) * side**2 * view.channels <= execution.memory,
        memory=execution.memory,
    )


def check_readable(
    manifest: Manifest, *, channels: int, size: int, crop_pct: float, workers: int
) -> tuple[np.ndarray, list[Skipped], np.ndarray]:
    """Decode every picture once.

    Returns:
        the rows that can be read, int64 [readable]; the images that cannot; and the dhash of each that can, uint64
        [readable].
    """
    images = ImageSet(manifest, size=size, channels=channels, crop_pct=crop_pct, workers=workers, in_memory=False)
    readable, hashes, skipped = [np.empty(0, np.int64)], [np.empty(0, np.uint64)], []
    with track("checking images", len(manifest)) as advance:
        for rows in _chunks(len(manifest)):
            pixels, unreadable = images.try_fetch(rows)
            good = np.setdiff1d(np.arange(len(rows)), list(unreadable))
            readable.append(rows[good])
            hashes.append(dhash(pixels[torch.from_numpy(good)]))
            ids = manifest.table["id"].slice(int(rows[0]), len(rows)).to_pylist()
            skipped += [Skipped(ids[position], "decode", unreadable[position]) for position in sorted(unreadable)]
            advance(len(rows), f"{len(skipped):,} unreadable" if skipped else "")
    return np.concatenate(readable), skipped, np.concatenate(hashes)


def _chunks(count: int) -> list[np.ndarray]:
    return [np.arange(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
