"""Sources that are not there: what might have been meant."""

from pathlib import Path

import pytest

from noisystudent.data.patterns import absent, absent_of


def test_a_path_that_is_nearly_right_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "labeled").mkdir()
    monkeypatch.chdir(tmp_path)
    for written in ("labelled", "labled/", f"{tmp_path}/labeld"):
        assert "does not exist (did you mean 'labeled'?): give a folder" in (absent(written) or "")
    for written in ("photos", "nowhere/labeled", "{labled,x}.csv", "lab*d.csv"):
        assert "did you mean" not in (absent(written) or "does not exist")
    assert absent("labeled") is None


def test_several_are_told_in_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.png").write_bytes(b"")
    assert absent_of(["a.png", "a.png"]) is None
    assert (
        absent_of(["b.png", "a.png", "c.png"]) == "'b.png', 'c.png' cannot be read: it is not there, or no image source"
    )
    assert absent_of(["b.png"]) == absent("b.png")
