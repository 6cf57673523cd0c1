"""CSV and Parquet tables that list images, or hold them."""

from __future__ import annotations

import csv
import json
import os
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from noisystudent.data.listing import Listing, as_text, short_names, some
from noisystudent.data.uris import file_uri, file_uris

ADVICE = "fill in the column 'label'"


def list_csv(path: str) -> Listing:
    """List the images of a CSV file with a header: column `path`, and optionally `label` and `id`."""
    name = as_text(path)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
        if problem := _column_problem(name, header, ["path"]):
            return Listing(problems=[problem], label_problems=_no_label(name, header))
        columns = [column for column in ("path", "label", "id") if column in header]
        table = pyarrow.csv.read_csv(
            path,
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=columns,
                column_types=dict.fromkeys(columns, pa.string()),
                null_values=[""],  # and not "NA" or "null", which may be names of classes
                strings_can_be_null=True,
            ),
        )
    except (pa.ArrowException, UnicodeDecodeError, csv.Error, OSError) as error:
        return Listing(problems=[f"{name} cannot be read as CSV in UTF-8: {error}"])
    listing = Listing(advice=ADVICE, label_problems=_no_label(name, header))
    _add_rows(listing, path, table)
    listing.labels = _numbers_if_all_are(table["label"]) if "label" in header else None
    return listing


def list_parquet(paths: list[str]) -> Listing:
    """List the images of Parquet files, one after the other: column `path` or `image`, optionally `label` and `id`."""
    listing = Listing(advice=ADVICE)
    labels: list[Any] = []
    for path, short in zip(paths, short_names(paths), strict=True):
        try:
            with pq.ParquetFile(path) as file:
                labels.append(_add_parquet(listing, path, short, file))
        except (pa.ArrowException, OSError) as error:
            listing.problems.append(f"{as_text(path)} cannot be read as Parquet: {error}")
    if not listing.problems:
        listing.labels = _joined(listing, labels)
    return listing


def _add_parquet(listing: Listing, path: str, short: str, file: pq.ParquetFile) -> pa.ChunkedArray | None:
    """Add a file's rows to the listing, without reading its images; its labels are returned."""
    schema, name = file.schema_arrow, as_text(path)
    listing.label_problems += _no_label(name, schema.names)
    if problem := _column_problem(name, schema.names, ["path", "image"]):
        listing.problems.append(problem)
        return None
    in_file = "path" not in schema.names
    if in_file and not _holds_images(schema.field("image").type):
        listing.problems.append(
            f"{name}: column 'image' is {schema.field('image').type}: give encoded images as binary (or a struct with"
            " 'bytes'), or name files in a column 'path'"
        )
        return None
    table = file.read(columns=[column for column in ("path", "label", "id") if column in schema.names])
    if in_file:
        rows = range(file.metadata.num_rows)
        uri = file_uri(os.path.abspath(path)) + "#column=image&row="
        listing.uris += [uri + str(row) for row in rows]
        listing.ids += (
            table["id"].cast(pa.string()).to_pylist()
            if "id" in table.column_names
            else [f"{short}:{row}" for row in rows]
        )
    else:
        _add_rows(listing, path, table)
    if "label" not in schema.names:
        return None
    class_names = _class_names(schema)
    if listing.class_names not in ((), class_names):
        listing.problems.append(f"{name}: its class names differ from those of the files before it")
    listing.class_names = class_names
    return _plain_labels(table["label"], name, listing)


def _add_rows(listing: Listing, path: str, table: pa.Table) -> None:
    """Add rows that name files, relative to the table's folder or absolute."""
    files = table["path"].cast(pa.string())
    if files.null_count:
        first = ", ".join(str(1 + row) for row in pc.indices_nonzero(files.is_null()).slice(0, 5).to_pylist())
        listing.problems.append(
            f"{as_text(path)}: 'path' is empty in {files.null_count:,} rows (the first: {first}, counted from 1"
            " without the header)"
        )
        return
    folder = os.path.dirname(os.path.abspath(path))
    names: list[str] = files.to_pylist()
    listing.uris += file_uris(folder, names)
    listing.ids += table["id"].cast(pa.string()).to_pylist() if "id" in table.column_names else names


def _column_problem(name: str, columns: list[str], wanted: list[str]) -> str:
    quoted = " or ".join(repr(column) for column in wanted)
    if not any(column in columns for column in wanted):
        return f"{name} has no column {quoted}: it has {some(columns) or 'no columns'}"
    twice = [column for column in ("path", "image", "label", "id") if columns.count(column) > 1]
    return f"{name} has more than one column {some(twice)}: keep one" if twice else ""


def _no_label(name: str, columns: list[str]) -> list[str]:
    return [] if "label" in columns else [f"{name} has no column 'label': it has {some(columns) or 'no columns'}"]


def _holds_images(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return any(kind.field(i).name == "bytes" for i in range(kind.num_fields))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _class_names(schema: pa.Schema) -> tuple[str, ...]:
    """The names that Hugging Face's `datasets` keeps beside a ClassLabel column, if it wrote the file."""
    try:
        names = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]["label"]["names"]
    except (KeyError, TypeError, ValueError):
        return ()
    return tuple(str(name) for name in names)


def _plain_labels(labels: pa.ChunkedArray, name: str, listing: Listing) -> pa.ChunkedArray | None:
    """Labels as int64 or string, whatever kind of column they came in."""
    if pa.types.is_dictionary(labels.type):
        labels = labels.cast(labels.type.value_type)
    text = pa.types.is_string(labels.type) or pa.types.is_large_string(labels.type)
    try:
        return labels.cast(pa.string() if text else pa.int64())
    except pa.ArrowException:
        listing.label_problems.append(f"{name}: column 'label' is {labels.type}: give whole numbers or names")
        return None


def _numbers_if_all_are(labels: pa.ChunkedArray) -> pa.ChunkedArray:
    """CSV has no types: labels are numbers if every one is written as a number is (and not, say, as 007)."""
    try:
        numbers = labels.cast(pa.int64())
    except pa.ArrowException:
        return labels
    same = pc.all(pc.equal(numbers.cast(pa.string()), labels)).as_py()
    return numbers if same is not False else labels


def _joined(listing: Listing, labels: list[Any]) -> pa.ChunkedArray | None:
    """The labels of several files as one column, or None when a file has none."""
    if not labels or any(column is None for column in labels):
        return None
    if len({column.type for column in labels}) > 1:
        listing.label_problems.append("column 'label' holds numbers in some files and names in others")
        return None
    return pa.chunked_array([chunk for column in labels for chunk in column.chunks], labels[0].type)
