"""Which entry is meant by a text: the only answer, for pages, API, forms, the command line and the search box.

Files to import ask it for papers. Of tasks and datasets a name in whatever capitals is an identity there (`Change.task` and the like):
two that differ in a blank or a dash are two, as they were on the old site, so that what is exported can be imported again.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Sequence

from noisystudent.board.catalogue.slugs import ARXIV, arxiv_id, slug_of_address, slugify

IN_ADDRESSES = {"leaderboard": "sota"}  # what stands before a slug in an address, where it is not the kind's own name
NAMES: dict[str, str | None] = {"paper": "title", "leaderboard": None}  # the column of the name, where it is not `name`
SHOWN = {"dataset": "shown", "leaderboard": "shown"}  # the column of what readers are shown, where that is not the name
FULL = ("method",)  # whose full names are names, too; of data sets, several have one
UNFOLDED = ("author",)  # of so many, no index has the names in any capitals: they are found by their slugs
_BETWEEN = re.compile(r"[\s_-]+")
_DASHES = re.compile(r"[-\u2010-\u2015_]")
_BETWEEN_INITIALS = re.compile(r"(?<=\b\w) (?=\w\b)")
LONGEST_NUMBER = 18  # digits that SQLite takes
MOST_INITIALS = 3  # letters of a word of them: JRR Tolkien


def meant(connection: sqlite3.Connection, kind: str, text: str | None) -> int | None:
    """The number of the entry that a text means, None where it means none.

    In this order: its slug, one that it had before, an address with one of them; of a paper its arXiv number, with a version or without,
    in an address or alone, or its own address; its very name or title; its name in other capitals, or with other blanks and dashes.

    Args:
        kind: a table with slugs: task, dataset, leaderboard, paper, method, area, author, venue.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from noisystudent.board.catalogue.store import Store
        >>> with Store(Path(tempfile.mkdtemp()) / "board.db", create=True).changing("anna", "add") as change:
        ...     task = change.task("Image Classification")
        ...     paper = change.paper(title="Deep", url="https://arxiv.org/abs/2001.00001")
        ...     of_task = [meant(change.connection, "task", text) for text in ("IMAGE  Classification", "/task/image-classification")]
        ...     of_paper = [meant(change.connection, "paper", text) for text in ("2001.00001v3", "DEEP", "shallow")]
        >>> of_task == [task, task], of_paper == [paper, paper, None]
        (True, True)
    """
    text = (text or "").strip()
    if not text:
        return None
    slug = slug_of_address(text, IN_ADDRESSES.get(kind, kind)) or text
    found = _first(connection, f"SELECT id FROM {kind} WHERE slug = ?", slug)
    found = found or _first(connection, "SELECT id FROM alias WHERE kind = ? AND old = ?", kind, slug)
    if found is None and kind == "paper":
        found = _at(connection, text)
    return found or named(connection, kind, text)


def named(connection: sqlite3.Connection, kind: str, name: str) -> int | None:
    """The entry of that very name or title, else of one that is spelled alike. A dataset comes before a part of one.

    A method is found by its full name as well.
    """
    column = NAMES.get(kind, "name")
    if column is None:
        return None
    whole_first = "coalesce(parent_id, 0), " if kind == "dataset" else ""
    if kind in UNFOLDED:
        found = _first(connection, f"SELECT id FROM {kind} WHERE {column} = ? ORDER BY id", name)
        found = found or _first(connection, "SELECT id FROM other_name WHERE kind = ? AND name = ?", kind, name)
        return found or _twin(connection, kind, column, name)
    query = f"SELECT id FROM {kind} WHERE {column} = ?1 COLLATE NOCASE ORDER BY {column} <> ?1, {whole_first}id"
    found = _first(connection, query, name)
    found = found or _first(connection, "SELECT id FROM other_name WHERE kind = ? AND name = ?", kind, name)
    found = found or _twin(connection, kind, column, name)
    if found is None and kind in FULL:
        found = _first(connection, f"SELECT id FROM {kind} WHERE full_name = ? COLLATE NOCASE ORDER BY id", name)
    return found


def result_meant(connection: sqlite3.Connection, text: str) -> int | None:
    """The result of that number, be it on its leaderboard or retired; None where there is none."""
    is_number = text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER
    return _first(connection, "SELECT id FROM result WHERE id = ?", text) if is_number else None


def metric_meant(metrics: Sequence[sqlite3.Row], text: str) -> sqlite3.Row | None:
    """Of a leaderboard's metrics the one of that very name, else the first one that is spelled alike; None where there is none."""
    found = [metric for metric in metrics if alike(metric["name"], text)]
    return next((metric for metric in found if metric["name"] == text), found[0] if found else None)


