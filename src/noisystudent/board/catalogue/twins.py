"""Entries that may be one thing: by capitals, spelling, title or address. A curator says whether they are, and merges them."""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from noisystudent.board.catalogue.slugs import slugify

_BETWEEN = re.compile(r"[\s_.:,'\"-]+")
_RESULTS = {
    "task": "(SELECT coalesce(sum(result_count), 0) FROM leaderboard WHERE task_id = t.id)",
    "dataset": "(SELECT coalesce(sum(result_count), 0) FROM leaderboard WHERE dataset_id = t.id)",
    "method": "(SELECT count(*) FROM paper_method WHERE method_id = t.id)",
    "paper": "(SELECT count(*) FROM result WHERE paper_id = t.id AND retired_by IS NULL)",
}


class Twins(NamedTuple):
    """Two entries that look like one. `kept` is the one that has more: results, or papers of a method; the older of equal ones.

    Args:
        kind: task, dataset, method or paper.
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


def _pairs(kind: str, why: str, groups: dict[str, list[sqlite3.Row]]) -> Iterator[Twins]:
    for rows in groups.values():
        most = max(rows, key=lambda row: (row["size"], -row["id"]))
        for row in rows:
            if row["id"] != most["id"]:
                yield Twins(kind, why, row["slug"], most["slug"], (row["name"], most["name"]))
