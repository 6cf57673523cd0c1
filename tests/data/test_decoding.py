import contextlib
import io
import os
import struct
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from noisystudent.data import decoding
from noisystudent.data.decoding import MOST_BYTES, UnreadableImage, decode, eval_view, random_resized_view, read_bytes
from noisystudent.data.memory_budget import MemoryBudget
from noisystudent.data.uris import file_uri
from noisystudent.extras import how_to_install

RNG = np.random.default_rng(0)
COLOR = RNG.integers(0, 256, (12, 16, 3), dtype=np.uint8)
SMOOTH = np.stack([np.add.outer(np.arange(48), np.arange(64) * c) for c in (1, 2, 3.2)], axis=2).astype(np.uint8)


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def pixels(data: bytes, channels: int = 3) -> np.ndarray:
    return np.asarray(decode(data, channels=channels)).astype(int)


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "WEBP"])
def test_lossless_formats_are_pixel_exact(format: str) -> None:
    data = encoded(Image.fromarray(COLOR), format, **({"lossless": True} if format == "WEBP" else {}))
    assert np.array_equal(pixels(data), COLOR)


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_lossy_formats_are_close(format: str) -> None:
    data = encoded(Image.fromarray(SMOOTH), format, quality=95)
    assert np.abs(pixels(data) - SMOOTH.astype(int)).mean() < 2


def test_cmyk_jpeg_becomes_rgb() -> None:
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # magenta and yellow: red
    red, green, blue = pixels(encoded(image, "JPEG", quality=95))[8, 8]
    assert red > 240
    assert green < 15
    assert blue < 15
    assert pixels(encoded(image, "JPEG", quality=95), channels=1)[8, 8] == pytest.approx(76, abs=6)


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_not_clipped(format: str) -> None:
    values = np.array([[0, 257, 25700, 65535, 128]], dtype=np.uint16)
    for channels in (1, 3):
        assert pixels(encoded(Image.fromarray(values), format), channels).reshape(5, -1)[:, 0].tolist() == [
            0,
            1,
            100,
            255,
            0,
        ]


def test_16_bit_color_png_keeps_the_high_byte() -> None:
    rows = b"\0" + struct.pack(">6H", 65535, 0, 0x8000, 0x1234, 0xFF00, 257)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert pixels(data).tolist() == [[[255, 0, 128], [18, 255, 1]]]


def test_float_and_32_bit_tiffs_are_scaled() -> None:
    unit = Image.fromarray(np.array([[0.0, 0.5, 1.0]], dtype=np.float32))
    assert pixels(encoded(unit, "TIFF"), 1).tolist() == [[0, 128, 255]]
    wide = Image.fromarray(np.array([[-100, 0, 100_000]], dtype=np.int32))
    assert pixels(encoded(wide, "TIFF"), 1).tolist() == [[0, 0, 255]]
    hole = Image.fromarray(np.array([[0.0, np.nan]], dtype=np.float32))
    with pytest.raises(UnreadableImage, match="not finite"):
        decode(encoded(hole, "TIFF"), channels=1)


def test_transparency_is_put_on_white() -> None:
    clear_red, half_black, opaque = (255, 0, 0, 0), (0, 0, 0, 128), (10, 20, 30, 255)
    rgba = Image.new("RGBA", (3, 1))
    rgba.putdata([clear_red, half_black, opaque])
    assert pixels(encoded(rgba, "PNG")).tolist() == [[[255, 255, 255], [127, 127, 127], [10, 20, 30]]]

    grey_alpha = Image.new("LA", (2, 1))
    grey_alpha.putdata([(0, 0), (50, 255)])
    assert pixels(encoded(grey_alpha, "PNG"), 1).tolist() == [[255, 50]]

    palette = Image.new("P", (2, 1))
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.putdata([0, 1])
    assert pixels(encoded(palette, "PNG", transparency=0)).tolist() == [[[255, 255, 255], [0, 0, 255]]]
    assert pixels(encoded(palette, "PNG")).tolist() == [[[255, 0, 0], [0, 0, 255]]]
    assert pixels(encoded(palette, "GIF", transparency=0)).tolist() == [[[255, 255, 255], [0, 0, 255]]]
    assert pixels(encoded(Image.new("RGB", (1, 1), (9, 9, 9)), "PNG", transparency=(9, 9, 9))).tolist() == [[[255] * 3]]


def test_one_bit_and_grey() -> None:
    assert pixels(encoded(Image.fromarray(np.array([[True, False]])), "PNG"), 1).tolist() == [[255, 0]]
    assert pixels(encoded(Image.new("L", (1, 1), 7), "PNG")).tolist() == [[[7, 7, 7]]]


@pytest.mark.parametrize("format", ["GIF", "WEBP", "TIFF"])
def test_the_first_of_many_frames(format: str) -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue", "lime")]
    data = encoded(
        frames[0], format, save_all=True, append_images=frames[1:], **({"lossless": True} if format == "WEBP" else {})
    )
    assert pixels(data)[4, 4].tolist() == [255, 0, 0]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(format: str, orientation: int) -> None:
    upright = np.zeros((32, 48), dtype=np.uint8)
    upright[:16, :24] = 255  # bright at the top left
    as_stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: upright.T[::-1],
        7: upright.T[::-1, ::-1],
        8: upright.T[:, ::-1],
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(np.ascontiguousarray(as_stored)), format, exif=exif)
    assert pixels(data, 1).shape == (32, 48)
    assert np.abs(pixels(data, 1) - upright.astype(int)).mean() < 3


