"""Pictures that are odd or broken: the odd ones are used, the broken ones are named, and the run goes on."""

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import Image
from user_inputs import Images, everything_below, picture, write_flat, write_pictures


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bomb() -> bytes:
    """A PNG of a few bytes that says it has 10^10 pixels."""
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    )


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(picture("disk", 900, 32), "JPEG", exif=exif)


def odd(seed: int = 0) -> dict[str, bytes]:
    """Pictures that can be read, in ways that catch careless readers."""
    image = picture("disk", 800 + seed, 32)
    grey16 = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    return {
        "cmyk.jpg": encoded(image.convert("CMYK"), "JPEG"),
        "sixteen.png": encoded(grey16, "PNG"),
        "palette.png": encoded(image.quantize(16), "PNG", transparency=0),
        "rotated.jpg": rotated(),
        "with space.webp": encoded(image, "WEBP"),
        "moving.gif": encoded(image, "GIF", save_all=True, append_images=[picture("bars", 1, 32)]),
        "scan.tiff": encoded(image.convert("L"), "TIFF"),
        "old.BMP": encoded(image, "BMP"),
        'O\'Brien "quoted".png': encoded(image, "PNG"),
        "50% off & more; $(touch pwned).png": encoded(image, "PNG"),
    }


# What is wrong with each is in its reason. All names are hostile in some way too.
REASONS = {
    "truncated.jpg": "truncated",
    "<script>alert(1)</script>.png": "zero bytes",
    "new\nline.png": "not an image",
    "bomb.png": "decompression bomb",
    "q'uo\"te.jpeg": "damaged header of a GIF file",
    "b\\xff\\xfename.png": "zero bytes",
    "nowhere.png": "missing file",
}


