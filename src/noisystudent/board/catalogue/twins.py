"""Entries that may be one thing: by capitals, spelling, title or address. A curator says whether they are, and merges them."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from noisystudent.board.catalogue.merging import papers_together
from noisystudent.board.catalogue.names import folded_author, slugs_of_author
from noisystudent.board.catalogue.slugs import slugify

_BETWEEN = re.compile(r"[\s_.:,'\"-]+")
_RESULTS = {
    "task": "(SELECT coalesce(sum(result_count), 0) FROM leaderboard WHERE task_id = t.id)",
    "dataset": "(SELECT coalesce(sum(result_count), 0) FROM leaderboard WHERE dataset_id = t.id)",
    "method": "(SELECT count(*) FROM paper_method WHERE method_id = t.id)",
    "paper": "(SELECT count(*) FROM result WHERE paper_id = t.id AND retired_by IS NULL)",
    "author": "(SELECT count(*) FROM paper_author WHERE author_id = t.id)",
}
_GIVEN = "(SELECT value FROM json_each(?))"
# Of an author `t`, whether another may be spelled alike. Names are unique, so that of two with one slug one has a number behind it; the
# slug of initials depends on their dots; that of a name in another script is a hash.
_MAY_BE_TWO = (
    "(t.slug GLOB '*-[0-9]*' AND t.name NOT GLOB '*[0-9]*') OR t.slug GLOB '?-?-*' OR t.slug GLOB '*-?-?-*' "
    "OR (length(t.slug) = 8 AND t.slug NOT GLOB '*[^0-9a-f]*')"
)


class Twins(NamedTuple):
    """Two entries that look like one. `kept` is the one that has more: results, of a method or an author papers; the older of equal ones.

    Args:
        kind: task, dataset, method, paper or author.
        why: in words.
        gone, kept: their slugs, and `names` their names or titles in that order.
    """

    kind: str
    why: str
    gone: str
    kept: str
    names: tuple[str, str]


def twins(connection: sqlite3.Connection) -> Iterator[Twins]:
    """All pairs, kind by kind; of several that look like one, each with the one that has most.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from noisystudent.board.catalogue.store import Store
        >>> with Store(Path(tempfile.mkdtemp()) / "board.db", create=True).changing("anna", "add") as change:
        ...     _ = change.task("Pose Estimation"), change.task("pose-estimation")
        ...     [(pair.gone, pair.kept) for pair in twins(change.connection)]
        [('pose-estimation-1', 'pose-estimation')]
    """
    for kind in ("task", "dataset", "method"):
        whole = "AND t.parent_id IS NULL" if kind == "dataset" else ""
        rows = connection.execute(
            f"SELECT t.id, t.slug, t.name, {_RESULTS[kind]} AS size FROM {kind} t WHERE t.name <> '' {whole} ORDER BY t.id"
        ).fetchall()
        spelled: dict[str, list[sqlite3.Row]] = defaultdict(list)
        for row in rows:
            spelled[_BETWEEN.sub("", row["name"].casefold())].append(row)
        yield from _pairs(kind, "their names differ in capitals, blanks and dashes only", spelled)
    yield from _papers(connection)
    yield from _authors(connection)


def _papers(connection: sqlite3.Connection) -> Iterator[Twins]:
    told = set[tuple[str, str]]()
    for why, column in (
        ("they have one arXiv number", "arxiv_id"),
        ("they have one address", "rtrim(url_abs, '/')"),
    ):
        same = f"SELECT {column} FROM paper WHERE {column} IS NOT NULL GROUP BY 1 HAVING count(*) > 1"
        rows = connection.execute(
            f"SELECT t.id, t.slug, t.title AS name, {column} AS same, {_RESULTS['paper']} AS size "
            f"FROM paper t WHERE {column} IN ({same}) ORDER BY t.id"
        )
        groups: dict[str, list[sqlite3.Row]] = defaultdict(list)
        for row in rows:
            groups[row["same"]].append(row)
        for pair in _pairs("paper", why, groups):
            told.add((pair.gone, pair.kept))
            yield pair
    yield from (pair for pair in _of_title(connection) if (pair.gone, pair.kept) not in told)


def _of_title(connection: sqlite3.Connection) -> Iterator[Twins]:
    """Papers of one title, but those whose arXiv numbers say that they are two."""
    same = "SELECT title FROM paper GROUP BY title COLLATE NOCASE HAVING count(*) > 1"
    rows = connection.execute(
        f"SELECT t.id, t.slug, t.title AS name, t.arxiv_id, {_RESULTS['paper']} AS size FROM paper t "
        f"WHERE t.title COLLATE NOCASE IN ({same}) ORDER BY t.id"
    )
    groups: dict[str, list[sqlite3.Row]] = defaultdict(list)
    for row in rows:
        groups[slugify(row["name"])].append(row)
    for title, papers in groups.items():
        if len({row["arxiv_id"] for row in papers} - {None}) <= 1:
            yield from _pairs("paper", "they have one title", {title: papers})


def _authors(connection: sqlite3.Connection) -> Iterator[Twins]:
    """Authors whose names are spelled alike, but those who wrote a paper together."""
    slugs = set[str]()
    for row in connection.execute(f"SELECT t.name FROM author t WHERE {_MAY_BE_TWO}"):
        slugs.update(slugs_of_author(row["name"]))
    found = f"SELECT t.id, t.name FROM author t WHERE {_MAY_BE_TWO} UNION SELECT id, name FROM author WHERE slug IN {_GIVEN}"
    groups: dict[str, list[int]] = defaultdict(list)
    for row in connection.execute(found, (json.dumps(list(slugs)),)):
        groups[folded_author(row["name"])].append(row["id"])
    several = json.dumps([number for numbers in groups.values() if len(numbers) > 1 for number in numbers])
    query = (
        f"SELECT t.id, t.slug, t.name, {_RESULTS['author']} AS size FROM author t WHERE t.id IN {_GIVEN} ORDER BY t.id"
    )
    spelled: dict[str, list[sqlite3.Row]] = defaultdict(list)
    for row in connection.execute(query, (several,)):
        spelled[folded_author(row["name"])].append(row)
    ids = {row["slug"]: row["id"] for rows in spelled.values() for row in rows}
    for pair in _pairs("author", "their names differ in capitals, accents, punctuation and dots only", spelled):
        if not papers_together(connection, ids[pair.gone], ids[pair.kept]):
            yield pair


def _pairs(kind: str, why: str, groups: dict[str, list[sqlite3.Row]]) -> Iterator[Twins]:
    for rows in groups.values():
        most = max(rows, key=lambda row: (row["size"], -row["id"]))
        for row in rows:
            if row["id"] != most["id"]:
                yield Twins(kind, why, row["slug"], most["slug"], (row["name"], most["name"]))
