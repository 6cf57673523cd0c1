"""Papers as BibTeX entries. The key is the paper's slug, which is unique and stays."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from typing import BinaryIO

from noisystudent.board.exporting.objects import in_batches, listed
from noisystudent.board.exporting.papers import AUTHORS

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
SPECIAL = {character: f"\\{character}" for character in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
IN_ADDRESS = {character: f"%{ord(character):02X}" for character in '\\{}" <>^`|'}
PAPERS = (
    "SELECT p.id, p.slug, p.title, p.arxiv_id, p.url_abs, p.published, g.year, g.month, v.name AS venue "
    "FROM paper p LEFT JOIN proceeding g ON g.id = p.proceeding_id LEFT JOIN venue v ON v.id = g.venue_id"
)


def write(connection: sqlite3.Connection, stream: BinaryIO, *, of: int | None = None) -> None:
    """Write every paper's entry, by slug, or the one of the paper of that number."""
    if of is not None:
        stream.write(entry(connection, of).encode())
        return
    separator = b""
    for rows in in_batches(connection, f"{PAPERS} ORDER BY p.slug"):
        for text in _entries(connection, rows):
            stream.write(separator + text.encode())
            separator = b"\n"


def entry(connection: sqlite3.Connection, paper_id: int) -> str:
    """The entry of one paper: `@inproceedings` where its venue is known, else `@misc`, with its arXiv number if it has one.

    Raises:
        LookupError: there is no such paper.
    """
    rows = connection.execute(f"{PAPERS} WHERE p.id = ?", (paper_id,)).fetchall()
    if not rows:
        raise LookupError(f"there is no paper {paper_id}")
    return next(_entries(connection, rows))


def _entries(connection: sqlite3.Connection, rows: list[sqlite3.Row]) -> Iterator[str]:
    authors = listed(connection, AUTHORS, (row["id"] for row in rows))
    for row in rows:
        yield _entry(row, [author["name"] for author in authors[row["id"]]])


def _entry(row: sqlite3.Row, authors: list[str]) -> str:
    date = (row["published"] or "").split("-")
    year = str(row["year"] or date[0])
    month = row["month"] if row["year"] else int(date[1]) if len(date) > 1 else None
    fields = {
        "title": f"{{{{{escaped(row['title'])}}}}}",  # the second pair keeps capitals
        "author": f"{{{' and '.join(_author(name) for name in authors)}}}" if authors else "",
        "booktitle": f"{{{escaped(row['venue'])}}}" if row["venue"] else "",
        "year": f"{{{year}}}" if year else "",
        "month": MONTHS[month - 1] if month and 1 <= month <= 12 else "",
        "eprint": f"{{{row['arxiv_id']}}}" if row["arxiv_id"] else "",
        "archiveprefix": "{arXiv}" if row["arxiv_id"] else "",
        "url": f"{{{_address(row['url_abs'])}}}" if row["url_abs"] else "",
    }
    kind = "inproceedings" if row["venue"] else "misc"
    key = re.sub(r"[^A-Za-z0-9_:.+/-]", "-", row["slug"])
    lines = [f"  {name} = {value}" for name, value in fields.items() if value]
    return f"@{kind}{{{key},\n" + ",\n".join(lines) + "\n}\n"


def escaped(text: str) -> str:
    r"""Text in which TeX finds no command.

    Example:
        >>> escaped("50% of A_1 & {B}")
        '50\\% of A\\_1 \\& \\{B\\}'
    """
    return "".join(SPECIAL.get(character, character) for character in text)


def _author(name: str) -> str:
    """A name; one that BibTeX would take for several, or for last and first name, is held together."""
    text = escaped(name)
    return f"{{{text}}}" if "," in name or re.search(r"\band\b", name, re.IGNORECASE) else text


def _address(url: str) -> str:
    return "".join(IN_ADDRESS.get(character, character) for character in url)
