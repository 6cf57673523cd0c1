"""Pictures of more than 8 bits a sample, through `decode`."""

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from noisystudent.data import deep_levels
from noisystudent.data.decoding import decode

RNG = np.random.default_rng(0)


def tiff(values: np.ndarray, tags: dict[int, int] | None = None) -> bytes:
    file, directory = io.BytesIO(), TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in (tags or {}).items():
        directory[tag] = value
    Image.fromarray(values).save(file, "TIFF", tiffinfo=directory)
    return file.getvalue()


def png(values: np.ndarray) -> bytes:
    """16 bits a sample, uint16 [height, width, 3 or 4]; Pillow writes no such file."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width, channels = values.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def color_tiff(values: np.ndarray, order: str) -> bytes:
    """Not compressed, 16 bits a sample, uint16 [height, width, 3], in the byte order "<" or ">"."""
    height, width, _ = values.shape
    data = values.astype(f"{order}u2").tobytes()
    depths = 8 + len(data)
    directory = depths + 6
    long, short = 4, 3
    fields = [(256, long, 1, width), (257, long, 1, height), (258, short, 3, depths), (259, long, 1, 1)]
    fields += [
        (262, long, 1, 2),
        (273, long, 1, 8),
        (277, long, 1, 3),
        (278, long, 1, height),
        (279, long, 1, len(data)),
    ]
    return b"".join(
        [
            (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", directory),
            data,
            struct.pack(f"{order}3H", 16, 16, 16),
            struct.pack(f"{order}H", len(fields)),
            *(struct.pack(f"{order}HHII", *field) for field in fields),
            bytes(4),
        ]
    )


def pixels(data: bytes, channels: int = 3) -> np.ndarray:
    return np.asarray(decode(data, channels=channels)).astype(int)


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_values_of_fewer_bits_keep_their_contrast(bits: int) -> None:
    white = 2**bits - 1
    grey = np.array([[0, white // 4, white // 2, white]], dtype=np.uint16)
    assert pixels(tiff(grey), 1)[0].tolist() == pytest.approx([0, 64, 128, 255], abs=1)
    color = RNG.integers(0, white + 1, (8, 8, 3)).astype(np.uint16)
    color[0, 0] = white
    for data in (png(color), color_tiff(color, "<"), color_tiff(color, ">")):
        assert np.abs(pixels(data) - color * (255 / white)).max() < 1


def test_transparency_of_deep_pictures_is_its_own() -> None:
    values = np.array([[[4095, 0, 0, 65535], [0, 0, 0, 0]]], dtype=np.uint16)
    assert pixels(png(values)).tolist() == [[[255, 0, 0], [255, 255, 255]]]


def test_the_largest_value_that_a_file_names_counts() -> None:
    dark = np.array([[0, 1000]], dtype=np.uint16)
    assert pixels(tiff(dark), 1)[0, 1] == 249  # of 1023
    assert pixels(tiff(dark, {281: 4095}), 1)[0, 1] == 62
    assert pixels(tiff(dark, {281: 65535}), 1)[0, 1] == 4


def test_white_may_be_zero() -> None:
    values = np.array([[0, 65535]], dtype=np.uint16)
    assert pixels(tiff(values, {262: 0}), 1).tolist() == [[255, 0]]


def test_no_wide_copy_of_the_whole_is_made() -> None:
    """A few bytes a pixel, and not the eight of a float64 or several of them."""
    for values in (np.full((2000, 2000), 60_000, np.uint16), np.full((2000, 2000), 0.5, np.float32)):
        image = Image.fromarray(values)
        tracemalloc.start()  # sees NumPy's arrays
        deep_levels.grey(image)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most / values.size < 8
