import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from noisystudent.data.decoding import decode, read_bytes
from noisystudent.data.manifest import SCHEMA, Manifest
from noisystudent.data.sources import read_source
from noisystudent.errors import UserError
from noisystudent.extras import how_to_install


def png(value: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (4, 4), value).save(file, "PNG")
    return file.getvalue()


def write(path: Path, value: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(value))


def read(source: str | Path, labels: Literal["required", "optional", "ignored"] = "optional") -> Manifest:
    return read_source(source, split="train", labels=labels)


def values(manifest: Manifest) -> list[int]:
    """The brightness of each picture, read through its address."""
    uris = manifest.table["uri"].to_pylist()
    return [int(np.asarray(decode(read_bytes(uri), channels=1))[0, 0]) for uri in uris]


def named(manifest: Manifest) -> list[str | None]:
    return [manifest.class_names[label] if label >= 0 else None for label in manifest.labels]


def problems(source: object, labels: Literal["required", "optional", "ignored"] = "required") -> str:
    with pytest.raises(UserError) as caught:
        read(source, labels)
    return str(caught.value)


# Folders


def test_class_folders(tmp_path: Path) -> None:
    for value, name in enumerate(["dog/b.PNG", "cat/z.jpeg", "cat/deep/er/a.png", "dog/a b.png"]):
        write(tmp_path / name, value)
    for ignored in ["dog/notes.txt", "dog/.hidden.png", ".git/x.png", "cat/.cache/y.png"]:
        write(tmp_path / ignored)
    manifest = read(tmp_path, "required")
    assert manifest.table.schema.equals(SCHEMA)
    assert manifest.ids == ["cat/deep/er/a.png", "cat/z.jpeg", "dog/a b.png", "dog/b.PNG"]
    assert manifest.class_names == ("cat", "dog")
    assert manifest.labels.tolist() == [0, 0, 1, 1]
    assert values(manifest) == [2, 1, 3, 0]
    assert set(manifest.table["split"].to_pylist()) == {"train"}
    assert read(tmp_path, "ignored").labels.tolist() == [-1] * 4
    assert read(tmp_path, "ignored").class_names == ()


def test_flat_folder(tmp_path: Path) -> None:
    write(tmp_path / "a.png")
    write(tmp_path / "b.tif")
    assert read(tmp_path).labels.tolist() == [-1, -1]
    assert "no image has a label: put the images of each class into a folder named after it" in problems(tmp_path)


def test_odd_names(tmp_path: Path) -> None:
    names = [b'it\'s "q".png', b"<script>alert(1)</script>.png".replace(b"/", b"_"), b"new\nline.png", b"\xff\xe9.png"]
    for value, name in enumerate(sorted(names)):
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(png(value))
    manifest = read(tmp_path)
    assert "\\xff\\xe9.png" in manifest.ids
    assert sorted(values(manifest)) == [0, 1, 2, 3]
    for id in manifest.ids:
        id.encode("utf-8")


def test_every_bad_class_is_named_at_once(tmp_path: Path) -> None:
    write(tmp_path / "cat/a.png")
    for empty in ("bird", "dog"):
        (tmp_path / empty).mkdir()
    message = problems(tmp_path)
    assert "no images in 'bird', 'dog': add images or delete the folder" in message
    assert read(tmp_path).class_names == ("cat",)


def test_one_class_and_none(tmp_path: Path) -> None:
    assert "no images there" in problems(tmp_path, "ignored")
    write(tmp_path / "cat/a.png")
    assert "all images are of one class" in problems(tmp_path)
    write(tmp_path / "dog/a.png")
    write(tmp_path / "beside.png")
    assert "1 of 3 images have no label (the first in row 1): 'beside.png'" in problems(tmp_path)


