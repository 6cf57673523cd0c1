"""The objects of a file, one after the other, in bounded memory: JSON, gzipped JSON, Parquet.

JSON is read by the standard library's decoder over a window of the text. It is strict, knows the position of a mistake, and stops at
a depth; a parser of events that keeps the path of every level (ijson) needs memory with the square of the depth.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import itertools
import json
import re
import zlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, NoReturn

import pyarrow as pa
import pyarrow.parquet as pq

from noisystudent.errors import UserError

MOST_BYTES = 16 << 30  # of a file when it is unpacked; the whole archive has about 3 GB
MOST_OF_AN_ITEM = 32 << 20  # characters
MOST_RATIO = 200  # unpacked to packed; JSON reaches 20, a bomb 1,000
RATIO_COUNTS_FROM = 64 << 20  # bytes
DEEPEST = 100  # a task six levels down stands 12 deep
CHUNK = 1 << 20
ROWS = 256  # of a Parquet file that are in memory together

_BLANK = re.compile(r"[ \t\r\n]*")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_GIT_LFS = b"version https://git-lfs"


class Item(NamedTuple):
    """An object of a file, where it stands ("item 17", counted from 1), and how large it is as JSON: see `_size`."""

    where: str
    object: dict[str, Any]
    size: int


def items(path: Path) -> Iterator[Item]:
    """The objects of a file: those of its top-level list, its only one, or the rows of a Parquet file.

    Of a folder, those of its JSON files. The kind of file is read from its first bytes, not from its name.

    Raises:
        UserError: the file is not what it should be, or is made to use up memory; it names file, position and reason.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "tasks.json"
        >>> _ = file.write_text('[{"task": "Parsing"}]')
        >>> list(items(file))
        [Item(where='item 1', object={'task': 'Parsing'}, size=1019)]
    """
    if path.is_dir():
        for one in json_files(path):
            called = one.name.encode("utf-8", "replace").decode()
            yield from (Item(f"{called}, {item.where}", item.object, item.size) for item in items(one))
        return
    try:
        with path.open("rb") as file:
            start = file.read(len(_GIT_LFS))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}") from error
    if start == _GIT_LFS:
        raise UserError(f"{path}, byte 1: a pointer of Git LFS, not the file itself; `git lfs pull` fetches it")
    if is_table(path):
        yield from _table_rows(path)
        return
    rows = _rows(path) if start.startswith(b"PAR1") else _objects(path)
    for number, (item, size) in enumerate(rows, 1):
        yield Item(f"item {number}", item, size)


def json_files(folder: Path) -> list[Path]:
    """The JSON files under a folder, in the order of their paths."""
    return sorted(file for file in folder.rglob("*.json") if file.is_file())


# CSV


def is_table(path: Path) -> bool:
    """Whether a file is a table of text, which its name alone can say."""
    return path.is_file() and path.name.lower().removesuffix(".gz").endswith((".csv", ".tsv"))


def _table_rows(path: Path) -> Iterator[Item]:
    """The rows of a table under the names of its header, with what parts the header's cells."""
    lines = _lines(path)
    first = next(lines, "")
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(itertools.chain([first], lines), delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
        if len(header) < 2 or len(set(header)) < len(header):
            raise UserError(f"{path}, line 1: a table has a header with a name of its own for each of its columns")
        for cells in rows:
            where = f"line {rows.line_num}"
            if len(cells) > len(header):
                raise UserError(f"{path}, {where}: {len(cells)} cells, where the header has {len(header)}")
            if any(cells):
                item = dict(zip(header, [*cells, *[""] * (len(header) - len(cells))], strict=True))
                yield Item(where, item, sum(map(len, cells)) + 1000)
    except csv.Error as error:
        raise UserError(f"{path}, line {rows.line_num}: {error}") from error


def _lines(path: Path) -> Iterator[str]:
    """The lines of a text, with what ends them."""
    rest = ""
    for text in _texts(path):
        rest += text
        if len(rest) > MOST_OF_AN_ITEM:
            raise UserError(f"{path}: more than {MOST_OF_AN_ITEM:,} characters in one line")
        *whole, rest = rest.split("\n")
        yield from (f"{line}\n" for line in whole)
    if rest:
        yield rest


# JSON


def _objects(path: Path) -> Iterator[tuple[dict[str, Any], int]]:
    window = _Window(path)
    opening = window.next()
    if opening == "{":
        yield window.object(1)
    elif opening == "[":
        window.at += 1
        number = 0
        while window.next() != "]" or number:
            number += 1
            yield window.object(number)
            if window.next() == "]":
                break
            window.take(",", f"',' or ']' is missing after item {number}")
        window.take("]", "the list has no end")
    else:
        window.refuse("a list of objects starts with '['" if opening else "the file is empty")
    if window.next():
        window.refuse("the JSON has ended, but more follows")


class _Window:
    """The part of a text that is in memory, from what is read next."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = ""
        self.at = 0
        self._chunks = _texts(path)
        self._lines_before, self._last_line = (
            0,
            0,
        )  # lines before the text, and characters of the line that it starts in
        self._decoder = json.JSONDecoder(parse_constant=_no_constant)

    def next(self) -> str:
        """The next character that is not blank, not taken yet; "" at the end."""
        skipped = 0
        while True:
            at = self.at
            self.at = _BLANK.match(self.text, at).end()  # type: ignore[union-attr]  # an empty match is one
            skipped += self.at - at
            if self.at < len(self.text):
                return self.text[self.at]
            if skipped > MOST_OF_AN_ITEM:
                self.refuse(f"more than {MOST_OF_AN_ITEM:,} blanks")
            if not self._more():
                return ""

    def take(self, character: str, otherwise: str) -> None:
        if self.next() != character:
            self.refuse(otherwise)
        self.at += 1

    def object(self, number: int) -> tuple[dict[str, Any], int]:
        """The next object, and its size. What fails may only be cut off by the end of the window: it is tried again with more text."""
        if (found := self.next()) != "{":
            what = {"]": "a comma with no item after it", "": "the file ends in the middle"}.get(found, "not an object")
            self.refuse(f"item {number}: {what}")
        while True:
            try:
                item, end = self._decoder.raw_decode(self.text, self.at)
            except RecursionError:
                self.refuse(f"item {number}: nested more than {DEEPEST} deep")
            except ValueError as error:
                if len(self.text) - self.at > MOST_OF_AN_ITEM:
                    self._refuse_object(number, error, f"more than {MOST_OF_AN_ITEM:,} characters in one item, or: ")
                if not self._more():
                    self._refuse_object(number, error, "")
                continue
            if self._deep(item, end):
                self.refuse(f"item {number}: nested more than {DEEPEST} deep")
            whole: dict[str, Any] = _well_formed(item) if _SURROGATE.search(self.text, self.at, end) else item
            size, self.at = _size(self.text, self.at, end), end
            return whole, size

    def refuse(self, reason: str, at: int | None = None) -> NoReturn:
        at = self.at if at is None else at
        line = self._lines_before + self.text.count("\n", 0, at) + 1
        newline = self.text.rfind("\n", 0, at)
        column = at - newline if newline >= 0 else self._last_line + at + 1
        raise UserError(f"{self.path}, line {line}, column {column}: {reason}")

    def _refuse_object(self, number: int, error: ValueError, but: str) -> NoReturn:
        at, message = (error.pos, error.msg) if isinstance(error, json.JSONDecodeError) else (self.at, str(error))
        self.refuse(f"item {number}: {but}{message}", at)

    def _more(self) -> bool:
        """Drop what is read and append about as much as is left, so that a long item is not tried too often."""
        parts: list[str] = []
        while sum(map(len, parts)) <= len(self.text) - self.at and (part := next(self._chunks, "")):
            parts.append(part)
        if not parts:
            return False
        newline = self.text.rfind("\n", 0, self.at)
        self._last_line = self.at - newline - 1 if newline >= 0 else self._last_line + self.at
        self._lines_before += self.text.count("\n", 0, self.at)
        self.text, self.at = "".join([self.text[self.at :], *parts]), 0
        return True

    def _deep(self, item: Any, end: int) -> bool:
        openings = self.text.count("{", self.at, end) + self.text.count("[", self.at, end)
        return openings > DEEPEST and too_deep(item)


def _size(text: str, start: int, end: int) -> int:
    """How much work it is to import, more or less: the number of characters, where each object, with those within it, has 1,000 more."""
    return end - start + 1000 * text.count("{", start, end)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def too_deep(item: Any, deepest: int = DEEPEST) -> bool:
    """Whether lists and objects stand in each other deeper than that.

    Example:
        >>> too_deep([[[]]], 3), too_deep([[[]]], 2)
        (False, True)
    """
    level = [item] if isinstance(item, dict | list) else []
    for _ in range(deepest):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _well_formed(value: Any) -> Any:
    """Half of a pair of surrogates is no character and cannot be stored: U+FFFD takes its place."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {_well_formed(key): _well_formed(part) for key, part in value.items()}
    return [_well_formed(part) for part in value] if isinstance(value, list) else value


def _texts(path: Path) -> Iterator[str]:
    """The text of a file, unpacked if need be, in chunks."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    read = 0
    for chunk in _unpacked(path):
        read += len(chunk)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            byte = read - len(error.object) + error.start + 1
            raise UserError(f"{path}, byte {byte:,}: not UTF-8 ({error.reason})") from error
        if text:
            yield text


def _unpacked(path: Path) -> Iterator[bytes]:
    """The bytes of a file in chunks, an empty one at the end."""
    read = 0
    with path.open("rb") as file:
        packed = file.peek(2)[:2] == b"\x1f\x8b"
        source: BinaryIO = gzip.GzipFile(fileobj=file) if packed else file  # type: ignore[assignment]
        while True:
            try:
                chunk = source.read(CHUNK)
            except (EOFError, OSError, zlib.error) as error:
                raise UserError(f"{path}, byte {read + 1:,} of what is unpacked: broken gzip ({error})") from error
            read += len(chunk)
            if packed and read > max(RATIO_COUNTS_FROM, MOST_RATIO * file.tell()):
                raise UserError(f"{path}, byte {file.tell():,}: unpacks to more than {MOST_RATIO} times its size")
            if read > MOST_BYTES:
                raise UserError(f"{path}: more than {MOST_BYTES:,} bytes")
            yield chunk
            if not chunk:
                return


# Parquet


def _rows(path: Path) -> Iterator[tuple[dict[str, Any], int]]:
    row = 0
    try:
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=CHUNK) as file:
            groups = range(file.metadata.num_row_groups)
            if sum(file.metadata.row_group(group).total_byte_size for group in groups) > MOST_BYTES:
                raise UserError(f"{path}: more than {MOST_BYTES:,} bytes")
            temporal = any(word in str(file.schema_arrow) for word in ("timestamp[", "date32[", "date64["))
            for batch in file.iter_batches(batch_size=ROWS):
                if batch.nbytes > ROWS * MOST_OF_AN_ITEM:
                    raise UserError(f"{path}, row {row + 1}: rows of more than {MOST_OF_AN_ITEM:,} bytes")
                for item in batch.to_pylist():
                    row += 1
                    if too_deep(item):
                        raise UserError(f"{path}, row {row}: nested more than {DEEPEST} deep")
                    item = _dates_as_text(item) if temporal else item
                    text = json.dumps(item, default=str)
                    yield item, _size(text, 0, len(text))
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path}, after row {row}: not readable as Parquet ({error})") from error


def _dates_as_text(value: Any) -> Any:
    """As JSON has them: some copies of the archive made times out of days."""
    if isinstance(value, date):  # a datetime is one
        return value.isoformat()[:10]
    if isinstance(value, dict):
        return {key: _dates_as_text(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_dates_as_text(part) for part in value]
    return value