def test_damaged_exif_is_no_reason_to_skip() -> None:
    data = encoded(Image.fromarray(SMOOTH), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff\xff")
    assert decode(data, channels=3).size == (64, 48)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_truncated_files_are_errors(format: str, share: float) -> None:
    noise = RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), format)
    with pytest.raises(UnreadableImage):
        decode(data[: int(len(data) * share)], channels=3)


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_truncation_is_named(format: str) -> None:
    data = encoded(Image.fromarray(COLOR), format)
    with pytest.raises(UnreadableImage, match=r"^truncated$"):
        decode(data[: -len(data) // 4], channels=3)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "zero bytes"),
        (b"hello, world", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript is not supported"),
    ],
)
def test_what_is_no_image(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableImage, match=reason):
        decode(data, channels=3)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize(
    "long",
    [
        chunk(b"zTXt", b"note\0\0" + zlib.compress(bytes(2**22))),
        chunk(b"iTXt", b"note\0\1\0\0\0" + zlib.compress(bytes(2**22))),
        chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(2**22))),
        chunk(b"tEXt", b"note\0" + b"x" * 2**20) * 70,
    ],
    ids=["zTXt", "iTXt", "iCCP", "tEXt"],
)
def test_a_png_is_read_however_much_text_or_color_profile_it_carries(long: bytes) -> None:
    whole = encoded(Image.fromarray(COLOR), "PNG")
    assert np.array_equal(pixels(whole[:33] + long + whole[33:]), COLOR)
    assert np.array_equal(pixels(whole[:-12] + long + whole[-12:]), COLOR)
    with pytest.raises(UnreadableImage, match=r"^truncated$"):
        decode((whole[:33] + long + whole[33:])[:-40], channels=3)


def test_reasons_are_true() -> None:
    def reason(data: bytes) -> str:
        with pytest.raises(UnreadableImage) as caught:
            decode(data, channels=3)
        return str(caught.value)

    whole = encoded(Image.fromarray(COLOR), "PNG")
    assert reason(whole[:12] + b"XXXX" + whole[16:]) == "damaged header of a PNG file"
    assert (
        reason(encoded(Image.fromarray(COLOR), "JPEG2000")) == "JPEG 2000 is not supported: convert it to PNG or JPEG"
    )
    assert "kind of TIFF that is not supported" in reason(float_rgb_tiff())
    for format, length in (("JPEG", 30), ("PNG", 20), ("TIFF", 60), ("TIFF", 300), ("BMP", 20), ("WEBP", 40)):
        assert reason(encoded(Image.fromarray(COLOR), format)[:length]) == "truncated", format
    assert reason(b"hello") == "not an image"
    assert "git lfs pull" in reason(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    assert "web page" in reason(b"\n<!DOCTYPE html><html>404")
    assert "a video" in reason(b"\0\0\0\x18ftypisom\0\0\0\0isommp42")
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)
    assert reason(heic) in (
        f"HEIC is not supported without a package: {how_to_install('heic')}",
        "damaged header of a HEIC file",
    )
    empty = bytearray(encoded(Image.fromarray(COLOR), "BMP"))
    empty[18:22] = bytes(4)  # the width
    assert reason(bytes(empty)) == "damaged header of a BMP file"


def float_rgb_tiff() -> bytes:
    fields = [(256, 1), (257, 1), (259, 1), (262, 2), (273, 8), (277, 3), (278, 1), (279, 12), (339, 3)]
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in fields)
    depth = struct.pack("<HHII", 258, 3, 3, 20)
    return (
        b"II*\0"
        + struct.pack("<I", 26)
        + bytes(12)
        + struct.pack("<3H", 32, 32, 32)
        + struct.pack("<H", 10)
        + directory[:24]
        + depth
        + directory[24:]
        + bytes(4)
    )


def test_heic_is_read_where_its_package_is() -> None:
    pytest.importorskip("pillow_heif", reason=how_to_install("heic"))
    assert np.abs(pixels(encoded(Image.fromarray(SMOOTH), "HEIF", quality=95)) - SMOOTH.astype(int)).mean() < 3


def test_avif_is_read_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = Image.fromarray(SMOOTH)
    assert np.abs(pixels(encoded(wide, "AVIF", quality=95)) - SMOOTH.astype(int)).mean() < 3
    assert decode(encoded(wide, "AVIF", exif=exif), channels=3).size == (48, 64)


