"""Rows about images as CSV, JSON Lines or Parquet: to a file, whole or not at all, or to standard output as they come.

A column of lists is flattened in CSV: of `probabilities` come `probabilities.cat` and `probabilities.dog`, if the field's metadata name the
elements, and else `features.0`, `features.1` and so on. In JSON it is an object, or a list.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from noisystudent import atomic
from noisystudent.errors import UserError
from noisystudent.rundir import check_output_file

ENDINGS = (".csv", ".jsonl", ".parquet")
_NAMES = b"names"
Write = Callable[[pa.Table], None]


def check_row_file(out: Path) -> None:
    """Find out before the work is done whether rows can be written to a file.

    Raises:
        UserError: it ends in none of `ENDINGS`, it is there already, or it cannot be.
    """
    if out.suffix not in ENDINGS:
        raise UserError(f"--out {out}: end it in .csv, .jsonl or .parquet")
    check_output_file(out)
    if out.exists():
        raise UserError(
            f"--out {out} is there already, perhaps with corrections by hand: give another name, or delete it"
        )


def named_list(name: str, kind: pa.DataType, names: Sequence[str]) -> pa.Field:
    """A column of lists whose elements have names: those of a Parquet file keep them in the field's metadata.

    Example:
        >>> field = named_list("probabilities", pa.list_(pa.float16(), 2), ["cat", "dog"])
        >>> flat_names(pa.schema([("id", pa.string()), field]))
        ['id', 'probabilities.cat', 'probabilities.dog']
    """
    return pa.field(name, kind, metadata={_NAMES: json.dumps(list(names))})


def flat_names(schema: pa.Schema) -> list[str]:
    """The columns that a CSV file of these rows has."""
    found = []
    for field in schema:
        if pa.types.is_fixed_size_list(field.type):
            found += [f"{field.name}.{name}" for name in _element_names(field) or range(field.type.list_size)]
        else:
            found.append(field.name)
    return found


def _element_names(field: pa.Field) -> list[str]:
    names: list[str] = json.loads((field.metadata or {}).get(_NAMES, b"[]"))
    return names


@contextmanager
def row_file(out: Path, schema: pa.Schema) -> Iterator[Write]:
    """What writes rows of this schema to a file; it is there when the block has ended well."""
    with atomic.replacing(out) as temporary:
        if out.suffix == ".parquet":
            with pq.ParquetWriter(temporary, schema) as writer:
                yield writer.write_table
            return
        with temporary.open("w", encoding="utf-8", newline="") as file:
            yield _text_writer(out.suffix, file, schema)


@contextmanager
def standard_output(kind: str, schema: pa.Schema) -> Iterator[Write]:
    """What writes rows to standard output, where a reader sees them at once; `kind` is "csv" or "jsonl"."""
    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
    try:
        write = _text_writer(f".{kind}", out, schema)

        def write_now(rows: pa.Table) -> None:
            write(rows)
            out.flush()

        yield write_now
    finally:
        out.detach()


def _text_writer(ending: str, file: TextIO, schema: pa.Schema) -> Write:
    if ending == ".jsonl":
        return lambda rows: file.writelines(
            json.dumps(row, ensure_ascii=False) + "\n" for row in as_objects(rows.cast(schema))
        )
    # The reader's quotes stand around a lone carriage return too only where lines end in one.
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\r\n")

    def write(rows: Sequence[Sequence[Any]]) -> None:
        for row in rows:
            writer.writerow(row)
            file.write(line.getvalue()[:-2] + "\n")
            line.seek(0)
            line.truncate()

    write([flat_names(schema)])
    return lambda rows: write(list(zip(*_flat_columns(rows), strict=True)))


def _flat_columns(rows: pa.Table) -> list[list[Any]]:
    columns: list[list[Any]] = []
    for column in rows.columns:
        if pa.types.is_fixed_size_list(column.type):
            values = column.combine_chunks().flatten()
            columns += [values[place :: column.type.list_size].to_pylist() for place in range(column.type.list_size)]
        else:
            columns.append(column.to_pylist())
    return columns


def as_objects(rows: pa.Table) -> list[dict[str, Any]]:
    """The rows as JSON values.

    Example:
        >>> as_objects(pa.table({"id": ["a"], "label": pa.array([None], pa.string())}))
        [{'id': 'a', 'label': None}]
    """
    objects: list[dict[str, Any]] = rows.to_pylist()
    for field in rows.schema:
        if names := _element_names(field):
            for row in objects:
                row[field.name] = dict(zip(names, row[field.name], strict=True))
    return objects
