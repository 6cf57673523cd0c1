"""The archive's evaluation tables, and sota-extractor's task files: tasks within tasks, datasets, tables of results.

A task may stand in several places; what they say is put together. The rows keep the order of the file, which is that of the leaderboard.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from typing import Any

from noisystudent.board.catalogue.change import Change, Result
from noisystudent.board.catalogue.slugs import slug_of_address, slugify
from noisystudent.board.importing.addresses import address, links
from noisystudent.board.importing.completing import EMPTY, complete
from noisystudent.board.importing.fields import Fields, KnownKeys
from noisystudent.board.importing.loss import Loss
from noisystudent.board.importing.names import is_name, name, names, one_line, values
from noisystudent.board.importing.parts import Part
from noisystudent.board.importing.results import Results

SLUG_TITLE = "Papers with Code Leaderboard URL"
FLAGS = {"true": True, "1": True, "false": False, "0": False}
DIRECTIONS = {"higher": True, "lower": False}


KEYS = {
    "task": ("task", "description", "categories", "synonyms", "source_link", "subtasks", "datasets"),
    "dataset": ("dataset", "subdataset", "description", "dataset_links", "dataset_citations", "subdatasets", "sota"),
    "sota": ("metrics", "rows", "metric_directions"),
    "row": (
        *("model_name", "paper_title", "paper_url", "paper_date", "code_links", "model_links"),
        *("metrics", "uses_additional_data"),
        # none of the archive's: our own export has them, and other importers say with the first where a row stands, or how it was measured
        *("locator", "source_url", "evaluated_on", "tags", "verified"),
    ),
}
OF_OTHERS = {
    **KEYS,
    "row": (*KEYS["row"], "where"),
}  # tables that importers make of other files: where in these a row stands


class Loader:
    """Tasks, with all that stands under them.

    Args:
        in_order: the rows of a table stand in the order of their ranks, as in the archive's form.
    """

    def __init__(self, *, in_order: bool = True) -> None:
        self.in_order = in_order
        self.known = KnownKeys(KEYS if in_order else OF_OTHERS)
        self.said: set[int] = set()
        self.completed: set[tuple[str, int]] = set()

    def load(self, change: Change, part: Part) -> None:
        tables = _Tables(change, part.report, self)
        for fields in part.items:
            tables.task(fields, parent=None)


class _Tables:
    def __init__(self, change: Change, report: Loss, file: Loader) -> None:
        self.change = change
        self.report = report
        self.results = Results(change, report, file.said)
        self.completed = file.completed
        self.in_order = file.in_order
        self.known = file.known
        self.parents: dict[int, set[int]] = defaultdict(set)
        for row in change.connection.execute("SELECT task_id, parent_id FROM task_parent"):
            self.parents[row["task_id"]].add(row["parent_id"])
        self.last_leaderboard = change.connection.execute("SELECT coalesce(max(id), 0) FROM leaderboard").fetchone()[0]

    # Tasks

    def task(self, fields: Fields, parent: int | None) -> None:
        called = name(fields, "task")
        if not called:
            return
        fields.where = f"{fields.where}, {called}" if parent is None else called
        self.report.recognised()
        self.known.check(fields, "task")
        task = self.change.task(called)
        source = fields.part("source_link")
        self.complete(
            "task",
            task,
            fields,
            description=fields.text("description"),
            link_title=source.line("title") if source else "",
            link_url=address(source, "url") if source else "",
        )
        for area in names(fields, "categories"):
            self.relate("task_area", task_id=task, area_id=self.change.area(area))
        for synonym in names(fields, "synonyms"):
            self.relate("task_synonym", task_id=task, name=synonym)
        if parent is not None:
            self.put_under(task, parent, fields)
        for dataset in fields.parts("datasets"):
            self.dataset(dataset, task, None)
        for subtask in fields.parts("subtasks"):
            self.task(subtask, task)

    def put_under(self, task: int, parent: int, fields: Fields) -> None:
        """One more parent of a task; an edge that would close a circle is left out."""
        if parent in self.parents[task]:
            return
        above, waiting = set[int](), [parent]
        while waiting:
            current = waiting.pop()
            if current not in above:
                above.add(current)
                waiting += self.parents[current]
        if task in above:
            self.report.lost("parent", fields.where, "the parent stands under this task: it would close a circle")
            return
        self.parents[task].add(parent)
        self.relate("task_parent", task_id=task, parent_id=parent)

    # Datasets

    def dataset(self, fields: Fields, task: int, parent: int | None) -> None:
        key = "subdataset" if parent is not None and "subdataset" in fields.item else "dataset"
        called = name(fields, key)
        if not called:
            return
        fields.where = f"{fields.where} on {called}" if parent is None else f"{fields.where}, {called}"
        self.known.check(fields, "dataset")
        dataset = self.change.dataset(called, parent)
        leaderboard = self.change.leaderboard(task, dataset)
        found = links(fields, "dataset_links")
        self.complete(
            "leaderboard",
            leaderboard,
            fields,
            description=fields.text("description"),
            links=_list(found),
            citations=_list(links(fields, "dataset_citations")),
        )
        for link in found:
            if link["title"] == SLUG_TITLE:
                self.give_slug(leaderboard, link["url"], fields)
        sota = fields.part("sota")
        if sota:
            self.table(sota, leaderboard)
        for part in fields.parts("subdatasets"):
            self.dataset(part, task, dataset)

    def give_slug(self, leaderboard: int, url: str, fields: Fields) -> None:
        """The old site's address of a leaderboard: a new one gets it, one that has another address is found by this one, too."""
        slug = slugify(slug_of_address(url, "sota") or "")
        connection = self.change.connection
        if slug_of_address(url, "sota") is None:
            return
        holder = connection.execute(
            "SELECT id FROM leaderboard WHERE slug = ? UNION ALL SELECT id FROM alias WHERE kind = 'leaderboard' AND old = ?",
            (slug, slug),
        ).fetchone()
        if holder is None and leaderboard > self.last_leaderboard:
            self.change.edit("leaderboard", leaderboard, slug=slug)
        elif holder is None:
            self.change.insert("alias", kind="leaderboard", old=slug, id=leaderboard)
        elif holder["id"] != leaderboard:
            self.report.lost("leaderboard address", fields.where, f"{slug} is the address of another leaderboard")

    # Tables

    def table(self, sota: Fields, leaderboard: int) -> None:
        self.known.check(sota, "sota")
        for metric in names(sota, "metrics"):
            self.change.metric(leaderboard, metric)
        directions = sota.part("metric_directions")
        for given, better in directions.item.items() if directions else ():
            cell = Fields({"metric": given, "better": better}, sota.where, self.report)
            metric, higher = name(cell, "metric"), DIRECTIONS.get(cell.line("better").lower())
            if metric and higher is not None:
                self.change.metric(leaderboard, metric, higher_is_better=higher)
            elif metric:
                self.report.lost("metric_directions", sota.where, f"{str(better)[:60]!r} is neither higher nor lower")
        rows = (self.row(row, leaderboard, position) for position, row in enumerate(sota.parts("rows")))
        self.results.add(leaderboard, [row for row in rows if row])

    def row(self, fields: Fields, leaderboard: int, position: int) -> Result | None:
        there = "" if self.in_order else one_line(fields, "where")
        fields.where = there or f"{fields.where}, row {position + 1}"
        self.known.check(fields, "row")
        model = one_line(fields, "model_name")  # may be missing: real tables have rows of a paper alone, or of nobody
        if not is_name(model, "model_name", fields):
            return None
        metrics = fields.part("metrics")
        verified = fields.part("verified")
        title, url, published = fields.line("paper_title"), address(fields, "paper_url"), _day(fields, "paper_date")
        return Result(
            leaderboard=leaderboard,
            model=model,
            values=values(metrics.item, fields) if metrics else {},
            paper=self.results.paper(title, url, published),
            position=position,
            in_order=self.in_order,
            extra_data=_said(fields, "uses_additional_data"),
            paper_title=title,
            paper_url=url,
            paper_date=published,
            evaluated_on=_day(fields, "evaluated_on"),
            source_url=address(fields, "source_url") or None,
            locator=one_line(fields, "locator"),
            tags=fields.lines("tags"),
            code_links=links(fields, "code_links"),
            model_links=links(fields, "model_links"),
            where=fields.where,
            verified=(one_line(verified, "by"), one_line(verified, "where")) if verified else ("", ""),
        )

    # Rows

    def complete(self, table: str, row: int, fields: Fields, **columns: str) -> None:
        """What a file says of a row first; what it says at other places fills gaps."""
        again = (table, row) in self.completed
        self.completed.add((table, row))
        complete(self.change, table, row, columns, replaces=False if again else None)
        after = self.change.connection.execute(f"SELECT * FROM {table} WHERE id = ?", (row,)).fetchone()
        for column, value in columns.items():
            if value not in EMPTY and after[column] != value:
                self.report.lost(column, fields.where, "there is another one already")

    def relate(self, table: str, **columns: Any) -> None:
        where = " AND ".join(f"{column} = ?" for column in columns)
        if not self.change.connection.execute(
            f"SELECT 1 FROM {table} WHERE {where}", tuple(columns.values())
        ).fetchone():
            self.change.insert(table, **columns)


def _day(fields: Fields, key: str) -> str | None:
    """A day, be it in 2222; half a date is none."""
    found = fields.date(key)
    try:
        return found and date.fromisoformat(found).isoformat()
    except ValueError:
        fields.report.lost(key, fields.where, f"{found!r} is not a day (2026-11-25)")
        return None


def _said(fields: Fields, key: str) -> bool | None:
    """Yes, no or not said; as text, too, which is what a Parquet copy makes of it."""
    value = fields.item.get(key)
    if value is None or value == "":
        return None
    said = FLAGS.get(str(value).lower())
    if said is None:
        fields.report.lost(key, fields.where, f"{str(value)[:60]!r} is not true or false")
    return said


def _list(value: list[dict[str, str]]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
