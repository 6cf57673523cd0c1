"""From the address of an image to its pixels."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image, UnidentifiedImageError

from noisystudent.data import codecs, deep_levels, uris
from noisystudent.data.huggingface import hf_cell
from noisystudent.data.memory_budget import MemoryBudget
from noisystudent.data.random_crops import Draw, even_area
from noisystudent.data.shards import ShardCache
from noisystudent.data.stored_files import opened

MOST_PIXELS = 178_956_970  # where Pillow itself refuses
MOST_BYTES = 2**30  # of an encoded picture
BYTES_A_PIXEL = 16  # what decoding takes at most: a transparent picture is held as four copies of four bytes
PROGRESSIVE_BYTES_A_PIXEL = 6  # more for the coefficients of a progressive JPEG, which are kept at full size
MODES = {1: "L", 3: "RGB"}
_ORIENTATION = 0x0112  # the EXIF tag
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_shards = ShardCache()
_memory = MemoryBudget()  # of all threads that decode


class UnreadableImage(Exception):
    """An image that cannot be used; the message is a short reason, such as "truncated" or "missing file"."""


def read_bytes(uri: str, shards: ShardCache = _shards) -> bytes:
    """The encoded image at an address (see `uris`), which `shards` reads if it lies in one.

    Raises:
        UnreadableImage: there is nothing to be had there.
    """
    container, place = uris.inside(uri)
    try:
        if container.startswith("hf:"):
            name, split = uris.hf_split(container)
            return _cell_bytes(hf_cell(name, split, int(place["row"])), folder="")
        path = uris.file_path(container)
        if "row" in place:
            return _cell_bytes(shards.cell(path, place["column"], int(place["row"])), folder=os.path.dirname(path))
        if "offset" not in place:
            return _file_bytes(path)
        data = shards.stretch(path, int(place["offset"]), _checked_size(int(place["size"])))
    except FileNotFoundError as error:
        raise UnreadableImage("missing file") from error
    except OSError as error:
        raise UnreadableImage((error.strerror or str(error)).lower()) from error
    except (IndexError, KeyError, ValueError, pa.ArrowException) as error:
        raise UnreadableImage(f"no such row in the table: {error}") from error
    if len(data) < int(place["size"]):
        raise UnreadableImage("truncated")
    return data


def _file_bytes(path: str) -> bytes:
    with opened(path) as file:
        _checked_size(file.seek(0, os.SEEK_END))
        file.seek(0)
        return file.read()


def _checked_size(size: int) -> int:
    if size > MOST_BYTES:
        raise UnreadableImage(f"too large: {size:,} bytes, of at most {MOST_BYTES:,}")
    return size


def _cell_bytes(cell: Any, *, folder: str) -> bytes:
    """The image in a cell: bytes, or the struct that Hugging Face writes, with bytes or the path of a file."""
    if isinstance(cell, bytes):
        return cell
    if isinstance(cell, dict):
        if cell.get("bytes") is not None:
            return bytes(cell["bytes"])
        if cell.get("path"):
            return _file_bytes(os.path.join(folder, cell["path"]))
    raise UnreadableImage("empty cell in the table")


def decode(data: bytes, *, channels: int, at_least: int | None = None) -> Image.Image:
    """The picture in encoded bytes: upright, its first frame, 8 bits a channel, on white where it is transparent.

    Args:
        data: JPEG, PNG, WebP, AVIF, BMP, GIF or TIFF; HEIC where its package is installed.
        channels: 3 gives mode "RGB", 1 gives "L".
        at_least: the pixels of the short side that will be used. A much larger JPEG is then decoded at 1/2, 1/4 or
            1/8 of its size, but to no less than twice `at_least`, which is quicker. None: full size.

    Raises:
        UnreadableImage: saying why. A truncated picture is never returned.

    Example:
        >>> decode(Path("cat.jpg").read_bytes(), channels=3).mode  # doctest: +SKIP
        'RGB'
    """
    with decoded(data, channels=channels, at_least=at_least) as picture:
        return picture


@contextlib.contextmanager
def decoded(data: bytes, *, channels: int, at_least: int | None = None) -> Iterator[Image.Image]:
    """`decode` for use by many threads: the memory of the picture counts against one bound of them all while the block lasts.

    A thread that has one picture in hand must not ask for another.
    """
    if not data:
        raise UnreadableImage("zero bytes")
    with contextlib.ExitStack() as held:
        try:
            try:
                picture = _decode(data, MODES[channels], at_least, held)
            except ValueError as error:
                if not codecs.is_too_much_text(error):
                    raise
                held.close()  # no thread holds two parts of the memory
                picture = _decode(codecs.without_text(data), MODES[channels], at_least, held)
        except UnreadableImage:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise UnreadableImage(f"decompression bomb (more than {MOST_PIXELS:,} pixels)") from error
        except UnidentifiedImageError as error:
            raise UnreadableImage(codecs.why_not_opened(data)) from error
        except deep_levels.NotFinite as error:
            raise UnreadableImage(str(error)) from error
        except (
            Exception
        ) as error:  # broken files make Pillow's readers raise nearly anything: struct.error, KeyError, ...
            reason = "truncated" if codecs.is_cut_short(error, data) else f"damaged: {_plainly(error)}"
            raise UnreadableImage(reason) from error
        yield picture


def _decode(data: bytes, mode: str, at_least: int | None, held: contextlib.ExitStack) -> Image.Image:
    with codecs.open_image(data) as image:
        if math.prod(image.size) > MOST_PIXELS:
            raise UnreadableImage(f"decompression bomb ({math.prod(image.size):,} pixels)")
        if 0 in image.size:
            raise UnreadableImage("no pixels")
        at_full_size = PROGRESSIVE_BYTES_A_PIXEL * math.prod(image.size) * ("progressive" in image.info)
        if at_least is not None:
            image.draft(None, (2 * at_least, 2 * at_least))
        held.enter_context(_memory.part(BYTES_A_PIXEL * math.prod(image.size) + at_full_size))
        is_deep = deep_levels.is_deep_color(image)
        image.load()
        orientation = _orientation(image)
        if is_deep and deep_levels.is_dark(image):
            with codecs.open_image(data) as lower:
                deep_levels.keep_lower_bytes(lower)
                lower.load()
                plain = _eight_bit(deep_levels.color(image, lower), mode)
        else:
            plain = _eight_bit(image, mode)
    return _upright(plain, orientation)


def opened_picture(image: Image.Image, *, channels: int) -> Image.Image:
    """A picture that Pillow has opened, as `decode` gives it: upright, 8 bits a channel, on white where it is transparent.

    Args:
        image: of any mode; of several frames the one it stands at. It is not changed.
        channels: 3 gives mode "RGB", 1 gives "L".

    Raises:
        UnreadableImage: it has no pixels, too many, or its file is damaged.

    Example:
        >>> opened_picture(Image.new("RGBA", (1, 1)), channels=1).getpixel((0, 0))
        255
    """
    if 0 in image.size or math.prod(image.size) > MOST_PIXELS:
        raise UnreadableImage(
            "no pixels" if 0 in image.size else f"decompression bomb ({math.prod(image.size):,} pixels)"
        )
    try:
        image.load()
        return _upright(_eight_bit(image, MODES[channels]), _orientation(image))
    except deep_levels.NotFinite as error:
        raise UnreadableImage(str(error)) from error
    except Exception as error:  # as in `decoded`
        raise UnreadableImage(f"damaged: {_plainly(error)}") from error


def _upright(picture: Image.Image, orientation: int) -> Image.Image:
    return picture.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else picture


def _plainly(error: Exception) -> str:
    """What a reader says, on one line; Pillow names what some decoders say by number."""
    said = " ".join(str(error).split())
    return "the pixels cannot be decoded" if said.startswith("decoder error") or not said else said


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged EXIF data do not make the picture unreadable
        return 1


def _eight_bit(image: Image.Image, mode: str) -> Image.Image:
    """The picture in mode "RGB" or "L", whatever mode it came in."""
    if image.mode.startswith("I") or image.mode == "F":
        image = deep_levels.grey(image)
    elif image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        image = image.convert("RGB")  # not all of them can be made grey in one step
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert(mode)


def eval_view(image: Image.Image, *, size: int, crop_pct: float) -> np.ndarray:
    """The picture as an un-noised network sees it: the square in its middle, resized.

    Args:
        image: as `decode` gives it.
        size: pixels of a side.
        crop_pct: share of the short side that the square spans.

    Returns:
        uint8 [size, size, channels]; the very pixels of `image` when it is size x size and crop_pct is 1.
    """
    width, height = image.size
    side = max(1, int(crop_pct * min(width, height)))
    left, top = (width - side + 1) // 2, (height - side + 1) // 2  # rounded as the paper's code does
    return _resized(image, (left, top, left + side, top + side), size)


def random_resized_view(
    image: Image.Image,
    *,
    size: int,
    rng: np.random.Generator,
    scale: tuple[float, float] = (0.08, 1.0),
    draw: Draw = even_area,
) -> np.ndarray:
    """A random part of the picture, resized to a square.

    Args:
        image: as `decode` gives it.
        size: pixels of a side.
        rng: where chance comes from.
        scale: smallest and largest share of the picture's area.
        draw: how the part is drawn (`noisystudent.data.random_crops`).

    Returns:
        uint8 [size, size, channels]. When no part is found, the middle of the picture, cut as the paper's code does:
        size / (size + 32) of the short side.
    """
    box = draw(*image.size, rng, scale)
    if box is None:
        return eval_view(image, size=size, crop_pct=size / (size + 32))
    return _resized(image, box, size)


def _resized(image: Image.Image, box: tuple[int, int, int, int], size: int) -> np.ndarray:
    pixels = np.array(image.resize((size, size), Image.Resampling.BICUBIC, box=box))
    return pixels.reshape(size, size, -1)
