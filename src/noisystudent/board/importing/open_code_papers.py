"""Leaderboards of OpenCodePapers: a JSON file each, whose title is the old site's address of it."""

from __future__ import annotations

from typing import Any

from noisystudent.board.catalogue.change import Change
from noisystudent.board.importing import evaluation_tables
from noisystudent.board.importing.fields import Fields, KnownKeys
from noisystudent.board.importing.names import name, names, one_line
from noisystudent.board.importing.parts import Part

KEYS = {
    "": ("title", "task-hierarchy", "dataset-info", "benchmark"),
    "dataset-info": ("link", "paper"),
    "benchmark": ("fields", "items"),
    "item": ("p", "c", "n", "d"),
    "item.p": ("name", "link"),
}
ADDRESS = "https://paperswithcode.com/sota/"
FIELDS = ("p", "c", "n", "d")  # paper, code, name of the model, day; the others are metrics


class Loader:
    """Leaderboards, each with its tasks, of which one stands under the other."""

    def __init__(self) -> None:
        self.tables = evaluation_tables.Loader(in_order=False)
        self.known = KnownKeys(KEYS)

    def load(self, change: Change, part: Part) -> None:
        found = [task for fields in part.items if (task := self.task(change, fields))]
        self.tables.load(change, Part([Fields(task, "", part.report) for task in found], part.report))

    def task(self, change: Change, fields: Fields) -> dict[str, Any] | None:
        self.known.check(fields)
        tasks, benchmark = names(fields, "task-hierarchy"), fields.part("benchmark")
        dataset = self.dataset(change, fields)
        if not tasks or not dataset or benchmark is None:
            fields.report.lost("leaderboard", fields.where, "it names no task, no data set or has no benchmark")
            return None
        info = fields.part("dataset-info")
        if info:
            self.known.check(info, "dataset-info")
        links = [{"title": dataset, "url": info.line("link")}] if info and info.line("link") else []
        title = one_line(fields, "title")
        table = {
            "dataset": dataset,
            "dataset_links": [*links, {"title": evaluation_tables.SLUG_TITLE, "url": ADDRESS + title}],
            "dataset_citations": [],
            "sota": self.table(benchmark),
        }
        if info and info.line("paper"):
            fields.report.lost(
                "dataset-info.paper", fields.where, "a title without an address is no paper of a data set"
            )
        found: dict[str, Any] = {"task": tasks[-1], "datasets": [table]}
        for above in reversed(tasks[:-1]):
            found = {"task": above, "subtasks": [found]}
        return found

    def dataset(self, change: Change, fields: Fields) -> str:
        """The data set's name: of a leaderboard that the catalogue has at this address, the one there; else what follows "-on-"."""
        title = name(fields, "title")
        row = change.connection.execute("SELECT dataset FROM leaderboard_shown WHERE slug = ?", (title,)).fetchone()
        return row["dataset"] if row else title.rpartition("-on-")[2]

    def table(self, benchmark: Fields) -> dict[str, Any]:
        self.known.check(benchmark, "benchmark")
        columns = {
            one_line(column, "key"): one_line(column, "label")
            for column in benchmark.parts("fields")
            if one_line(column, "key") not in FIELDS
        }
        rows = [self.row(item, columns) for item in benchmark.parts("items")]
        return {"metrics": list(columns.values()), "rows": rows}

    def row(self, item: Fields, columns: dict[str, str]) -> dict[str, Any]:
        rest = Fields({key: value for key, value in item.item.items() if key not in columns}, item.where, item.report)
        self.known.check(rest, "item")
        paper = item.part("p")
        if paper:
            self.known.check(paper, "item.p")
        code = item.line("c")
        return {
            "model_name": one_line(item, "n"),
            "paper_title": paper.line("name") if paper else "",
            "paper_url": paper.line("link") if paper else "",
            "paper_date": item.line("d"),
            "code_links": [{"title": "code", "url": code}] if code else [],
            "metrics": {
                label: item.item[key] for key, label in columns.items() if item.item.get(key) not in (None, "")
            },
        }
