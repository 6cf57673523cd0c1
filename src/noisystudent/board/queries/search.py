"""Searching by words: papers by title and abstract, tasks, datasets and methods by name. What a user types is never taken as syntax."""

from __future__ import annotations

import json
import re
import sqlite3
import unicodedata
from dataclasses import dataclass
from typing import Literal, NamedTuple

from noisystudent.board.catalogue.change import today
from noisystudent.board.catalogue.slugs import slugify

MOST_WORDS = 12  # of a query; what follows is left out
MOST_CHARACTERS = 400
MOST_HITS = 1_000  # that a search for papers gives, however many there are
LEAST_PREFIX = 3  # the beginning of a word must have as many letters: the words with "a" are half of the language
TRIGRAM = 3

_WORD = re.compile(r"[^\W_]+")

Named = Literal["task", "dataset", "method"]


class Found(NamedTuple):
    """What a search found.

    Args:
        ids: numbers of the rows, the best first; as many as were asked for.
        total: how many there are.
        more: there are more than `total`, which nobody counted.
    """

    ids: list[int]
    total: int
    more: bool = False


@dataclass(frozen=True)
class Query:
    """Words to look for in papers. Every one of them must be there, in any order; compounds as "GPT-4" are phrases.

    Args:
        phrases: what stands between blanks, without punctuation.
        prefix: the last word is the beginning of one.

    Example:
        >>> Query.of('noisy-student "training" AND').expression
        '"noisy student" "training" "AND"'
    """

    phrases: tuple[str, ...]
    prefix: bool = False

    @classmethod
    def of(cls, text: str, *, prefix: bool = False) -> Query:
        """Read what a user typed."""
        pieces = unicodedata.normalize("NFC", text[:MOST_CHARACTERS]).split()
        phrases = (" ".join(_WORD.findall(piece)) for piece in pieces)
        return cls(tuple(phrase for phrase in phrases if phrase)[:MOST_WORDS], prefix)

    @property
    def expression(self) -> str:
        """For FTS5's MATCH. Words in double quotes are never operators, names of columns or wildcards."""
        quoted = " ".join(f'"{phrase}"' for phrase in self.phrases)
        return quoted + (" *" if self.prefix else "")

    @property
    def ladder(self) -> list[str]:
        """Expressions from narrow to wide: a title that begins with these words, has them side by side, has all; then the paper has all."""
        side_by_side = f'"{" ".join(self.phrases)}"' + (" *" if self.prefix else "")
        return [
            f"title : ^ {side_by_side}",
            f"title : {side_by_side}",
            f"title : ({self.expression})",
            self.expression,
        ]


def query_papers(connection: sqlite3.Connection, text: str, *, most: int) -> tuple[Query, list[int]]:
    """What to look for, and the papers in which it is, `most` of them at most: those that were added last, the newest first.

    Where the words are nowhere, the last one may be the beginning of one.
    """
    query = Query.of(text)
    if not query.phrases:
        return query, []
    ids = _matching(connection, query.expression, most)
    if ids or len(query.phrases[-1].split()[-1]) < LEAST_PREFIX:
        return query, ids
    beginning = Query(query.phrases, prefix=True)
    return beginning, _matching(connection, beginning.expression, most)


def search_papers(connection: sqlite3.Connection, text: str, *, limit: int, offset: int = 0) -> Found:
    """The papers with these words, `MOST_HITS` at most, in the order of `Query.ladder`: first the one of that very title, then those whose
    title begins so, ...; within a step the newest first.

    There is no weighing of words (bm25): it counts every occurrence of every word anew, which takes half a second for a common one.
    Of words that are in more than `MOST_HITS` papers, each step looks at as many, those that were added last.

    Args:
        limit: how many to give.
        offset: how many of the first to leave out.
    """
    query, ids = query_papers(connection, text, most=MOST_HITS + 1)
    if not ids:
        return Found([], 0)
    wanted = min(offset + limit, MOST_HITS)
    if len(ids) <= MOST_HITS:
        return Found(_by_title(connection, query, ids)[offset:wanted], len(ids))
    found = dict.fromkeys(_of_title(connection, text))  # keeps the order, and each number once
    for expression in query.ladder:
        if len(found) >= wanted:
            break
        found.update(dict.fromkeys(_newest(connection, _matching(connection, expression, MOST_HITS))))
    return Found(list(found)[offset:wanted], MOST_HITS, more=True)


