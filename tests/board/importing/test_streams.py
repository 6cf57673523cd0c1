"""Objects out of files: every kind of file, every kind of broken one."""

from __future__ import annotations

import gzip
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noisystudent.board.importing import streams
from noisystudent.errors import UserError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.json"


def objects(file: Path) -> list[dict[str, Any]]:
    return [item.object for item in streams.items(file)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'[{"a": 1}, {"b": [2.5]}]', [{"a": 1}, {"b": [2.5]}]),
        (b'\xef\xbb\xbf[{"a": 1}]\n', [{"a": 1}]),
        (b'  {"a": 1}  ', [{"a": 1}]),
        (gzip.compress(b'[{"a": 1}]', mtime=0), [{"a": 1}]),
        (b" [ ] ", []),
        (b'[{"a": "\\ud800", "\\ud83d\\ude00": "\\ud83d\\ude00"}]', [{"a": "\ufffd", "😀": "😀"}]),
    ],
)
def test_reads(file: Path, content: bytes, expected: list[dict[str, Any]]) -> None:
    file.write_bytes(content)
    assert objects(file) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1, column 1: the file is empty"),
        (b"null", "line 1, column 1: a list of objects starts with '['"),
        (b"<html>", "line 1, column 1: a list of objects starts with '['"),
        (b'[{"a": 1},\n ]', "line 2, column 2: item 2: a comma with no item after it"),
        (b'[{"a": 1,}]', "line 1, column 10: item 1: Expecting property name"),
        (b'[{"a": 1}\n{"a": 2}]', "line 2, column 1: ',' or ']' is missing after item 1"),
        (b'[{"a": 1}', "line 1, column 10: ',' or ']' is missing after item 1"),
        (b'[{"a": 1},', "line 1, column 11: item 2: the file ends in the middle"),
        (b'[{"a":', "line 1, column 7: item 1: Expecting value"),
        (b'[{"a": 1}, 2]', "line 1, column 12: item 2: not an object"),
        (b'[{"a": NaN}]', "line 1, column 2: item 1: NaN is not JSON"),
        (b'[{"a": 1}] x', "line 1, column 12: the JSON has ended, but more follows"),
        (b'{"a": 1}\n{"a": 2}', "line 2, column 1: the JSON has ended, but more follows"),
        (b'[{"a": "\xff"}]', "byte 9: not UTF-8 (invalid start byte)"),
        (b'[{"a": "b\nc"}]', "line 1, column 10: item 1: Invalid control character"),
        (b'[{"a": ' + b"1" * 5000 + b"}]", "line 1, column 2: item 1: Exceeds the limit"),
        (b'[{"a": ' + b"[" * 1_000_000, "line 1, column 2: item 1: nested more than 100 deep"),
        (b'[{"a": ' + b"[" * 200 + b"]" * 200 + b"}]", "line 1, column 2: item 1: nested more than 100 deep"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "byte 1: a pointer of Git LFS"),
        (gzip.compress(b'[{"a": 1}]', mtime=0)[:-9], "broken gzip"),
        (b"\x1f\x8bno gzip at all", "broken gzip"),
        (b"PAR1 and no more", "not readable as Parquet"),
    ],
)
def test_refuses_with_file_and_position(file: Path, content: bytes, message: str) -> None:
    file.write_bytes(content)
    with pytest.raises(UserError) as caught:
        objects(file)
    assert str(caught.value).startswith(str(file))
    assert message in str(caught.value)


def test_a_missing_file_is_named(file: Path) -> None:
    with pytest.raises(UserError, match=r"file\.json: No such file"):
        objects(file)


def test_what_comes_before_a_mistake_is_handed_out_first(file: Path) -> None:
    file.write_text('[{"a": 1}, {"a": 2}, oops]')
    found = streams.items(file)
    assert next(found) == ("item 1", {"a": 1}, 1_008)
    assert next(found) == ("item 2", {"a": 2}, 1_008)
    with pytest.raises(UserError, match="item 3: not an object"):
        next(found)


def test_an_item_is_limited(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_OF_AN_ITEM", 1000)
    monkeypatch.setattr(streams, "CHUNK", 100)
    file.write_text(json.dumps([{"a": "x" * 900}, {"a": "x" * 5000}]))
    with pytest.raises(UserError, match="item 2: more than 1,000 characters in one item"):
        objects(file)
    file.write_text("[" + " " * 5000 + "]")
    with pytest.raises(UserError, match="more than 1,000 blanks"):
        objects(file)


def test_a_gzip_bomb_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "RATIO_COUNTS_FROM", 1 << 20)
    with gzip.open(file, "wb") as packed:
        packed.write(b'[{"a": 1}')
        for _ in range(64):
            packed.write(b',{"a": 1}' * 10_000)
        packed.write(b"]")
    with pytest.raises(UserError, match="unpacks to more than 200 times its size"):
        objects(file)


def test_the_whole_is_limited(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_BYTES", 10)
    file.write_text('[{"a": 1}, {"a": 2}]')
    with pytest.raises(UserError, match="more than 10 bytes"):
        objects(file)
    pq.write_table(pa.table({"a": [1, 2]}), file)
    with pytest.raises(UserError, match="more than 10 bytes"):
        objects(file)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    items=st.lists(st.dictionaries(st.text(), VALUES, max_size=4), max_size=4),
    chunk=st.integers(1, 9),
    indent=st.none() | st.integers(0, 2),
    ascii=st.booleans(),
)
def test_chunks_make_no_difference(
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    items: list[dict[str, Any]],
    chunk: int,
    indent: int | None,
    ascii: bool,
) -> None:
    monkeypatch.setattr(streams, "CHUNK", chunk)
    file.write_text(json.dumps(items, indent=indent, ensure_ascii=ascii), encoding="utf-8")
    assert objects(file) == items


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(st.sampled_from(["a", "\n", "é", " "]), max_size=30), chunk=st.integers(1, 9))
def test_the_position_is_exact(file: Path, monkeypatch: pytest.MonkeyPatch, before: list[str], chunk: int) -> None:
    monkeypatch.setattr(streams, "CHUNK", chunk)
    good = "[" + "".join(f'{{"a":{blank!r}}},'.replace("'", '"') if blank in "aé" else blank for blank in before)
    file.write_text(f"{good}!", encoding="utf-8")
    line, column = good.count("\n") + 1, len(good) - good.rfind("\n")
    with pytest.raises(UserError, match=f"line {line}, column {column}: item"):
        objects(file)


def test_parquet_rows_have_days_as_text(file: Path) -> None:
    rows = [{"date": datetime(2222, 12, 1), "rows": [{"day": date(2019, 11, 11), "model_name": "A"}], "flag": "False"}]
    pq.write_table(pa.Table.from_pylist(rows), file)
    assert objects(file) == [
        {"date": "2222-12-01", "rows": [{"day": "2019-11-11", "model_name": "A"}], "flag": "False"}
    ]


def test_a_cut_parquet_file_is_refused(file: Path) -> None:
    pq.write_table(pa.table({"a": list(range(1000))}), file)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(UserError, match="not readable as Parquet"):
        objects(file)