def test_images_are_known_by_many_endings_and_by_their_first_bytes(tmp_path: Path) -> None:
    names = ["a.jfif", "b.jpe", "c.mpo", "d.AVIF", "e.apng", "f", "g.0001", "h.dib"]
    for value, name in enumerate(names):
        write(tmp_path / name, value)
    (tmp_path / "README").write_text("no picture")
    (tmp_path / "words.txt").write_text("no picture")
    for number in range(10):
        write(tmp_path / f"{number}.CR2")
    manifest = read(tmp_path)
    assert manifest.ids == names
    assert values(manifest) == list(range(8))
    assert manifest.notes == (
        f"{tmp_path}: left out: 10 .cr2 files: export these camera files as JPEG",
        f"{tmp_path}: left out, since they are no images: 1 without an ending, 1 .txt file",
    )


def test_a_folder_of_other_kinds_says_what_there_is(tmp_path: Path) -> None:
    write(tmp_path / "cat/a.psd")
    message = problems(tmp_path, "ignored")
    assert "no images there (JPEG, PNG, WebP, AVIF, BMP, GIF, TIFF)" in message
    assert "1 .psd file: convert them to PNG or JPEG" in message
    write(tmp_path / "dog/a.png")
    assert "1 .psd file: convert them to PNG or JPEG" in problems(tmp_path)


def test_what_systems_leave_behind_is_neither_image_nor_class(tmp_path: Path) -> None:
    for name in ("cat/a.png", "dog/a.png", "__MACOSX/cat/._a.png", "__MACOSX/cat/b.png", "@eaDir/a.png/SYNO_THUMB.jpg"):
        write(tmp_path / name)
    write(tmp_path / "dog/Thumbs.db")
    manifest = read(tmp_path, "required")
    assert manifest.ids == ["cat/a.png", "dog/a.png"]
    assert manifest.notes == ()


def test_pipes_and_devices_are_no_images(tmp_path: Path) -> None:
    write(tmp_path / "a.png")
    os.mkfifo(tmp_path / "b.png")
    (tmp_path / "c.png").symlink_to(tmp_path / "b.png")
    (tmp_path / "d").symlink_to("/dev/zero")
    manifest = read(tmp_path)
    assert manifest.ids == ["a.png"]
    assert manifest.notes == (f"{tmp_path}: left out, since they are no images: 3 pipes, sockets or devices",)
    for name in ("b.png", "c.png", "t.csv", "t.tar"):
        if name.startswith("t."):
            os.mkfifo(tmp_path / name)
        assert "is a pipe, a socket or a device" in problems(tmp_path / name)
    assert len(read(f"{tmp_path}/*.png")) == 1


def test_names_equal_to_the_eye_are_one_class(tmp_path: Path) -> None:
    for value, name in enumerate(["re\u0301sine/a.png", "r\u00e9sine/b.png", "dog/a.png", "dog /b.png"]):
        write(tmp_path / name, value)
    manifest = read(tmp_path, "required")
    assert manifest.class_names == ("dog", "r\u00e9sine")
    assert named(manifest) == ["dog", "dog", "r\u00e9sine", "r\u00e9sine"]
    (tmp_path / "re\u0301sine 2").mkdir()
    assert "no images in 'r\u00e9sine 2'" in problems(tmp_path)


def test_classes_that_differ_in_capitals_alone_are_named(tmp_path: Path) -> None:
    for name in ("Dog/a.png", "dog/a.png", "cat/a.png"):
        write(tmp_path / name)
    (note,) = read(tmp_path, "required").notes
    assert "the classes 'Dog' and 'dog' are told apart" in note
    assert read(tmp_path, "ignored").notes == ()