def search_names(connection: sqlite3.Connection, kind: Named, text: str, limit: int) -> Found:
    """The tasks, datasets or methods whose name has these letters: that very name, names that begin so, then the shorter before the longer.

    A word of one or two letters has no trigram: where no longer one stands beside it, names that begin with the text are found.
    """
    plain = _plain(text)
    long = [word for word in plain.split() if len(word) >= TRIGRAM][:MOST_WORDS]
    if not plain:
        return Found([], 0)
    if long:
        words = " ".join(phrase(word) for word in long)
        where, parameters = f"id IN (SELECT rowid FROM {kind}_search WHERE {kind}_search MATCH ?)", [words]
    else:
        where, parameters = r"name LIKE ? ESCAPE '\'", [literal(plain) + "%"]
    if kind == "task":
        where += r" OR id IN (SELECT task_id FROM task_synonym WHERE name LIKE ? ESCAPE '\')"
        parameters.append(literal(plain) + "%")
    total = connection.execute(f"SELECT count(*) FROM {kind} WHERE {where}", parameters).fetchone()[0]
    rows = connection.execute(
        f"SELECT id FROM {kind} WHERE {where} "
        r"ORDER BY lower(name) <> lower(?), name NOT LIKE ? ESCAPE '\', length(name), name, id LIMIT ?",
        (*parameters, plain, literal(plain) + "%", limit),
    )
    return Found([row["id"] for row in rows], total)


def _matching(connection: sqlite3.Connection, expression: str, most: int) -> list[int]:
    """The index is walked from its end, and only as far as needed."""
    sql = "SELECT rowid FROM paper_search WHERE paper_search MATCH ? ORDER BY rowid DESC LIMIT ?"
    return [row[0] for row in connection.execute(sql, (expression, most))]


def _of_title(connection: sqlite3.Connection, text: str) -> list[int]:
    rows = connection.execute("SELECT id FROM paper WHERE slug = ?", (slugify(text[:MOST_CHARACTERS]),))
    return [row["id"] for row in rows]


def _newest(connection: sqlite3.Connection, ids: list[int]) -> list[int]:
    """The newest first; undated ones and those of the future last."""
    rows = connection.execute(
        "SELECT id FROM paper WHERE id IN (SELECT value FROM json_each(?)) "
        "ORDER BY published IS NULL OR published > ?, published DESC, id DESC",
        (json.dumps(ids), today()),
    )
    return [row["id"] for row in rows]


def _by_title(connection: sqlite3.Connection, query: Query, ids: list[int]) -> list[int]:
    """In the order of the ladder, by reading the titles: faster than four searches where the papers are few."""
    asked = " ".join(query.phrases).lower()
    rows = connection.execute(
        "SELECT id, title FROM paper WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(ids),)
    )
    titles = {row["id"]: " ".join(_WORD.findall(row["title"].lower())) for row in rows}

    def step(paper: int) -> int:
        title = titles[paper]
        has_all = all(phrase.lower() in title for phrase in query.phrases)
        return [title == asked, title.startswith(asked), asked in title, has_all, True].index(True)

    return sorted(_newest(connection, ids), key=step)


def _plain(text: str) -> str:
    """The text without what no name has: control characters and halves of characters."""
    kept = "".join(
        letter for letter in text[:MOST_CHARACTERS] if unicodedata.category(letter) not in ("Cc", "Cs", "Cn")
    )
    return " ".join(unicodedata.normalize("NFC", kept).split())


def literal(text: str) -> str:
    """A text of which LIKE takes no letter for a pattern, after `ESCAPE '\\'`.

    Example:
        >>> literal("100%")
        '100\\\\%'
    """
    return re.sub(r"([\\%_])", r"\\\1", text)


def phrase(text: str) -> str:
    """An FTS5 query: a text as it stands.

    Example:
        >>> phrase('a "b" c')
        '"a ""b"" c"'
    """
    return '"' + text.replace("\0", " ").replace('"', '""') + '"'
