"""The results that stand on leaderboards, claims and runs, with all that files of others have room for."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from noisystudent.board.exporting.objects import in_batches, listed
from noisystudent.board.queries.over_seeds import OverSeeds, over_seeds

RESULTS = """
SELECT r.*, m.name AS model, m.parameters, m.weights_url, m.is_open, l.slug AS leaderboard, l.task, l.dataset,
  (SELECT a.slug FROM paper_author o JOIN author a ON a.id = o.author_id WHERE o.paper_id = r.paper_id
   ORDER BY o.position LIMIT 1) AS author,
  d.name AS part, d.whole_name AS whole, w.homepage, w.data_loaders, s.name AS layer, e.at AS added_at,
  run.seeds, run.images, run.intervals, run.environment, run.git_commit, run.command
FROM result_shown r JOIN model m ON m.id = r.model_id JOIN leaderboard_shown l ON l.id = r.leaderboard_id
JOIN dataset_shown d ON d.id = l.dataset_id JOIN dataset w ON w.id = coalesce(d.parent_id, d.id) JOIN event e ON e.id = r.added_by
LEFT JOIN source s ON s.id = r.source_id LEFT JOIN run ON run.result_id = r.id
WHERE r.retired_by IS NULL ORDER BY l.slug, r.kind, r.position, r.id
"""
VALUES = """
SELECT v.result_id AS owner, v.raw, v.number, v.unit, v.spread, k.name, k.unit AS column_unit, k.higher_is_better,
  k.id IS l.ranked_by AS ranks
FROM value v JOIN metric k ON k.id = v.metric_id JOIN leaderboard l ON l.id = k.leaderboard_id
WHERE v.result_id IN (SELECT value FROM json_each(?))
ORDER BY v.result_id, k.position, k.id
"""


class Standing(NamedTuple):
    """A result with its values, in the order of the leaderboard's columns."""

    row: sqlite3.Row
    values: Sequence[sqlite3.Row]

    def listed(self, column: str) -> list[Any]:
        """A column that holds a JSON list."""
        return list(json.loads(self.row[column] or "[]"))

    def over_seeds(self, value: sqlite3.Row) -> OverSeeds | None:
        """What a run says of a metric; None of a claim."""
        return over_seeds(self.row, value) if self.row["kind"] == "run" else None

    @property
    def hub_dataset(self) -> str:
        """The data set's name on Hugging Face's hub, `owner/name`; "" where no address of it says one."""
        places = [self.row["homepage"], *(loader.get("url", "") for loader in self.listed("data_loaders"))]
        return next(filter(None, map(hub_dataset, places)), "")


def standing(connection: sqlite3.Connection) -> Iterator[Standing]:
    """All of them, by leaderboard, claims before runs, each in the order of its table."""
    for rows in in_batches(connection, RESULTS):
        values = listed(connection, VALUES, [row["id"] for row in rows])
        yield from (Standing(row, values[row["id"]]) for row in rows)


def hub_dataset(url: str) -> str:
    """A data set's name on Hugging Face's hub, of its address there.

    Example:
        >>> hub_dataset("https://huggingface.co/datasets/cais/hle/tree/main"), hub_dataset("https://www.image-net.org/")
        ('cais/hle', '')
    """
    return _after("https://huggingface.co/datasets/", url)


def hub_model(url: str) -> str:
    """A model's name there.

    Example:
        >>> hub_model("https://huggingface.co/timm/resnet50.a1_in1k"), hub_model("https://huggingface.co/datasets/cais/hle")
        ('timm/resnet50.a1_in1k', '')
    """
    found = _after("https://huggingface.co/", url)
    return "" if found.startswith(("datasets/", "spaces/", "papers/", "docs/", "blog/")) else found


def _after(start: str, url: str) -> str:
    if not url.startswith(start):
        return ""
    parts = url.removeprefix(start).partition("?")[0].partition("#")[0].split("/")
    return "/".join(parts[:2]) if len(parts) >= 2 and all(parts[:2]) else ""