def test_a_file_a_pattern_and_folders(tmp_path: Path) -> None:
    for value, name in enumerate(["x/cat/a.png", "x/cat/b.jpg", "x/dog/c.png", "x/dog/deep/d.png", "x/e"]):
        write(tmp_path / name, value)
    (tmp_path / "x" / "words.txt").write_text("no picture")
    write(tmp_path / "x/[1].png", 9)
    for source, found in {
        "x/cat/b.jpg": {"b.jpg": 1},
        "x/e": {"e": 4},
        "x/[1].png": {"[1].png": 9},
        "x/cat/*.png": {"a.png": 0},
        "x/*/*.png": {"cat/a.png": 0, "dog/c.png": 2},
        "x/**/*.png": {"[1].png": 9, "cat/a.png": 0, "dog/c.png": 2, "dog/deep/d.png": 3},
        "x/{cat,dog}": {"cat/a.png": 0, "cat/b.jpg": 1, "dog/c.png": 2, "dog/deep/d.png": 3},
    }.items():
        manifest = read(tmp_path / source)
        assert dict(zip(manifest.ids, values(manifest), strict=True)) == found, source
    assert named(read(tmp_path / "x/{cat,dog}/*.png", "required")) == ["cat", "dog"]
    assert read(tmp_path / "x/*").notes == (f"{tmp_path}/x/*: left out, since they are no images: 1 .txt file",)
    assert "no image source: give" in problems(tmp_path / "x" / "words.txt")
    assert "'" + str(tmp_path / "x" / "no.png") + "' does not exist" in problems(tmp_path / "x" / "no.png")


def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    root = tmp_path / "root"
    write(outside / "o.png", 9)
    write(root / "b/one.png", 1)
    write(root / "z/two.png", 2)
    (root / "a").symlink_to(outside)  # another folder
    (root / "b/up").symlink_to(root)  # loops
    (root / "b/across").symlink_to(root / "z")
    (root / "z/back").symlink_to(root / "b")
    (root / "loop").symlink_to(root)
    (root / "b/self.png").symlink_to(root / "b/self.png")
    (root / "b/link.png").symlink_to(outside / "o.png")
    (outside / "home").symlink_to(root)
    manifest = read(root)
    assert manifest.ids == ["a/o.png", "b/link.png", "b/one.png", "b/self.png", "z/two.png"]
    assert manifest.class_names == ("a", "b", "z")
    assert read(root, "required").ids == manifest.ids


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    assert f"'{tmp_path}/no' does not exist" in problems(tmp_path / "no")
    (tmp_path / "x.zip").write_bytes(b"")
    assert "x.zip is no image source (unpack them first): give a folder" in problems(tmp_path / "x.zip")


# CSV


def test_csv(tmp_path: Path) -> None:
    write(tmp_path / "img/a b.png", 1)
    write(tmp_path / "img/new\nline.png", 2)
    write(tmp_path / "img/ü.png", 3)
    rows = f'label,path,extra\ndog,img/a b.png,1\nNA,"img/new\nline.png",2\n,{tmp_path}/img/ü.png,3\n'
    (tmp_path / "t.csv").write_text("\ufeff" + rows, encoding="utf-8")
    manifest = read(tmp_path / "t.csv")
    assert manifest.ids == ["img/a b.png", "img/new\nline.png", f"{tmp_path}/img/ü.png"]
    assert values(manifest) == [1, 2, 3]
    assert named(manifest) == ["dog", "NA", None]
    assert "1 of 3 images have no label (the first in row 3)" in problems(tmp_path / "t.csv")
    assert read(tmp_path / "t.csv", "ignored").class_names == ()


@pytest.mark.parametrize(
    ("labels", "names", "numbers"),
    [
        (["10", "9", "10", ""], ("9", "10"), [1, 0, 1, -1]),
        (["007", "7", "7", ""], ("007", "7"), [0, 1, 1, -1]),
        (["-1", "5", "3", "3"], ("3", "5"), [-1, 1, 0, 0]),
        (["b", "a", "1", "a"], ("1", "a", "b"), [2, 1, 0, 1]),
        (["", "", "", ""], (), [-1, -1, -1, -1]),
    ],
)
def test_csv_labels(tmp_path: Path, labels: list[str], names: tuple[str, ...], numbers: list[int]) -> None:
    rows = [f"{i}.png,{label}" for i, label in enumerate(labels)]
    (tmp_path / "t.csv").write_text("\n".join(["path,label", *rows]))
    manifest = read(tmp_path / "t.csv")
    assert manifest.class_names == names
    assert manifest.labels.tolist() == numbers


