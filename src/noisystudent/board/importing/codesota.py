"""The data sets of CodeSOTA's registry (`datasets.json`), which come in as those of the archive's dump do."""

from __future__ import annotations

from typing import Any

from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.slugs import slugify
from noisystudent.board.importing import datasets
from noisystudent.board.importing.fields import Fields, KnownKeys
from noisystudent.board.importing.names import one_line
from noisystudent.board.importing.parts import Part

KEYS = ("id", "task", "name", "fullName", "description", "paperUrl", "downloadUrl", "year", "language")
SIGN = "primaryMetric"  # a key that every data set has there, and nothing else does


class Loader:
    """Data sets. Their metrics come without results, so they make no leaderboard, and are reported."""

    def __init__(self) -> None:
        self.known = KnownKeys({"": KEYS})
        self.datasets = datasets.Loader()

    def load(self, change: Change, part: Part) -> None:
        found: list[Fields] = []
        for fields in part.items:
            self.known.check(fields)
            found.append(Fields(_dataset(change, fields), fields.where, part.report))
        self.datasets.load(change, Part(found, part.report))


def _dataset(change: Change, fields: Fields) -> dict[str, Any]:
    """A data set as the dump has it."""
    name, task, year = one_line(fields, "name"), one_line(fields, "task"), fields.whole("year")
    return {
        "url": f"/dataset/{slugify(name)}" if name else "",
        "name": name,
        "full_name": one_line(fields, "fullName"),
        "description": fields.text("description"),
        "homepage": fields.line("downloadUrl"),
        "paper": {"title": "", "url": fields.line("paperUrl")} if fields.line("paperUrl") else None,
        "introduced_date": f"{year:04}" if year is not None and 0 < year < 10_000 else None,
        "languages": [one_line(fields, "language")],
        "tasks": [{"task": _task(change, task), "url": ""}] if task else [],
    }


def _task(change: Change, slug: str) -> str:
    """The name of a task that the registry names by its slug: the one here, else the slug's words."""
    row = change.connection.execute("SELECT name FROM task WHERE slug = ?", (slug,)).fetchone()
    return str(row["name"]) if row else slug.replace("-", " ").title()