def write_broken(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    whole = encoded(picture("bars", 700, 64), "JPEG")
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    # A file name has no slash, so the tag's end is in a folder's name.
    tag = folder / "<script>alert(1)<"
    tag.mkdir()
    (tag / "script>.png").write_bytes(b"")
    (folder / "new\nline.png").write_text("this is a text")
    (folder / "bomb.png").write_bytes(bomb())
    (folder / "q'uo\"te.jpeg").write_text("GIF89a is not enough")
    Path(os.fsdecode(os.fsencode(folder) + b"/b\xff\xfename.png")).write_bytes(b"")
    (folder / "nowhere.png").symlink_to(folder / "gone.png")


def skipped(run: Path) -> dict[str, dict[str, str]]:
    rows = pq.read_table(run / "skipped.parquet").to_pylist()
    found = {
        stage: {row["id"]: row["reason"] for row in rows if row["stage"] == stage} for stage in ("prepare", "label")
    }
    assert sum(map(len, found.values())) == len(rows)
    return found


def test_odd_pictures_are_used_and_broken_ones_named_in_every_source(
    images: Images, configuration: Callable[..., Path], noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    for folder in (images.labeled / "disk", images.unlabeled, images.test / "bars"):
        write_broken(folder)
        for name, data in odd().items():
            (folder / name).write_bytes(data)
    before = everything_below(tmp_path)
    config = configuration("data.max_skipped=0.3", "execution.part_rows=6", generations=1)
    result = noisystudent("run", *images.options, "--config", config, "--out", "run", "--json")
    assert result.status == 0, result.stderr

    found = skipped(tmp_path / "run")
    expected = {
        **{f"disk/{name}": reason for name, reason in REASONS.items()},
        **{f"bars/{name}": reason for name, reason in REASONS.items()},
    }
    assert found["prepare"].keys() == expected.keys()
    assert found["label"].keys() == REASONS.keys()
    for stage, reasons in (("prepare", expected), ("label", REASONS)):
        for id, reason in reasons.items():
            assert found[stage][id].startswith(reason), (id, found[stage][id])

    readable = {
        split: set(pq.read_table(tmp_path / "run" / "data" / f"{split}.parquet")["id"].to_pylist())
        for split in ("labeled", "val", "test")
    }
    assert {f"disk/{name}" for name in odd()} <= readable["labeled"] | readable["val"]
    assert {f"bars/{name}" for name in odd()} <= readable["test"]
    parts = (tmp_path / "run/gen-1/predictions").glob("part-*.parquet")
    ids = [id for part in parts for id in pq.read_table(part)["id"].to_pylist()]
    assert len(ids) == len(set(ids)) == 24 + len(odd())
    assert set(odd()) <= set(ids)
    assert result.json["rows"][0]["n"] == 16 + len(odd())

    page = (tmp_path / "run" / "report.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;.png" in page
    assert "14 images cannot be read and are left out; run/skipped.parquet says which and why" in result.message
    assert {
        name: data for name, data in everything_below(tmp_path).items() if not name.startswith(("run/", "quick"))
    } == before


def test_too_many_broken_labeled_pictures_are_an_error_that_names_them(
    images: Images, configuration: Callable[..., Path], refused: Callable[..., str], tmp_path: Path
) -> None:
    write_broken(images.labeled / "disk")
    message = refused("run", *images.options, "--config", configuration("data.max_skipped=0.25"), "--out", "run")
    assert "7 of 27 images cannot be read (25.9 %), more than data.max_skipped = 25 %" in message
    for id in ("disk/bomb.png", "disk/<script>alert(1)</script>.png", "disk/new\\nline.png"):
        assert id in message
    assert not (tmp_path / "run" / "gen-0").exists()


def test_a_rotated_photo_is_seen_upright_and_deep_grey_is_not_white(
    finished: Any, noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    """The same picture, stored in other ways, gets the same prediction."""
    plain = picture("stairs", 5)
    pixels = np.asarray(plain.convert("L"))
    folder = tmp_path / "same"
    folder.mkdir()
    grey = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = 6  # stored turned left by a quarter
    grey.save(folder / "plain.png")
    Image.fromarray(pixels.astype(np.uint16) * 257).save(folder / "sixteen.png")
    grey.transpose(Image.Transpose.ROTATE_90).save(folder / "turned.png", exif=exif)
    grey.convert("RGB").save(folder / "lossless.webp", lossless=True)
    grey.quantize(256).save(folder / "palette.png")
    grey.convert("RGBA").save(folder / "opaque.tiff")
    model = finished.folder / "gen-0"
    result = noisystudent("predict", "--model", model, "--images", folder, "--out", "out.parquet", "--json")
    assert result.json["images"] == 6
    probabilities = pq.read_table(tmp_path / "out.parquet")["probabilities"].to_pylist()
    assert all(row == probabilities[0] for row in probabilities)
    turned = noisystudent("predict", "--model", model, "--images", write_turned(tmp_path, grey), "--out", "b.parquet")
    assert turned.status == 0
    assert pq.read_table(tmp_path / "b.parquet")["probabilities"].to_pylist() != probabilities[:1]


def write_turned(folder: Path, image: Image.Image) -> Path:
    (folder / "turned").mkdir()
    image.transpose(Image.Transpose.ROTATE_90).save(folder / "turned" / "no-exif.png")
    return folder / "turned"


def test_links_that_go_round_list_every_picture_once(
    images: Images, configuration: Callable[..., Path], noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    (images.labeled / "disk" / "up").symlink_to(images.labeled)
    (images.labeled / "bars" / "self").symlink_to(images.labeled / "bars" / "self")
    (images.unlabeled / "round").symlink_to(tmp_path)
    (images.unlabeled / "self.png").symlink_to(images.unlabeled / "self.png")
    config = configuration("teacher.steps=2", generations=0)
    result = noisystudent("run", "--labeled", images.labeled, "--config", config, "--out", "run")
    assert result.status == 0, result.stderr
    counts = [pq.read_table(tmp_path / "run/data" / f"{split}.parquet").num_rows for split in ("labeled", "val")]
    assert counts == [16, 4]
    labeled = noisystudent(
        "label", "--model", "run/gen-0", "--images", images.unlabeled, "--out", "run-labels", "--json"
    ).json
    (skipped,) = labeled["skipped"]
    assert skipped["id"] == "self.png"
    # The link leads to the labeled, the test and the run's own pictures as well: 24 + 20 + 16.
    assert labeled["images"] == 60


def test_pictures_that_go_away_between_two_starts_stop_a_run_and_may_be_put_back(
    images: Images,
    configuration: Callable[..., Path],
    killed: Callable[..., None],
    noisystudent: Callable[..., Any],
    tmp_path: Path,
) -> None:
    command = ["run", *images.options, "--config", configuration("teacher.steps=2", generations=1), "--out", "run"]
    killed(*command, at="*/.stages/prepare.json")
    gone = pq.read_table(tmp_path / "run" / "data" / "labeled.parquet")["id"].to_pylist()[3]
    kept = (images.labeled / gone).read_bytes()
    (images.labeled / gone).unlink()
    result = noisystudent(*command)
    assert result.status == 2
    assert f"--labeled: 1 are gone: '{gone}'" in result.message
    assert "put them back to go on" in result.message
    (images.labeled / gone).write_bytes(kept)
    assert noisystudent(*command).status == 0


def test_unlabeled_pictures_none_of_which_can_be_read_stop_the_run_and_may_be_mended(
    images: Images, configuration: Callable[..., Path], noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    for path in images.unlabeled.iterdir():
        path.write_bytes(b"")
    config = configuration("teacher.steps=2", "student.steps=2", "baseline=false", generations=1)
    command = ["run", *images.options, "--config", config, "--out", "run"]
    wrong = noisystudent(*command)
    assert wrong.status == 2
    assert "none of the 24 images can be read; the first: zero bytes" in wrong.message
    write_flat(images.unlabeled, 12, first=100)
    right = noisystudent(*command, "--json")
    assert right.status == 0, right.stderr
    assert [row["name"] for row in right.json["rows"]] == ["teacher", "student 1"]


def test_a_class_of_which_nothing_can_be_read_is_named(
    images: Images, configuration: Callable[..., Path], refused: Callable[..., str]
) -> None:
    write_pictures(images.labeled, 1, kinds=("ring",))
    (images.labeled / "ring" / "000.png").write_bytes(b"")
    message = refused("run", *images.options, "--config", configuration("data.max_skipped=0.5"), "--out", "run")
    assert "--labeled: no readable image is left of 'ring'" in message


def test_a_folder_as_people_have_it_is_read_and_what_is_left_out_is_said_once(
    finished: Any, noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "all my photos"
    (folder / "__MACOSX" / "2024").mkdir(parents=True)
    (folder / "2024").mkdir()
    (folder / "__MACOSX" / "2024" / "._a.jpg").write_bytes(b"\0\5\26\7")
    (folder / "2024" / "Thumbs.db").write_bytes(b"")
    for number in range(3):
        (folder / f"IMG_{number}.CR2").write_bytes(b"II*\0")
    (folder / "notes.txt").write_text("buy milk")
    os.mkfifo(folder / "pipe.png")
    (folder / "link.png").symlink_to(folder / "pipe.png")
    whole = picture("disk", 1, 32)
    for name, data in {
        "a.jfif": encoded(whole, "JPEG"),
        "b.AVIF": encoded(whole, "AVIF"),
        "c": encoded(whole, "PNG"),
        "d.0001": encoded(whole, "GIF"),
        "2024/avif as.jpg": encoded(whole, "AVIF"),
        "2024/noted.png": noted(encoded(whole, "PNG")),
        "broken.tif": broken_tiff(),
    }.items():
        (folder / name).write_bytes(data)
    command = ["predict", "--model", finished.folder / "gen-0", "--images", folder, "--out", "labels.csv", "--json"]
    result = noisystudent(*command)
    assert result.status == 0
    assert result.json["images"] == 6
    (skipped,) = result.json["skipped"]
    assert (skipped["id"], skipped["reason"]) == ("broken.tif", "damaged: the pixels cannot be decoded")
    assert result.message.count("left out: 3 .cr2 files: export these camera files as JPEG") == 1
    assert result.message.count("left out, since they are no images: 1 .txt file, 2 pipes, sockets or devices") == 1
    assert "tempfile.tif" not in result.stderr  # libtiff's own words

    one = noisystudent(*command[:4], folder / "c", "--out", "one.csv", "--json")
    some = noisystudent(*command[:4], folder / "*.jf*", "--out", "some.csv", "--json")
    assert (one.json["images"], some.json["images"]) == (1, 1)


def noted(png: bytes) -> bytes:
    """With a note of 4 MiB, compressed to a few KiB."""
    return png[:33] + chunk(b"zTXt", b"note\0\0" + zlib.compress(bytes(2**22))) + png[33:]


def broken_tiff() -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = bytearray(encoded(Image.fromarray(noise), "TIFF", compression="tiff_lzw"))
    data[200:400] = b"\xff" * 200
    return bytes(data)


def test_predictions_corrected_by_hand_train_a_new_teacher(
    finished: Any, images: Images, configuration: Callable[..., Path], noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "elsewhere" / "labels.csv"
    predict = ["predict", "--model", finished.folder, "--images", f"{images.unlabeled}/*.png", "--out", out]
    assert noisystudent(*predict).status == 0
    lines = out.read_text().splitlines()
    assert lines[0] == "path,label,confidence,id"
    kinds = [Path(line.split(",")[0]).name.partition("-")[0] for line in lines[1:]]
    corrected = [";".join([line.split(",")[0], kind]) for line, kind in zip(lines[1:], kinds, strict=True)]
    out.write_text("\n".join(["path;label", *corrected]) + "\n")
    config = configuration("teacher.steps=2", generations=0)
    result = noisystudent("train", "--labeled", out, "--config", config, "--out", "run", "--json")
    assert result.status == 0, result.stderr
    rows = [pq.read_table(tmp_path / "run/data" / f"{split}.parquet").num_rows for split in ("labeled", "val")]
    assert sum(rows) == 24


def test_a_dry_run_without_unlabeled_pictures_says_so(
    images: Images, configuration: Callable[..., Path], refused: Callable[..., str], noisystudent: Callable[..., Any]
) -> None:
    labeled = ["run", "--labeled", images.labeled, "--dry-run", "--config"]
    assert "--unlabeled is missing" in refused(*labeled, configuration())
    alone = noisystudent(*labeled, configuration(generations=0), "--json")
    assert [row["name"] for row in alone.json["networks"]] == ["teacher"]
