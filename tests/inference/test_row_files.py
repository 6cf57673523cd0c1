"""The same rows in every form, whatever is in a name."""

import csv
import io
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noisystudent.errors import UserError
from noisystudent.inference.row_files import check_row_file, named_list, row_file, standard_output

PATHS = ['/a, "b"\n.png', "/lone\rreturn.png", "/<script>é.png", "/=1+1.png"]
SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("label", pa.string()),
        ("confidence", pa.float32()),
        named_list("probabilities", pa.list_(pa.float16(), 2), ['c"at', "d,og"]),
        ("topk_labels", pa.list_(pa.string(), 1)),
    ]
)
ROWS = [
    {"path": path, "label": label, "confidence": 0.75, "probabilities": [0.75, 0.25], "topk_labels": ["d,og"]}
    for path, label in zip(PATHS, ['c"at', None, "d,og", "d,og"], strict=True)
]
TABLES = [pa.Table.from_pylist(ROWS[:1], schema=SCHEMA), pa.Table.from_pylist(ROWS[1:], schema=SCHEMA)]


def objects() -> list[dict[str, Any]]:
    return [{**row, "probabilities": {'c"at': 0.75, "d,og": 0.25}} for row in ROWS]


def flat() -> list[dict[str, str]]:
    return [
        {
            "path": str(row["path"]),
            "label": str(row["label"] or ""),
            "confidence": "0.75",
            'probabilities.c"at': "0.75",
            "probabilities.d,og": "0.25",
            "topk_labels.0": "d,og",
        }
        for row in ROWS
    ]


def written(out: Path) -> Path:
    with row_file(out, SCHEMA) as write:
        for table in TABLES:
            write(table)
    return out


def test_each_form_has_the_same_rows(tmp_path: Path) -> None:
    assert pq.read_table(written(tmp_path / "new" / "a.parquet")).to_pylist() == ROWS
    lines = written(tmp_path / "a.jsonl").read_text(encoding="utf-8").split("\n")
    assert [json.loads(line) for line in lines[:-1]] == objects()
    with written(tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == flat()
    assert b"\r\n" not in (tmp_path / "a.csv").read_bytes()  # `read` and `awk` would take the return for a letter


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_standard_output_has_what_a_file_has_and_batch_after_batch(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(sink, encoding="latin-1"))
    whole = written(tmp_path / f"a.{kind}").read_bytes()
    with standard_output(kind, SCHEMA) as write:
        write(TABLES[0])
        begun = sink.getvalue()
        assert whole.startswith(begun)
        assert "b" in begun.decode()
        write(TABLES[1])
    assert sink.getvalue() == whole


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    def stopped(out: Path) -> None:
        with row_file(out, SCHEMA) as write:
            write(TABLES[0])
            raise KeyboardInterrupt

    for ending in ("csv", "jsonl", "parquet"):
        with pytest.raises(KeyboardInterrupt):
            stopped(tmp_path / f"a.{ending}")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "labels.csv"
    check_row_file(out)
    out.write_text("path,label\na.png,corrected by hand\n")
    with pytest.raises(UserError, match=r"labels\.csv is there already, perhaps with corrections by hand"):
        check_row_file(out)
    with pytest.raises(UserError, match=r"end it in \.csv, \.jsonl or \.parquet"):
        check_row_file(tmp_path / "a.txt")