def alike(name: str, other: str) -> bool:
    """Whether two names are the same but for capitals, blanks and dashes.

    Example:
        >>> alike("Top-1  accuracy", "TOP 1 Accuracy"), alike("Top 1", "Top 5")
        (True, False)
    """
    return _folded(name) == _folded(other)


def same_author(name: str, other: str) -> bool:
    """Whether two names of authors are the same but for capitals, accents, punctuation and the dots of initials.

    Example:
        >>> same_author("J.-P. Müller", "JP muller"), same_author("O’Brien, Ann", "OBrien Ann"), same_author("J. Smith", "K. Smith")
        (True, True, False)
    """
    return folded_author(name) == folded_author(other)


def folded_author(name: str) -> str:
    """A name of an author in small letters without accents and punctuation, each initial a word of its own."""
    plain = unicodedata.normalize("NFKD", _DASHES.sub(" ", name))
    words = "".join(sign for sign in plain if sign.isalnum() or sign.isspace()).split()
    mixed = not plain.isupper()  # else capitals are no initials
    apart = (" ".join(word) if mixed and word.isupper() and len(word) <= MOST_INITIALS else word for word in words[:-1])
    return " ".join([*apart, *words[-1:]]).casefold()


def slugs_of_author(name: str) -> list[str]:
    """The slugs that an author's name has in its spellings, without a number behind them.

    Example:
        >>> slugs_of_author("J.P. Serre"), slugs_of_author("J.-P. Serre"), slugs_of_author("Ann Lee")
        (['jp-serre', 'j-p-serre'], ['j-p-serre', 'jp-serre'], ['ann-lee'])
    """
    folded = folded_author(name)
    return list(dict.fromkeys(slugify(text) for text in (name, folded, _BETWEEN_INITIALS.sub("", folded))))


def slug_meant(connection: sqlite3.Connection, kind: str, text: str) -> str | None:
    """The slug of the entry that a text means."""
    number = meant(connection, kind, text)
    return None if number is None else slug_of(connection, kind, number)


def slug_of(connection: sqlite3.Connection, kind: str, number: int) -> str:
    """The slug of an entry."""
    return str(connection.execute(f"SELECT slug FROM {kind} WHERE id = ?", (number,)).fetchone()["slug"])


def name_of(connection: sqlite3.Connection, kind: str, number: int) -> str:
    """The name or title of an entry, as readers are shown it."""
    column = SHOWN.get(kind) or NAMES.get(kind, "name")
    table = f"{kind}_shown" if kind in SHOWN else kind
    return str(connection.execute(f"SELECT {column} AS name FROM {table} WHERE id = ?", (number,)).fetchone()["name"])


def _at(connection: sqlite3.Connection, text: str) -> int | None:
    """The paper of an arXiv number or of an address of its own."""
    alone = ARXIV.fullmatch(f"arxiv:{text}")
    number = alone[1].lower() if alone else arxiv_id(text)
    found = _first(connection, "SELECT id FROM paper WHERE arxiv_id = ? ORDER BY id", number or "")
    return found or _first(connection, "SELECT id FROM paper WHERE url_abs = ? ORDER BY id", text)


def _twin(connection: sqlite3.Connection, kind: str, column: str, name: str) -> int | None:
    """The entry whose name is spelled alike. Its slug is then the name's own, perhaps with a number behind it."""
    folded = folded_author if kind == "author" else _folded
    wanted = folded(name)
    for slug in slugs_of_author(name) if kind == "author" else [slugify(name)]:
        rows = connection.execute(
            f"SELECT id, {column} AS name FROM {kind} WHERE slug = ? OR (slug >= ? AND slug < ?) ORDER BY id",
            (slug, f"{slug}-0", f"{slug}-:"),  # a colon comes after the nine
        )
        if found := next((int(row["id"]) for row in rows if folded(row["name"]) == wanted), None):
            return found
    return None


def _folded(name: str) -> str:
    return _BETWEEN.sub(" ", name).strip().casefold()


def _first(connection: sqlite3.Connection, query: str, *values: str) -> int | None:
    row = connection.execute(f"{query} LIMIT 1", values).fetchone()
    return None if row is None else int(row["id"])
