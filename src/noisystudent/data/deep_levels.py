"""Pictures of more than 8 bits a sample, brought to 0..255. Pillow's own conversion clips grey values instead.

What white is depends on the file: of whole numbers, the largest that the fewest of 8, 10, 12 or 16 bits hold in which both the brightest
value and the one that the file names as its largest fit, since cameras and scanners store 10 or 12 bits in files of 16; of floats
that stay below, 1 or 255. Where values leave these ranges, the darkest is black and the brightest white.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageFile

BAND = 2**20  # pixels that are scaled at a time, so that no copy of the whole in a wider type is made
DEPTHS = (8, 10, 12, 16)
_BITS, _WHITE_IS_ZERO, _MOST = 258, 262, 281  # TIFF: BitsPerSample, PhotometricInterpretation, MaxSampleValue


class NotFinite(ValueError):
    """A picture with values that no brightness can be given to."""


def grey(image: Image.Image) -> Image.Image:
    """A loaded picture of mode I;16, I or F in mode L.

    Raises:
        NotFinite: it holds NaN or infinity.
    """
    tags = getattr(image, "tag_v2", {})
    low, high = _extremes(image)
    black, white = _black_and_white(low, high, declared=_declared(tags), whole=image.mode != "F")
    factor = 255.0 / max(white - black, 1e-30)
    scaled = np.empty((image.height, image.width), dtype=np.uint8)
    for top, values in _bands(image):
        scaled[top : top + len(values)] = np.rint((values.astype(np.float64) - black) * factor)
    if tags.get(_WHITE_IS_ZERO) == 0 and image.mode != "F":  # Pillow turns these round in 8 bits only
        np.subtract(255, scaled, out=scaled)
    return Image.fromarray(scaled)


def is_deep_color(image: ImageFile.ImageFile) -> bool:
    """Whether an opened, not yet loaded picture has 16 bits a sample, of which Pillow will keep the upper 8."""
    return bool(image.tile) and all(_rawmode(tile.args) in _SWAPPED for tile in image.tile)


def is_dark(image: Image.Image) -> bool:
    """Whether the upper 8 of 16 bits leave room for a few bits alone."""
    return max(_most(image, band) for band in _colors(image)) < 1 << (DEPTHS[-2] - 8)


def keep_lower_bytes(image: ImageFile.ImageFile) -> None:
    """Have an opened, not yet loaded picture of 16 bits a sample keep its lower 8 bits: they are read in the other byte order."""
    image.tile = [tile._replace(args=_with_rawmode(tile.args)) for tile in image.tile]


def color(upper: Image.Image, lower: Image.Image) -> Image.Image:
    """The picture whose upper and lower bytes these are, scaled as `grey` scales; transparency for itself."""
    scaled = Image.new(upper.mode, upper.size)
    most = max(_most_of_band(upper, lower, band) for band in _colors(upper))
    for top in range(0, upper.height, _rows(upper)):
        box = (0, top, upper.width, min(top + _rows(upper), upper.height))
        values = np.asarray(upper.crop(box)).astype(np.uint16) * 256 + np.asarray(lower.crop(box))
        white = np.full(values.shape[2], _white(most), dtype=np.float64)
        if "A" in upper.getbands():
            white[-1] = _white(_most_of_band(upper, lower, "A"))
        scaled.paste(Image.fromarray(np.rint(values * (255.0 / white)).astype(np.uint8), upper.mode), box)
    return scaled


def _most_of_band(upper: Image.Image, lower: Image.Image, band: str) -> int:
    """A bound of the values: exact in the bits that matter."""
    high = _most(upper, band)
    return high * 256 + 255 if high else _most(lower, band)


def _most(image: Image.Image, band: str) -> int:
    levels = image.getchannel(band).histogram()
    return max((level for level, count in enumerate(levels) if count), default=0)


def _colors(image: Image.Image) -> list[str]:
    return [band for band in image.getbands() if band != "A"]


def _white(most: float) -> float:
    return float(2 ** next(bits for bits in DEPTHS if most < 2**bits) - 1)


def _black_and_white(low: float, high: float, *, declared: int, whole: bool) -> tuple[float, float]:
    if whole and low >= 0 and high < 2 ** DEPTHS[-1]:
        return 0.0, _white(max(high, min(declared, 2 ** DEPTHS[-1] - 1)))
    white = None if whole else next((white for white in (1.0, 255.0) if low >= 0 and high <= white), None)
    return (low, high) if white is None else (0.0, white)


def _declared(tags: object) -> int:
    """The largest value that a TIFF file says its samples can have; 0 if it says nothing that helps."""
    if not hasattr(tags, "get"):
        return 0
    bits, most = tags.get(_BITS, (16,)), tags.get(_MOST, (0,))
    most = most[0] if isinstance(most, tuple) else most
    return max(2 ** int(bits[0]) - 1 if int(bits[0]) < 16 else 0, int(most))


def _extremes(image: Image.Image) -> tuple[float, float]:
    low, high = math.inf, -math.inf
    for _, values in _bands(image):
        least, most = float(values.min()), float(values.max())
        if not (math.isfinite(least) and math.isfinite(most)):  # numpy lets NaN win
            raise NotFinite("values that are not finite")
        low, high = min(low, least), max(high, most)
    return low, high


def _rows(image: Image.Image) -> int:
    return max(1, BAND // image.width)


def _bands(image: Image.Image) -> Iterator[tuple[int, np.ndarray]]:
    """The values, a band of rows at a time: the first row's number, and numbers [rows, width]."""
    for top in range(0, image.height, _rows(image)):
        bottom = min(top + _rows(image), image.height)
        yield top, np.asarray(image.crop((0, top, image.width, bottom)))


# How Pillow calls the layout of 16-bit samples in a file, and the same with the bytes of each swapped.
_SWAPPED = {
    f"{mode};16{order}": f"{mode};16{other}"
    for mode in ("RGB", "RGBA", "RGBX")
    for order, other in (("B", "L"), ("L", "B"), ("N", "B" if sys.byteorder == "little" else "L"))
}


def _rawmode(args: Any) -> Any:
    return args[0] if isinstance(args, tuple) else args


def _with_rawmode(args: Any) -> Any:
    swapped = _SWAPPED[_rawmode(args)]
    return (swapped, *args[1:]) if isinstance(args, tuple) else swapped
