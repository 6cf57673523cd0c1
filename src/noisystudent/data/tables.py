"""CSV and Parquet tables that list images, or hold them."""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from noisystudent.addresses import scheme
from noisystudent.data.labels import joined_labels, plain_labels
from noisystudent.data.listing import Listing, as_text, short_names
from noisystudent.data.stored_files import for_parquet, located
from noisystudent.data.uris import file_uri
from noisystudent.data.written_paths import written_uris
from noisystudent.errors import some

ADVICE = "fill in the column 'label'"
DELIMITERS = ",;\t"
HEADER = 2**18  # bytes in which a CSV file's first line must lie
BLOCK = 64 * 2**20  # bytes of CSV that are parsed at a time: the most that a row may have


def list_csv(path: str) -> Listing:
    """List the images of a CSV file with a header: column `path`, and optionally `label` and `id`.

    Commas, semicolons or tabs part the columns; the header tells which.
    """
    name = as_text(path)
    try:
        delimiter, written = csv_header(path)
        header = [column.strip() for column in written]
        if problem := _column_problem(name, header, ["path"]):
            return Listing(problems=[problem], label_problems=_no_label(name, header))
        columns = [column for column in written if column.strip() in ("path", "label", "id")]
        table = pyarrow.csv.read_csv(
            path,
            read_options=pyarrow.csv.ReadOptions(block_size=BLOCK),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=columns,
                column_types=dict.fromkeys(columns, pa.string()),
                null_values=[""],  # and not "NA" or "null", which may be names of classes
                strings_can_be_null=True,
            ),
        )
    except UnicodeDecodeError:
        return Listing(problems=[_not_utf8(path)])
    except (pa.ArrowException, csv.Error, OSError) as error:
        if "UTF8" in str(error):
            return Listing(problems=[_not_utf8(path)])
        return Listing(problems=[f"{name} cannot be read as CSV: {error}"])
    listing = Listing(advice=ADVICE, label_problems=_no_label(name, header))
    if columns != [column.strip() for column in columns]:  # "path, label": its values have the space too
        table = pa.table([pc.utf8_trim_whitespace(column) for column in table.columns], table.column_names)
    table = table.rename_columns([column.strip() for column in columns])
    _add_rows(listing, path, table)
    listing.labels = plain_labels(table["label"]) if "label" in header else None
    return listing


def csv_header(path: str) -> tuple[str, list[str]]:
    """What parts the columns of a CSV file, and their names: of the signs that give a column `path`, or else of all, the likeliest.

    Raises:
        UnicodeDecodeError: it is not UTF-8.
    """
    with open(path, "rb") as file:
        start = file.read(HEADER)
    end = start.rfind(b"\n") + 1 or len(start)  # not within a letter
    text = start[:end].decode("utf-8-sig" if b"\0" not in start else "ascii")
    headers = {sign: next(csv.reader(io.StringIO(text, newline=""), delimiter=sign), []) for sign in DELIMITERS}
    return max(headers.items(), key=lambda item: ("path" in map(str.strip, item[1]), len(item[1])))


def _not_utf8(path: str) -> str:
    with open(path, "rb") as file:
        start = file.read(HEADER)
    is_wide = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in start
    encoding = "UTF-16" if is_wide else "another encoding, perhaps Latin-1"
    return f"{as_text(path)} is not UTF-8 but {encoding}: save it as UTF-8 (spreadsheets call it 'CSV UTF-8')"


def list_parquet(paths: list[str]) -> Listing:
    """List the images of Parquet files, one after the other: column `path` or `image`, optionally `label` and `id`."""
    listing = Listing(advice=ADVICE)
    labels: list[Any] = []
    for path, short in zip(paths, short_names(paths), strict=True):
        try:
            with pq.ParquetFile(for_parquet(path)) as file:
                labels.append(_add_parquet(listing, path, short, file))
        except (pa.ArrowException, OSError) as error:
            listing.problems.append(f"{as_text(path)} cannot be read as Parquet: {error}")
    if not listing.problems:
        listing.labels = _joined(listing, labels)
    return listing


def _add_parquet(listing: Listing, path: str, short: str, file: pq.ParquetFile) -> pa.ChunkedArray | None:
    """Add a file's rows to the listing, without reading its images; its labels are returned as they are, if they can be used."""
    schema, name = file.schema_arrow, as_text(path)
    listing.label_problems += _no_label(name, schema.names)
    if problem := _column_problem(name, schema.names, ["path", "image"]):
        listing.problems.append(problem)
        return None
    in_file = "image" in schema.names and _holds_images(
        schema.field("image").type
    )  # what is here wins over what may be elsewhere
    if not in_file and "path" not in schema.names:
        listing.problems.append(
            f"{name}: column 'image' is {schema.field('image').type}: give encoded images as binary (or a struct with"
            " 'bytes'), or name files in a column 'path'"
        )
        return None
    table = file.read(columns=[column for column in ("path", "label", "id") if column in schema.names])
    if in_file:
        rows = range(file.metadata.num_rows)
        uri = file_uri(located(path)) + "#column=image&row="
        listing.uris += [uri + str(row) for row in rows]
        listing.ids += (
            table["id"].cast(pa.string()).to_pylist()
            if "id" in table.column_names
            else [f"{short}:{row}" for row in rows]
        )
    elif scheme(path):
        listing.problems.append(
            f"{name} names files in its column 'path': on another machine the images must be in the table"
        )
        return None
    else:
        _add_rows(listing, path, table)
    if "label" not in schema.names:
        return None
    class_names = _class_names(schema)
    if listing.class_names not in ((), class_names):
        listing.problems.append(f"{name}: its class names differ from those of the files before it")
    listing.class_names = class_names
    try:
        plain_labels(table["label"])
    except pa.ArrowException:
        listing.label_problems.append(f"{name}: column 'label' is {table['label'].type}: give whole numbers or names")
        return None
    return table["label"]


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
    names: list[str] = files.to_pylist()
    found, problems = written_uris(os.path.dirname(os.path.abspath(path)), names)
    listing.uris += found
    listing.problems += [f"{as_text(path)}: {problem}" for problem in problems]
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


def _joined(listing: Listing, labels: list[Any]) -> pa.ChunkedArray | None:
    """The labels of several files as one column, or None when a file has none."""
    if not labels or any(column is None for column in labels):
        return None
    try:
        return joined_labels(labels)
    except pa.ArrowException:
        listing.label_problems.append("column 'label' holds numbers in some files and names in others")
        return None
