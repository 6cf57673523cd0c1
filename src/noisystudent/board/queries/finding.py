"""What else a text may mean: leaderboards, authors, models, repositories; and words that were typed with a slip."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from string import ascii_lowercase
from typing import Any
from urllib.parse import urlsplit

from noisystudent.board.catalogue.ranking import FILLED
from noisystudent.board.queries.search import MOST_CHARACTERS, MOST_WORDS, Query, literal

LEAST_FOR_SLIP = 4  # letters of a word: of shorter ones, another letter makes another word
MOST_LETTERS = 30  # of a longer one, there are too many words that a slip makes
MOST_AUTHORS = 20  # whose papers a search gives
MOST_PAPERS = 200  # of them

_WORD = re.compile(r"[^\W_]+")
_OWNER_AND_NAME = re.compile(r"(?:[\w.-]{1,100}/)?[\w.-]{1,100}")


def leaderboards(connection: sqlite3.Connection, text: str, limit: int) -> list[dict[str, Any]]:
    """Leaderboards whose task or dataset has each of the words, in any order, those with most results first; "imagenet classification".

    Where there are none, a word that no name has counts as the one nearest to it.
    """
    words = [word.casefold() for word in _WORD.findall(text[:MOST_CHARACTERS])][:MOST_WORDS]
    words = [word for word in words if word not in ("on", "in", "for", "the")]
    if not words:
        return []
    return _with_words(connection, words, limit) or _with_words(connection, _nearest(connection, words), limit)


def authors(connection: sqlite3.Connection, text: str, limit: int) -> list[dict[str, Any]]:
    """Authors with these words in their names, those with most papers first; the last word may be a beginning."""
    return _named(
        connection, "author", "(SELECT count(*) FROM paper_author WHERE author_id = t.id)", "slug", text, limit
    )


def models(connection: sqlite3.Connection, text: str, limit: int) -> list[dict[str, Any]]:
    """Models with these words in their names that stand on a leaderboard, each where it has its best rank."""
    expression = _expression(text)
    if not expression:
        return []
    rows = connection.execute(
        "SELECT m.name, l.slug AS leaderboard, l.shown, r.id AS result, min(coalesce(v.rank, 1e9)) AS rank FROM model m "
        "JOIN result r ON r.model_id = m.id AND r.retired_by IS NULL JOIN leaderboard_shown l ON l.id = r.leaderboard_id "
        "LEFT JOIN value v ON v.result_id = r.id AND v.metric_id = l.ranked_by "
        "WHERE m.id IN (SELECT rowid FROM model_search WHERE model_search MATCH ? LIMIT 1000) "
        "GROUP BY m.name COLLATE NOCASE ORDER BY length(m.name), m.name LIMIT ?",
        (expression, limit),
    )
    return [{name: row[name] for name in ("name", "leaderboard", "shown", "result")} for row in rows]


def papers_of_repository(connection: sqlite3.Connection, text: str) -> list[int]:
    """Papers of a repository: by its address, by owner/name, or by its name alone; the official ones first."""
    try:
        parts = [part for part in urlsplit(text).path.split("/") if part] if "://" in text[:MOST_CHARACTERS] else []
    except ValueError:  # "http://["
        return []
    named = "/".join(parts[:2]).removesuffix(".git") if parts else text.strip()
    if not _OWNER_AND_NAME.fullmatch(named) or named.isdigit():
        return []
    owner, _, name = named.rpartition("/")
    rows = connection.execute(
        "SELECT pr.paper_id FROM repository r JOIN paper_repository pr ON pr.repository_id = r.id "
        "WHERE r.name = ?1 COLLATE NOCASE AND (?2 = '' OR r.owner = ?2 COLLATE NOCASE) "
        "GROUP BY pr.paper_id ORDER BY max(pr.is_official) DESC, pr.paper_id LIMIT ?3",
        (name, owner, MOST_PAPERS),
    )
    return [row["paper_id"] for row in rows]


def papers_of_authors(connection: sqlite3.Connection, text: str) -> list[int]:
    """Papers of the authors with these words in their names, the newest first."""
    expression = _expression(text)
    if not expression:
        return []
    rows = connection.execute(
        "SELECT DISTINCT p.id, p.published FROM paper_author a JOIN paper p ON p.id = a.paper_id WHERE a.author_id IN "
        "(SELECT rowid FROM author_search WHERE author_search MATCH ? LIMIT ?) ORDER BY p.published DESC NULLS LAST, p.id DESC LIMIT ?",
        (expression, MOST_AUTHORS, MOST_PAPERS),
    )
    return [row["id"] for row in rows]


def without_slips(connection: sqlite3.Connection, query: Query) -> Query | None:
    """The query with the commonest word that differs in one letter in the place of each that no paper has; None where none has to go."""
    mended = tuple(_mended(connection, phrase) for phrase in query.phrases)
    return Query(mended) if mended != query.phrases else None


def _mended(connection: sqlite3.Connection, phrase: str) -> str:
    if len(phrase) < LEAST_FOR_SLIP or not phrase.isalpha() or not phrase.isascii():
        return phrase
    if len(phrase) > MOST_LETTERS or _commonest(connection, _stems([phrase])):
        return phrase
    return _commonest(connection, _stems(_slips(phrase.lower()))) or phrase


def _commonest(connection: sqlite3.Connection, stems: Iterable[str]) -> str:
    """Of some words as the index keeps them the one that most papers have; "" where none has any."""
    there = (
        connection.execute("SELECT doc, term FROM paper_word WHERE term = ?", (stem,)).fetchone() for stem in stems
    )
    return max(((row["doc"], row["term"]) for row in there if row), default=(0, ""))[1]


def _slips(word: str) -> set[str]:
    """All words that one slip makes of a word: a letter more, less or other, or two neighbours that change places."""
    ends = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    more = {begin + letter + end for begin, end in ends for letter in ascii_lowercase}
    other = {begin + letter + end[1:] for begin, end in ends if end for letter in ("", *ascii_lowercase)}
    return more | other | {begin + end[1] + end[0] + end[2:] for begin, end in ends if len(end) > 1}


def _stems(words: Iterable[str]) -> list[str]:
    """Words as the index of papers keeps them."""
    memory = sqlite3.connect(":memory:")
    try:
        memory.execute("CREATE VIRTUAL TABLE one USING fts5 (word, tokenize='porter unicode61')")
        memory.execute("CREATE VIRTUAL TABLE term USING fts5vocab ('one', 'row')")
        memory.execute("INSERT INTO one VALUES (?)", (" ".join(words),))
        return [str(row[0]) for row in memory.execute("SELECT term FROM term")]
    finally:
        memory.close()


def _with_words(connection: sqlite3.Connection, words: Iterable[str], limit: int) -> list[dict[str, Any]]:
    patterns = [f"%{literal(word)}%" for word in words]
    conditions = " AND ".join(r"shown LIKE ? ESCAPE '\'" for _ in patterns)
    rows = connection.execute(
        f"SELECT slug, shown AS name, result_count FROM leaderboard_shown WHERE {FILLED} AND {conditions} "
        "ORDER BY result_count DESC, length(shown), slug LIMIT ?",
        (*patterns, limit),
    )
    return [dict(row) for row in rows]


def _nearest(connection: sqlite3.Connection, words: Iterable[str]) -> list[str]:
    """Words of the names of tasks and datasets, in the place of those that none has."""
    names = connection.execute("SELECT name FROM task UNION ALL SELECT name FROM dataset")
    there = {word for row in names for word in _WORD.findall(row["name"].casefold())}
    found = []
    for word in words:
        known = len(word) < LEAST_FOR_SLIP or any(word in one for one in there)
        near = [] if known else sorted(there & _slips(word[:MOST_LETTERS]))
        found.append(near[0] if near else word)
    return found


def _named(
    connection: sqlite3.Connection, table: str, size: str, column: str, text: str, limit: int
) -> list[dict[str, Any]]:
    expression = _expression(text)
    if not expression:
        return []
    rows = connection.execute(
        f"SELECT t.{column}, t.name, {size} AS size FROM {table} t "
        f"WHERE t.id IN (SELECT rowid FROM {table}_search WHERE {table}_search MATCH ? LIMIT 1000) ORDER BY size DESC, t.name LIMIT ?",
        (expression, limit),
    )
    return [dict(row) for row in rows if row["size"]]


def _expression(text: str) -> str:
    """For FTS5: all words, the last of which may be a beginning."""
    query = Query.of(text, prefix=True)
    last = query.phrases[-1].split()[-1] if query.phrases else ""
    return query.expression if len(last) > 1 else ""