def test_codecs_print_nothing(tmp_path: Path) -> None:
    """libtiff prints on the file descriptor, past Python's sys.stderr; so a process of its own is looked at."""
    whole = bytearray(
        encoded(Image.fromarray(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)), "TIFF", compression="tiff_lzw")
    )
    whole[200:400] = b"\xff" * 200
    (tmp_path / "broken.tif").write_bytes(whole)
    script = (
        "import sys; from noisystudent.data.decoding import UnreadableImage, decode\n"
        "try: decode(open(sys.argv[1], 'rb').read(), channels=3)\n"
        "except UnreadableImage as reason: print(reason)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "broken.tif")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.startswith("damaged")
    assert result.stderr == ""


def test_pipes_and_devices_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    for name in ("pipe.png", "link.png", "zero.png"):
        with pytest.raises(UnreadableImage, match="a pipe, a socket or a device"):
            read_bytes(file_uri(str(tmp_path / name)))


def test_a_file_larger_than_any_picture_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(MOST_BYTES + 1)  # takes no room on the disk
    with pytest.raises(UnreadableImage, match="too large: 1,073,741,825 bytes"):
        read_bytes(file_uri(str(tmp_path / "huge.png")))


def test_threads_share_one_bound_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = MemoryBudget(1_000_000)
    monkeypatch.setattr(decoding, "_memory", budget)
    data = encoded(Image.new("RGB", (100, 200)), "PNG")
    with decoding.decoded(data, channels=3) as first:
        assert first.size == (100, 200)
        assert budget.left == 1_000_000 - 100 * 200 * decoding.BYTES_A_PIXEL
    assert budget.left == 1_000_000
    larger = encoded(Image.new("RGB", (1000, 2000)), "PNG")  # than there is in all: alone, but read
    with ThreadPoolExecutor(4) as threads:
        assert {image.size for image in threads.map(lambda _: decode(larger, channels=3), range(8))} == {(1000, 2000)}
    with pytest.raises(UnreadableImage):
        decode(data[: len(data) // 2], channels=3)
    assert budget.left == 1_000_000


def test_bombs_are_refused_from_the_header() -> None:
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    data += struct.pack(">I", 10) + b"IDAT" + bytes(14)
    with pytest.raises(UnreadableImage, match="decompression bomb"):
        decode(data, channels=3)


def test_a_flipped_byte_gives_a_picture_or_a_reason() -> None:
    for format in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"):
        whole = encoded(Image.fromarray(COLOR), format)
        for _ in range(60):
            broken = bytearray(whole)
            broken[RNG.integers(len(broken))] ^= int(RNG.integers(1, 256))
            with contextlib.suppress(UnreadableImage):  # nothing else may be raised
                assert decode(bytes(broken), channels=3).mode == "RGB"


def test_draft_leaves_twice_what_is_needed() -> None:
    data = encoded(Image.new("RGB", (1600, 800), "teal"), "JPEG")
    assert decode(data, channels=3).size == (1600, 800)
    assert decode(data, channels=3, at_least=100).size == (400, 200)
    assert decode(data, channels=3, at_least=101).size == (800, 400)
    assert decode(data, channels=3, at_least=700).size == (1600, 800)


def test_files_with_odd_names(tmp_path: Path) -> None:
    for name in [
        "a b.png",
        'it\'s "x".png',
        "<script>.png",
        "new\nline.png",
        "100%#?.png",
        os.fsdecode(b"\xff\xfe.png"),
    ]:
        path = os.path.join(tmp_path, name)
        with open(path, "wb") as file:
            file.write(name.encode("utf-8", "surrogateescape"))
        assert read_bytes(file_uri(path)) == name.encode("utf-8", "surrogateescape")


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match="missing file"):
        read_bytes(file_uri(str(tmp_path / "no.png")))
    with pytest.raises(UnreadableImage, match="directory"):
        read_bytes(file_uri(str(tmp_path)))


def test_eval_view_is_the_identity_at_its_own_size() -> None:
    square = Image.fromarray(COLOR[:, :12])
    assert np.array_equal(eval_view(square, size=12, crop_pct=1.0), COLOR[:, :12])
    assert eval_view(square.convert("L"), size=12, crop_pct=1.0).shape == (12, 12, 1)


def test_eval_view_takes_the_middle() -> None:
    wide = Image.fromarray(COLOR)  # 16 x 12
    assert np.array_equal(eval_view(wide, size=12, crop_pct=1.0), COLOR[:, 2:14])
    assert np.array_equal(eval_view(wide, size=6, crop_pct=0.5), COLOR[3:9, 5:11])
    assert eval_view(Image.new("RGB", (1, 300)), size=8, crop_pct=0.1).shape == (8, 8, 3)


def test_random_views_are_seeded_parts() -> None:
    image = Image.fromarray(SMOOTH)
    views = [random_resized_view(image, size=16, rng=np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert views[0].shape == (16, 16, 3)
    assert np.array_equal(views[0], views[1])
    assert not np.array_equal(views[0], views[2])


def test_random_views_fall_back_to_the_middle() -> None:
    thread = Image.fromarray(RNG.integers(0, 256, (2, 400, 3), dtype=np.uint8))
    view = random_resized_view(thread, size=8, rng=np.random.default_rng(0), scale=(0.9, 1.0))
    assert np.array_equal(view, eval_view(thread, size=8, crop_pct=8 / 40))
