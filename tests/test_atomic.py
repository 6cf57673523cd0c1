import hashlib
import json
from pathlib import Path

import pytest

from noisystudent import atomic


def test_a_failing_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write() -> None:
        with atomic.replacing(path) as temporary:
            temporary.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_is_replaced_only_when_the_block_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "a.txt"
    with atomic.replacing(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
        assert temporary.parent == path.parent  # a rename is atomic within a file system only
    assert path.read_text() == "new"
    with atomic.replacing(path) as temporary:
        temporary.write_text("newer")
        assert path.read_text() == "new"
    assert path.read_text() == "newer"
    assert list(path.parent.iterdir()) == [path]


def test_a_failing_write_leaves_the_old_folder(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").touch()

    def write() -> None:
        with atomic.replacing_folder(path) as temporary:
            (temporary / "new").touch()
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write()
    assert [file.name for file in path.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_replaced_as_a_whole_even_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").touch()
    left_over = tmp_path / ".model.tmp"
    left_over.mkdir()
    (left_over / "half").touch()
    with atomic.replacing_folder(path) as temporary:
        (temporary / "sub").mkdir()
        (temporary / "sub" / "new").write_text("whole")
        assert (path / "old").exists()
    assert [str(file.relative_to(path)) for file in sorted(path.rglob("*"))] == ["sub", "sub/new"]
    assert list(tmp_path.iterdir()) == [path]


def test_json_is_readable_and_refuses_what_json_does_not_have(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    atomic.write_json(path, {"name": "Käfer", "value": [1, 2.5, None]})
    assert json.loads(path.read_text(encoding="utf-8")) == {"name": "Käfer", "value": [1, 2.5, None]}
    assert "Käfer" in path.read_text(encoding="utf-8")
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON"):
            atomic.write_json(path, {"value": value})
    assert json.loads(path.read_text())["name"] == "Käfer"


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc" * 100_000)
    assert atomic.sha256(path) == hashlib.sha256(b"abc" * 100_000).hexdigest()