@pytest.mark.parametrize("delimiter", [",", ";", "\t", ", "])
def test_csv_as_spreadsheets_write_it(tmp_path: Path, delimiter: str) -> None:
    for value, name in enumerate("abc"):
        write(tmp_path / f"{name}.png", value)
    rows = [["path", "label", "note"], ["a.png", "cat", "x"], ["b.png", " dog", "y"], ["c.png", "cat ", "x" * 2**21]]
    text = "".join(delimiter.join(row) + "\r\n" for row in rows)
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    manifest = read(tmp_path / "t.csv", "required")
    assert values(manifest) == [0, 1, 2]
    assert named(manifest) == ["cat", "dog", "cat"]


@pytest.mark.parametrize(
    ("encoding", "found"), [("utf-16", "UTF-16"), ("utf-16-le", "UTF-16"), ("latin-1", "another encoding")]
)
def test_csv_in_another_encoding(tmp_path: Path, encoding: str, found: str) -> None:
    for text in ("path,label\na.png,r\u00e9sine\n", "path,label,r\u00e9sine\na.png,x,y\n"):
        (tmp_path / "t.csv").write_bytes(text.encode(encoding))
        assert f"t.csv is not UTF-8 but {found}" in problems(tmp_path / "t.csv", "ignored")


def test_numbers_are_the_same_classes_in_csv_and_parquet(tmp_path: Path) -> None:
    for text in ("0\n1\n0", "0.0\n1.0\n0.0", "0\n1.0\n0.0"):
        rows = "".join(f"{i}.png,{label}\n" for i, label in enumerate(text.split("\n")))
        (tmp_path / "t.csv").write_text("path,label\n" + rows)
        assert named(read(tmp_path / "t.csv", "required")) == ["0", "1", "0"]
    paths = [f"{i}.png" for i in range(4)]
    for labels in ([0.0, 1.0, 0.0, float("nan")], ["0.0", "1", "0", None], [0, 1, 0, None]):
        pq.write_table(pa.table({"path": paths, "label": labels}), tmp_path / "t.parquet")
        assert named(read(tmp_path / "t.parquet")) == ["0", "1", "0", None]


def test_paths_as_people_write_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    names = ["img/a.png", "img/b.png", "img/c d.png", "home/e.png", "f\\g.png", "img/100%.png", "img/h#1.png", "~i.png"]
    for value, name in enumerate(names):
        write(tmp_path / "set" / name if not name.startswith("home") else tmp_path / name, value)
    folder = tmp_path / "set"
    written = [
        "img/a.png",
        "img\\b.png",
        f"file://{folder}/img/c%20d.png",
        "~/e.png",
        "f\\g.png",
        f"file://localhost{folder}/img/100%25.png",
        f"file://{folder}/img/h#1.png",
        "~i.png",
    ]
    (folder / "t.csv").write_text("path\n" + "\n".join(written) + "\n")
    assert values(read(folder / "t.csv")) == list(range(8))


def test_paths_that_cannot_be_here_are_named_with_a_hint(tmp_path: Path) -> None:
    rows = ["a.png", "https://example.org/a.png", "s3://bucket/a.png", "C:\\Users\\me\\a.png"]
    (tmp_path / "t.csv").write_text("path\n" + "\n".join(rows) + "\n")
    message = problems(tmp_path / "t.csv", "ignored")
    assert "'path' names images in the net in 2 rows (the first: row 2, 'https://example.org/a.png'" in message
    assert "download them and name the files" in message
    assert "on a drive of Windows in 1 rows (the first: row 4," in message


