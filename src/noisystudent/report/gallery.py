"""Some pseudo-labels with their images: those the teacher was surest of, least sure of, and changed its mind about."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from noisystudent.data.decoding import decode, read_bytes
from noisystudent.report.predictions import opened
from noisystudent.report.pseudo_labels import predicted_files
from noisystudent.report.run_reader import Run

EACH = 12
SIDE = 128  # pixels of a thumbnail's longer side
PIXEL_ART = 48  # an image this small is shown with sharp pixels

# One of each class before a second of any: else the surest are all of the easiest class.
SURE = """
    SELECT id, uri, last.label, confidence, manifest.label, NULL, NULL FROM last JOIN manifest USING (id)
    ORDER BY row_number() OVER (PARTITION BY last.label ORDER BY confidence DESC, id), confidence DESC, id LIMIT $each
"""
UNSURE = """
    SELECT id, uri, last.label, confidence, manifest.label, NULL, NULL FROM last JOIN manifest USING (id)
    ORDER BY confidence, id LIMIT $each
"""
CHANGED = """
    SELECT id, uri, last.label, last.confidence, manifest.label, first.label, first.confidence
    FROM last JOIN first USING (id) JOIN manifest USING (id) WHERE first.label <> last.label
    ORDER BY last.confidence DESC, id LIMIT $each
"""
CHANGES = """
    SELECT count(*), count(*) FILTER (first.label = manifest.label), count(*) FILTER (last.label = manifest.label),
        count(manifest.label)
    FROM last JOIN first USING (id) JOIN manifest USING (id) WHERE first.label <> last.label
"""


@dataclass(frozen=True)
class Thumbnail:
    """A small picture as a data URI; or why there is none.

    Attributes:
        uri: `data:image/...`, or "" when the image cannot be shown.
        pixelated: whether it is so small that its pixels are to be seen.
        problem: why it cannot be shown.
    """

    uri: str = ""
    pixelated: bool = False
    problem: str = ""


@dataclass(frozen=True)
class Picture:
    """An unlabeled image with its pseudo-label; `before` is the first generation's, as (class, confidence)."""

    id: str
    thumbnail: Thumbnail
    predicted: str
    confidence: float
    truth: str | None
    before: tuple[str, float] | None


@dataclass(frozen=True)
class Changes:
    """The images whose pseudo-label differs between the first and the last generation.

    Attributes:
        pictures: at most `EACH` of them.
        images: how many there are.
        right_before, right_after: how many of them were and are right, where that is known.
        known: of how many the true class is known.
    """

    pictures: list[Picture]
    images: int
    right_before: int
    right_after: int
    known: int


@dataclass(frozen=True)
class Gallery:
    """The pictures of the report.

    Attributes:
        generation: whose pseudo-labels are shown: the last student's.
        sure, unsure: at most `EACH` pictures each.
        changes: None when there is one generation only.
    """

    generation: int
    sure: list[Picture]
    unsure: list[Picture]
    changes: Changes | None

    @property
    def known(self) -> bool:
        """Whether the true class of any picture is known."""
        return any(picture.truth is not None for picture in [*self.sure, *self.unsure])


def read_gallery(run: Run) -> Gallery | None:
    """Choose the pictures, the same ones each time; None when there are no predictions."""
    manifest = run.folder.manifest("unlabeled")
    numbers = [n for n in range(1, len(run.config.generations) + 1) if predicted_files(run, n)]
    if not numbers or not manifest.exists() or not run.class_names:
        return None
    files = {"last": predicted_files(run, numbers[-1]), "first": predicted_files(run, numbers[0])}
    with opened(**files, manifest=[manifest]) as database:

        def pictures(query: str) -> list[Picture]:
            rows = database.execute(query, {"each": EACH}).fetchall()
            return [_picture(row, run.class_names, run.config.data.channels) for row in rows]

        changes = None
        if len(numbers) > 1:
            counts = database.execute(CHANGES).fetchone()
            assert counts is not None
            changes = Changes(pictures(CHANGED), *counts)
        return Gallery(numbers[-1], pictures(SURE), pictures(UNSURE), changes)


def thumbnail(uri: str, *, channels: int, side: int = SIDE) -> Thumbnail:
    """A small picture of the image at an address; never fails.

    Args:
        uri: of the image (see `noisystudent.data.uris`).
        channels: 1 for grey, 3 for color.
        side: pixels of its longer side, at most.

    Example:
        >>> thumbnail("file:///nowhere.png", channels=3).problem
        'missing file'
    """
    try:
        return as_thumbnail(decode(read_bytes(uri), channels=channels, at_least=side), side=side)
    except Exception as error:  # the source may be anywhere, and a report must not fail for a picture
        return Thumbnail(problem=str(error) or type(error).__name__)


def as_thumbnail(image: Image.Image, *, side: int = SIDE) -> Thumbnail:
    """A small picture of an image; it is used up."""
    tiny = max(image.size) <= PIXEL_ART
    image.thumbnail((side, side))
    file = io.BytesIO()
    image.save(file, "PNG") if tiny else image.save(file, "JPEG", quality=80)
    data = base64.b64encode(file.getvalue()).decode("ascii")
    return Thumbnail(f"data:image/{'png' if tiny else 'jpeg'};base64,{data}", tiny)


def _picture(row: tuple[Any, ...], names: Sequence[str], channels: int) -> Picture:
    id, uri, label, confidence, truth, before, before_confidence = row
    return Picture(
        id=id,
        thumbnail=thumbnail(uri, channels=channels),
        predicted=names[label],
        confidence=confidence,
        truth=None if truth is None else names[truth],
        before=None if before is None else (names[before], before_confidence),
    )
