"""Pillow's readers: which are used, what they must not print, and why one of them does not take a file."""

from __future__ import annotations

import contextlib
import ctypes
import io
import logging
import struct
import warnings
from collections.abc import Iterator
from typing import Literal

from PIL import Image, ImageFile
from PIL import _imaging as core

from noisystudent.data import kinds

FORMATS = [
    "JPEG",
    "PNG",
    "WEBP",
    "BMP",
    "DIB",
    "GIF",
    "TIFF",
    "AVIF",
]  # Pillow knows more, some of which start other programs
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Of a PNG's chunks these may be compressed text or color profiles of any length; the picture is the same without them.
_LONG_CHUNKS = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")

if kinds.reads_heif():
    import pillow_heif

    pillow_heif.register_heif_opener()
    FORMATS.append("HEIF")


def _silence() -> None:
    """Keep the readers from printing: picture after picture of odd metadata; what matters is the reason of an UnreadableImage.

    libtiff prints errors on stderr itself, past Python. Its handler is taken away where Pillow's library shows it (on Windows it does
    not), in place of redirecting stderr, which would swallow what other threads print.
    """
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(core.__file__).TIFFSetErrorHandler(None)


_silence()


def open_image(data: bytes) -> ImageFile.ImageFile:
    """Pillow's lazy image of encoded bytes.

    Raises:
        UnidentifiedImageError: no reader takes it.
        Exception: broken files make Pillow's readers raise nearly anything.
    """
    return Image.open(io.BytesIO(data), formats=FORMATS)


def is_too_much_text(error: Exception) -> bool:
    """Whether Pillow gave up on a PNG because of text or a color profile of more than a MiB, or 64 in all."""
    return isinstance(error, ValueError) and "MAX_TEXT" in str(error)


def without_text(png: bytes) -> bytes:
    """The same picture without text and color profile, of whatever length they are."""
    return _PNG_SIGNATURE + b"".join(chunk for kind, chunk in _chunks(png) if kind not in _LONG_CHUNKS)


def why_not_opened(data: bytes) -> str:
    """The reason that no reader takes some bytes: another kind of file, a part of a kind that is not supported, or damage."""
    kind = kinds.kind_of_bytes(data[: kinds.HEAD])
    plugin = {"WebP": "WEBP", "HEIC": "HEIF"}.get(kind, kind)
    if plugin not in FORMATS:
        return kinds.why_not_read(kind)
    complaint = _complaint(data, plugin)
    if is_cut_short(complaint, data):
        return "truncated"
    if plugin == "TIFF" and "unknown" in str(complaint):
        return "a kind of TIFF that is not supported: convert it to 8 or 16 bits a sample, grey or RGB"
    return f"damaged header of a {kind} file"


def is_cut_short(error: Exception, data: bytes) -> bool:
    """Whether a file ends too early: the reader says so, or the file is shorter than its beginning says."""
    signs = ("truncated", "end of file", "not enough", "unpack requires", "index out of range")
    if isinstance(error, EOFError) or any(sign in str(error).lower() for sign in signs):
        return True
    if data[:4] == b"RIFF":
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    return kinds.kind_of_bytes(data[:4]) == "TIFF" and _end_of_directory(data) > len(data)


def _end_of_directory(tiff: bytes) -> int:
    """Where the first directory of a TIFF file ends, which programs often write last."""
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"
    if tiff[2:4] not in (b"*\0", b"\0*"):  # BigTIFF
        return int.from_bytes(tiff[8:16], order) + 8
    start = int.from_bytes(tiff[4:8], order)
    return start + 2 + 12 * int.from_bytes(tiff[start : start + 2], order) + 4


def _complaint(data: bytes, plugin: str) -> Exception:
    """What a reader says of a file when it is asked directly; `Image.open` keeps that to itself."""
    try:
        Image.OPEN[plugin][0](io.BytesIO(data), "")
    except Exception as error:
        return error
    return ValueError("nothing")


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(_PNG_SIGNATURE)
    while place + 8 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, place)
        yield kind, png[place : place + 12 + length]
        place += 12 + length
