import pytest

from noisystudent.data.kinds import PassedOver, ending, is_image, is_left_behind, kind_of_bytes


@pytest.mark.parametrize(
    ("name", "end"),
    [("Cat.JPG", "jpg"), ("a.b.heic", "heic"), ("clip.0001", ""), ("photo 3.5 m", ""), ("README", ""), (".png", "")],
)
def test_endings(name: str, end: str) -> None:
    assert ending(name) == end


def test_what_systems_leave_behind_is_no_picture() -> None:
    for name in ("__MACOSX", "._1.png", "Thumbs.db", "@eaDir", "desktop.ini", ".DS_Store", "$RECYCLE.BIN", "#recycle"):
        assert is_left_behind(name), name
    for name in ("cat", "thumbs", ".", "macosx", "recycle bin"):
        assert not is_left_behind(name), name


def test_kinds_are_told_by_first_bytes() -> None:
    def container(*brands: bytes) -> bytes:
        body = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
        return (len(body) + 4).to_bytes(4, "big") + body + b"meta"

    assert kind_of_bytes(container(b"avif", b"mif1")) == "AVIF"
    assert kind_of_bytes(container(b"mif1", b"avif", b"miaf")) == "AVIF"
    assert kind_of_bytes(container(b"heic", b"mif1")) == "HEIC"
    assert kind_of_bytes(container(b"isom", b"mp42")) == "video"
    assert kind_of_bytes(b'<?xml version="1.0"?>\n<svg width="4">') == "SVG"
    assert kind_of_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:1") == "Git LFS"
    assert not is_image(b"BMW is a car, and this is a text")
    assert not is_image(b"")


def test_files_passed_over_are_counted_by_kind() -> None:
    passed = PassedOver()
    for name in ["a.CR2"] * 10 + ["b.txt", "c.txt", "notes", "d.json"]:
        passed.add(name)
    passed.add_special()
    assert passed.notes("photos") == [
        "photos: left out: 10 .cr2 files: export these camera files as JPEG",
        "photos: left out, since they are no images: 2 .txt files, 1 without an ending, 1 .json file, 1 pipes, sockets or devices",
    ]
    assert PassedOver().notes("photos") == []
