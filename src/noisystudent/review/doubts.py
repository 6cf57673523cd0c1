"""Unlabeled images about which the networks of a run are in doubt: each alone, one against another, or over the generations."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from noisystudent.report.predictions import opened
from noisystudent.report.visible import short
from noisystudent.review.findings import Finding

UNSURE = 0.5  # an image of which the first class is this much more probable than the second is no close call

# The smallest margin between the two most probable classes first (Scheffer, Decomain and Wrobel 2001, doi:10.1007/3-540-44816-0_31).
CLOSE = """
    SELECT id, label, confidence, second, second_confidence FROM seen WHERE confidence - second_confidence < $unsure
    ORDER BY confidence - second_confidence, id LIMIT $most
"""
# Where both are surest first: there one of them is sure and wrong.
AGAINST = """
    SELECT id, teacher.label, teacher.confidence, seen.label, seen.confidence FROM seen JOIN teacher USING (id)
    WHERE teacher.label <> seen.label ORDER BY least(teacher.confidence, seen.confidence) DESC, id LIMIT $most
"""
FAR = "SELECT id, likeness FROM seen WHERE likeness < $least ORDER BY likeness, id LIMIT $most"


class Doubts:
    """Findings about unlabeled images.

    Args:
        seen: the files of the table that `looking.look` wrote.
        generations: of each generation, the first one first, the files of the predictions that its student learned from.
        left_out: files of tables with ids of images that are not looked at.
        names: of the classes.
        most: findings of each kind.
    """

    def __init__(
        self,
        seen: Sequence[Path],
        generations: Sequence[Sequence[Path]],
        left_out: Sequence[Path],
        names: Sequence[str],
        most: int,
    ) -> None:
        self._seen, self._generations, self._left_out = seen, generations, left_out
        self._names, self._most = names, most

    def unsure(self) -> list[Finding]:
        """The network finds two classes nearly as probable."""
        return [
            Finding("unlabeled", id, f"unsure: {self._said(first, p)} or {self._said(second, q)}")
            for id, first, p, second, q in self._rows(CLOSE, unsure=UNSURE)
        ]

    def disagreed(self, number: int) -> list[Finding]:
        """The network, which is that of generation `number`, says another class than the teacher it learned from."""
        if not 0 < number <= len(self._generations):
            return []
        rows = self._rows(AGAINST, teacher=self._generations[number - 1])
        return [
            Finding("unlabeled", id, f"its teacher said {self._said(before, p)}, the student {self._said(now, q)}")
            for id, before, p, now, q in rows
        ]

    def changed(self) -> list[Finding]:
        """Teachers of one generation after the other said other classes; the most changes first, then the least sure."""
        count = len(self._generations)
        if count < 2:
            return []
        tables = {f"gen_{number}": files for number, files in enumerate(self._generations)}
        labels = [f"{table}.label" for table in tables]
        changes = " + ".join(f"({a} <> {b})::INTEGER" for a, b in itertools.pairwise(labels))
        joined = " ".join(f"JOIN {table} USING (id)" for table in tables)
        query = (
            f"SELECT id, {', '.join(labels)} FROM seen {joined} WHERE {changes} > 0"
            f" ORDER BY {changes} DESC, gen_{count - 1}.confidence, id LIMIT $most"
        )
        return [
            Finding("unlabeled", id, f"changed: {', then '.join(short(self._names[label]) for label in said)}")
            for id, *said in self._rows(query, **tables)
        ]

    def of_no_class(self, least: float) -> list[Finding]:
        """Farther from every class than hardly an image of a known class, the farthest first (`known_classes`)."""
        why = "perhaps of no class: it resembles none of them"
        return [Finding("unlabeled", id, why) for id, _ in self._rows(FAR, least=least)]

    def _rows(self, query: str, **given: Any) -> list[tuple[Any, ...]]:
        tables = {name: files for name, files in given.items() if not isinstance(files, float)}
        values = {name: value for name, value in given.items() if isinstance(value, float)}
        left_out = {f"out_{number}": [file] for number, file in enumerate(self._left_out)}
        with opened(all_seen=self._seen, **tables, **left_out) as database:
            self._without(database, list(left_out))
            return database.execute(query, {**values, "most": self._most}).fetchall()

    @staticmethod
    def _without(database: duckdb.DuckDBPyConnection, left_out: Sequence[str]) -> None:
        out = "".join(f" AND id NOT IN (SELECT id FROM {table})" for table in left_out)
        database.execute(f"CREATE VIEW seen AS SELECT * FROM all_seen WHERE true{out}")

    def _said(self, label: int, probability: float) -> str:
        return f"{short(self._names[label])} ({probability:.2f})"
