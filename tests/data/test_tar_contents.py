import io
import os
import tarfile
from pathlib import Path

import pytest

from noisystudent.data import tar_contents, tars
from noisystudent.data.tars import list_tars


def write(path: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


MEMBERS = {
    "a.png": b"12",
    "a.cls": b"cat",
    "a.mask.png": b"1",
    "b.png": b"3",
    "b.json": b"{",
    "dir/c.jpg": b"4",
    "d.cr2": b"5",
    "\udce9.png": b"6",  # a name that is no text
    "e.txt": b"7",
}


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the tar files that are read."""
    found: list[str] = []
    read = tars._contents
    monkeypatch.setattr(tars, "_contents", lambda path: found.append(Path(path).name) or read(path))
    return found


def test_a_file_that_is_as_it_was_is_not_read_again(tmp_path: Path, opened: list[str]) -> None:
    paths = [str(tmp_path / name) for name in ("0.tar", "1.tar")]
    write(tmp_path / "0.tar", MEMBERS)
    write(tmp_path / "1.tar", {"x.png": b"8", "x.cls": b"dog", "x.seg.png": b"9"})
    plain = list_tars(paths, "s")
    first, again = (list_tars(paths, "s", tmp_path / "index") for _ in range(2))
    assert opened == ["0.tar", "1.tar"] * 2
    assert plain == first == again
    assert plain.label_problems
    assert len(plain.notes) == 2
    assert plain.labels is not None
    assert plain.labels.to_pylist() == ["cat", None, None, None, "dog"]

    write(tmp_path / "1.tar", {"x.png": b"8", "y.png": b"10"})
    assert list_tars(paths, "s", tmp_path / "index").ids[-2:] == ["1.tar:x", "1.tar:y"]
    assert opened[4:] == ["1.tar"]
    os.utime(tmp_path / "0.tar", (1, 1))
    list_tars(paths, "s", tmp_path / "index")
    assert opened[5:] == ["0.tar"]


def test_an_index_that_is_damaged_or_of_another_version_is_made_anew(
    tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "0.tar", MEMBERS)
    plain = list_tars([str(tmp_path / "0.tar")], "s", tmp_path / "index")
    (kept,) = (tmp_path / "index").iterdir()
    kept.write_bytes(kept.read_bytes()[:50])
    assert list_tars([str(tmp_path / "0.tar")], "s", tmp_path / "index") == plain
    monkeypatch.setattr(tar_contents, "VERSION", 0)
    assert list_tars([str(tmp_path / "0.tar")], "s", tmp_path / "index") == plain
    assert len(opened) == 3


def test_a_file_that_is_gone_is_a_problem_in_spite_of_its_index(tmp_path: Path) -> None:
    write(tmp_path / "0.tar", MEMBERS)
    list_tars([str(tmp_path / "0.tar")], "s", tmp_path / "index")
    (tmp_path / "0.tar").unlink()
    (problem,) = list_tars([str(tmp_path / "0.tar")], "s", tmp_path / "index").problems
    assert "0.tar cannot be read" in problem


def test_a_file_without_images(tmp_path: Path) -> None:
    write(tmp_path / "0.tar", {"a.txt": b"1"})
    for index in (None, tmp_path / "index", tmp_path / "index"):
        listing = list_tars([str(tmp_path / "0.tar")], "s", index)
        assert listing.ids == listing.uris == []
        assert listing.labels is None