def test_bytes_in_a_table_win_over_paths(tmp_path: Path) -> None:
    table = {"path": ["gone/0.png", "gone/1.png"], "image": [png(0), png(1)], "label": ["cat", "dog"]}
    pq.write_table(pa.table(table), tmp_path / "t.parquet")
    assert values(read(tmp_path / "t.parquet", "required")) == [0, 1]
    write(tmp_path / "a.png", 5)
    pq.write_table(pa.table({"path": ["a.png"], "image": ["an id"]}), tmp_path / "p.parquet")
    assert values(read(tmp_path / "p.parquet")) == [5]


def test_csv_mistakes(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("file;class\na.png;x\n")
    assert problems(table).count("t.csv has no column") == 2  # path and label, at once
    assert "has no column 'path': it has 'file', 'class'" in problems(table)
    table.write_text("path\na.png\n")
    assert "has no column 'label': it has 'path'" in problems(table)
    table.write_text("path,label\na.png,x\n,y\na.png,z\n")
    assert "'path' is empty in 1 rows (the first: 2," in problems(table)
    table.write_text("path,label\na.png,x\nb.png,y\na.png,x\n")
    assert "1 ids occur more than once or are empty: 'a.png'" in problems(table)
    table.write_text("path,label\na.png,x,too,many\n")
    assert "cannot be read as CSV" in problems(table)
    table.write_bytes(b"path,label\n\xff.png,x\n")
    assert "is not UTF-8 but another encoding" in problems(table)
    table.write_text("")
    assert "it has no columns" in problems(table)
    table.write_text("path,label,id\na.png,x,1\na.png,y,2\n")
    assert read(table).ids == ["1", "2"]


def test_a_million_paths(tmp_path: Path) -> None:
    with (tmp_path / "t.csv").open("w") as file:
        file.write("path,label\n")
        file.writelines(f"folder/{i:07d}.jpg,{i % 10}\n" for i in range(1_000_000))
    manifest = read(tmp_path / "t.csv", "required")
    assert len(manifest) == 1_000_000
    assert manifest.class_names == tuple("0123456789")
    assert manifest.table["uri"][999_999].as_py() == f"file://{tmp_path}/folder/0999999.jpg"
    assert manifest.labels[-1] == 9


# Parquet


def test_parquet_with_bytes_in_several_files(tmp_path: Path) -> None:
    for shard in (1, 0):
        table = pa.table({"image": [png(10 * shard + i) for i in range(5)], "label": [i % 2 for i in range(5)]})
        pq.write_table(table, tmp_path / f"train-{shard}.parquet", row_group_size=2)
    pq.write_table(pa.table({"image": [png(99)], "label": [0]}), tmp_path / "test-0.parquet")
    (tmp_path / "labels.json").write_text("[]")
    manifest = read(f"{tmp_path}/train-*.parquet", "required")
    assert manifest.ids == [f"train-{shard}.parquet:{row}" for shard in (0, 1) for row in range(5)]
    assert values(manifest) == [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]
    assert manifest.labels.tolist() == [0, 1, 0, 1, 0] * 2
    assert len(read(tmp_path)) == 11


def test_parquet_as_hugging_face_writes_it(tmp_path: Path) -> None:
    write(tmp_path / "x.png", 7)
    images = [{"bytes": png(5), "path": "a.png"}, {"bytes": None, "path": "x.png"}]
    features = {"label": {"names": ["zebra", "ant", "unused"], "_type": "ClassLabel"}}
    table = pa.table({"image": images, "label": [1, 0]})
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(table.replace_schema_metadata(metadata), tmp_path / "t.parquet")
    manifest = read(tmp_path / "t.parquet", "required")
    assert manifest.class_names == ("zebra", "ant", "unused")
    assert named(manifest) == ["ant", "zebra"]
    assert values(manifest) == [5, 7]
    pq.write_table(table.set_column(1, "label", [[1, 3]]).replace_schema_metadata(metadata), tmp_path / "t.parquet")
    assert "there are 3 class names, but labels '3'" in problems(tmp_path / "t.parquet")


@pytest.mark.parametrize(
    ("label", "names"),
    [
        (["b", "a"], ["b", "a"]),
        (pa.array(["b", "a"]).dictionary_encode(), ["b", "a"]),
        (pa.array([10, 9], pa.uint8()), ["10", "9"]),
        ([1.0, 0.0], ["1", "0"]),
        ([True, False], ["1", "0"]),
    ],
)
def test_parquet_with_paths(tmp_path: Path, label: Any, names: list[str]) -> None:
    write(tmp_path / "a.png", 3)
    write(tmp_path / "b.png", 4)
    pq.write_table(pa.table({"path": ["a.png", "b.png"], "label": label, "id": [7, 8]}), tmp_path / "t.parquet")
    manifest = read(tmp_path / "t.parquet", "required")
    assert manifest.ids == ["7", "8"]
    assert values(manifest) == [3, 4]
    assert named(manifest) == names


def test_parquet_mistakes(tmp_path: Path) -> None:
    table = tmp_path / "t.parquet"
    pq.write_table(pa.table({"img": [b""]}), table)
    assert "has no column 'path' or 'image': it has 'img'" in problems(table)
    pq.write_table(pa.table({"image": ["a.png"], "label": [0.5]}), table)
    assert "column 'image' is string" in problems(table)
    pq.write_table(pa.table({"image": [b"x", b"y"], "label": [0.5, 1.0]}), table)
    assert "column 'label' is double: give whole numbers or names" in problems(table)
    table.write_bytes(b"PAR1")
    assert "cannot be read as Parquet" in problems(table)


# WebDataset


def add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def test_shards(tmp_path: Path) -> None:
    for shard in range(2):
        with tarfile.open(tmp_path / f"{shard:03d}.tar", "w") as tar:
            for i in range(3):
                add(tar, f"{i}.cls", str(10 - i).encode())
                add(tar, f"{i}.mask.png", png(200))
                add(tar, f"{i}.png", png(10 * shard + i))
            add(tar, "readme.txt", b"hello")
    manifest = read(f"{tmp_path}/{{000..001}}.tar", "required")
    assert manifest.ids == [f"{shard:03d}.tar:{i}" for shard in (0, 1) for i in range(3)]
    assert manifest.class_names == ("8", "9", "10")
    assert manifest.labels.tolist() == [2, 1, 0] * 2
    assert values(manifest) == [0, 1, 2, 10, 11, 12]
    assert len(read(tmp_path / "000.tar")) == 3
    assert len(read(f"{tmp_path}/{{000,001}}.tar")) == 6
    assert len(read(f"{tmp_path}/*.tar")) == 6
    message = problems(f"{tmp_path}/{{000..003}}.tar")
    assert "002.tar" in message
    assert "003.tar" in message
    assert "000.tar" not in message


def test_shard_labels_in_json_and_long_names(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "s.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        add(tar, "dir/" + "x" * 150 + "é.webp", png(1))
        add(tar, "dir/" + "x" * 150 + "é.json", b'{"label": "cat"}')
        add(tar, "other/a.jpg", png(2))
        add(tar, "other/a.json", b'{"label": 3, "more": [1]}')
        add(tar, "b.png", png(3))
    manifest = read(tmp_path / "s.tar")
    assert named(manifest) == ["cat", "3", None]
    assert values(manifest) == [1, 2, 3]
    assert manifest.ids[1] == "s.tar:other/a"


def test_shard_mistakes(tmp_path: Path) -> None:
    (tmp_path / "bad.tar").write_bytes(b"no tar" * 200)
    assert "cannot be read as an uncompressed tar file" in problems(tmp_path / "bad.tar")
    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        add(tar, "a.png", png(1))
        add(tar, "a.png", png(1))
        add(tar, "a.json", b"{")
    assert "'a.png' is there twice" in problems(tmp_path / "s.tar")
    assert "'a.json' holds no label" in problems(tmp_path / "s.tar")


def test_names_with_dots_are_keys_of_their_own_in_shards(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        for frame in range(3):
            add(tar, f"clip.{frame:03d}.png", png(frame))
        add(tar, "clip.cls", b"cat")
        add(tar, "clip.001.cls", b"dog")
        add(tar, "v1.2/photo.final.png", png(3))
        add(tar, "v1.2/photo.final.cls", b"0.0")
        add(tar, "plain", png(4))
        add(tar, "caption.txt", b"a text")
    manifest = read(tmp_path / "s.tar")
    assert manifest.ids == [f"s.tar:{key}" for key in ("clip.000", "clip.001", "clip.002", "v1.2/photo.final", "plain")]
    assert values(manifest) == [0, 1, 2, 3, 4]
    assert named(manifest) == ["cat", "dog", "cat", "0.0", None]
    assert manifest.notes == ()


def test_images_of_a_shard_that_are_left_out_are_named(tmp_path: Path) -> None:
    for name in ("0.tar", "1.tar"):
        with tarfile.open(tmp_path / name, "w") as tar:
            for member in ("a.png", "a.mask.png", "b.png", "b.jpg", "b.heif2", "c.cr2", "__MACOSX/._a.png"):
                add(tar, member, png(1))
    manifest = read(f"{tmp_path}/*.tar")
    assert manifest.ids == ["0.tar:a", "0.tar:b", "1.tar:a", "1.tar:b"]
    assert manifest.notes == (
        f"{tmp_path}/*.tar: left out: 2 .cr2 files: export these camera files as JPEG",
        f"{tmp_path}/*.tar: left out, since their samples have another image: 4, the first 'a.mask.png'",
    )


def test_links_within_a_shard_are_images_too(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        add(tar, "./x/a.png", png(7))
        for name, kind, target in (("x/b.png", tarfile.LNKTYPE, "./x/a.png"), ("x/c.png", tarfile.SYMTYPE, "a.png")):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = kind, target
            tar.addfile(link)
    assert values(read(tmp_path / "s.tar")) == [7, 7, 7]


# Hugging Face


def test_a_column_of_images_may_have_any_name(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    for column in ("image", "img", "picture"):
        features = datasets.Features({column: datasets.Image(), "image_id": datasets.Value("int64")})
        rows = {column: [{"bytes": png(i), "path": None} for i in range(3)], "image_id": [5, 6, 7]}
        datasets.Dataset.from_dict(rows, features=features).save_to_disk(str(tmp_path / column))
        assert values(read(f"hf:{tmp_path}/{column}")) == [0, 1, 2]


def test_hugging_face_folders(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"img": datasets.Image(), "label": datasets.ClassLabel(names=["dog", "cat"])})
    rows = {"img": [{"bytes": png(i), "path": None} for i in range(4)], "label": [0, 1, 1, -1]}
    data = datasets.Dataset.from_dict(rows, features=features)
    datasets.DatasetDict({"train": data, "test": data.select([2, 0])}).save_to_disk(str(tmp_path / "d"))
    manifest = read(f"hf:{tmp_path}/d:test", "required")
    assert manifest.ids == ["test/0", "test/1"]
    assert values(manifest) == [2, 0]
    assert manifest.class_names == ("dog", "cat")
    assert manifest.labels.tolist() == [1, 0]
    train = read(f"hf:{tmp_path}/d")  # no split named: the one it is wanted for
    assert train.labels.tolist() == [0, 1, 1, -1]
    assert values(train) == [0, 1, 2, 3]
    assert "has no split 'val': name one of 'train', 'test'" in problems(f"hf:{tmp_path}/d:val")
    assert "cannot be loaded" in problems(f"hf:{tmp_path}/nothing:train")


def test_hugging_face_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    assert how_to_install("hf") in problems("hf:some/where")


@pytest.mark.skipif("NOISYSTUDENT_DATA" not in os.environ, reason="NOISYSTUDENT_DATA is not set")
def test_cifar10() -> None:
    manifest = read(os.environ["NOISYSTUDENT_DATA"] + "/cifar10/train-*.parquet", "required")
    assert len(manifest) == 50_000
    assert np.bincount(manifest.labels).tolist() == [5000] * 10
