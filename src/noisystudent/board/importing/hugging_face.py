"""Results of models on Hugging Face's hub: in the front matter of their cards (`model-index`), and in `.eval_results/*.yaml`.

A card names no paper; where the source of a result is on arXiv, that is the paper. Results on different configurations of a dataset are
not comparable: a configuration is a part of its dataset, with a leaderboard of its own.

An entry of `.eval_results` names neither task nor metric: our export says them in its notes ("metric: Accuracy; task: Reading"); of
others, the hub's name of the task is the task, and the metric a "Score".
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from noisystudent.board.catalogue.change import Change, Result
from noisystudent.board.catalogue.slugs import arxiv_id
from noisystudent.board.catalogue.values import parse_value
from noisystudent.board.importing.addresses import address
from noisystudent.board.importing.fields import Fields, KnownKeys
from noisystudent.board.importing.loss import Loss
from noisystudent.board.importing.names import name, one_line, values
from noisystudent.board.importing.parts import Part
from noisystudent.board.importing.results import Results

Key = tuple[int, str, str, str | None]  # leaderboard, model, locator, source


KEYS = {
    "": ("model-index", "eval-results", "model", "file"),
    "model": ("name", "results"),
    "result": ("task", "dataset", "metrics", "source"),
    "source": ("url",),
    "task": ("type", "name"),
    "dataset": ("type", "name", "config", "args", "split", "revision"),
    "metric": ("type", "value", "name"),
    "entry": ("dataset", "value", "date", "source", "notes"),
    "entry.dataset": ("id", "task_id", "revision"),
    "entry.source": ("url", "name"),
}


class Loader:
    """The results of model cards."""

    def load(self, change: Change, part: Part) -> None:
        cards = _Cards(change, part.report)
        for card in part.items:
            cards.known.check(card)
            for model in card.parts("model-index"):
                cards.model(model)
        for card in part.items:
            for entry in card.parts("eval-results"):
                cards.entry(entry, one_line(card, "model"))
        by_leaderboard: dict[int, list[Result]] = defaultdict(list)
        for row in cards.rows.values():
            by_leaderboard[row.leaderboard].append(row)
        for leaderboard, rows in by_leaderboard.items():
            cards.results.add(leaderboard, rows)


class _Cards:
    def __init__(self, change: Change, report: Loss) -> None:
        self.change = change
        self.report = report
        self.results = Results(change, report, set())
        self.rows: dict[Key, Result] = {}
        self.known = KnownKeys(KEYS)

    def model(self, fields: Fields) -> None:
        called = name(fields, "name")
        if not called:
            return
        fields.where = f"{fields.where}, {called}"
        self.report.recognised()
        self.known.check(fields, "model")
        for result in fields.parts("results"):
            self.known.check(result, "result")
            leaderboard = self.leaderboard(result)
            if leaderboard is not None:
                self.result(result, called, leaderboard)

    def leaderboard(self, fields: Fields) -> int | None:
        """The leaderboard of a result's task and dataset; None where one of them has no name."""
        task, dataset = fields.part("task"), fields.part("dataset")
        if task is None or dataset is None:
            self.report.lost("result", fields.where, "it names no task or no dataset")
            return None
        self.known.check(task, "task")
        self.known.check(dataset, "dataset")
        of_task = one_line(task, "name") or one_line(task, "type").replace("-", " ").title()
        of_dataset = one_line(dataset, "name") or one_line(dataset, "type")
        given = Fields({"task": of_task, "dataset": of_dataset}, fields.where, self.report)
        if not name(given, "task") or not name(given, "dataset"):
            return None
        number = self.change.dataset(of_dataset)
        configuration = one_line(dataset, "config") or _args(dataset)
        if configuration not in ("", "default"):
            number = self.change.dataset(configuration, number)
        return self.change.leaderboard(self.change.task(of_task), number)

    def entry(self, fields: Fields, model: str) -> None:
        """A value of `.eval_results`; where the model's card has it already, it is no second result."""
        self.known.check(fields, "entry")
        data, source = fields.part("dataset"), fields.part("source")
        if data is None or not name(data, "id"):
            if data is None:
                self.report.lost("entry", fields.where, "it names no dataset")
            return
        self.report.recognised()
        self.known.check(data, "entry.dataset")
        if source:
            self.known.check(source, "entry.source")
        notes = one_line(fields, "notes")
        said = dict(note.split(": ", 1) for note in notes.split("; ") if ": " in note)
        leaderboard = self.leaderboard_of_entry(data, said.get("task", ""))
        metric = said.get("metric") or "Score"
        found = values({metric: fields.item.get("value")}, fields)
        if leaderboard is None or not found:
            return
        number = parse_value(found[metric]).number if metric in found else None
        on_card = [row for row in self.rows.values() if (row.leaderboard, row.model) == (leaderboard, model)]
        if any(number is not None and parse_value(row.values.get(metric, "")).number == number for row in on_card):
            self.report.there("result")
            return
        url, revision = address(source, "url") if source else "", one_line(data, "revision")
        about = [f"revision {revision}" if revision else "", "" if "metric" in said else notes]
        row = Result(
            leaderboard=leaderboard,
            model=model,
            values=found,
            paper=self.results.paper("", url, None) if arxiv_id(url) else None,
            paper_url=url if arxiv_id(url) else "",
            source_url=url or None,
            evaluated_on=fields.date("date"),
            locator=", ".join(filter(None, about)),
            where=fields.where,
        )
        self.rows[(leaderboard, model, f"{row.locator} {fields.where} {metric}", row.source_url)] = row

    def leaderboard_of_entry(self, data: Fields, task: str) -> int | None:
        """The leaderboard of a dataset of the hub, which the catalogue may have under another name, and of a task there."""
        identity, task_id = one_line(data, "id"), one_line(data, "task_id")
        place = f"https://huggingface.co/datasets/{identity}"
        row = self.change.connection.execute(
            "SELECT id FROM dataset WHERE rtrim(homepage, '/') = ? OR instr(data_loaders, ?) ORDER BY id LIMIT 1",
            (place, f'"{place}"'),
        ).fetchone()
        dataset = int(row["id"]) if row else self.change.dataset(identity)
        is_part = task and task_id not in ("", "default")
        of_task = task or (task_id if task_id not in ("", "default") else identity.rpartition("/")[2])
        if not name(Fields({"task": of_task}, data.where, self.report), "task"):
            return None
        if is_part:
            dataset = self.change.dataset(task_id, dataset)
        return self.change.leaderboard(self.change.task(of_task), dataset)

    def result(self, fields: Fields, model: str, leaderboard: int) -> None:
        """A row of a model; results of the same origin are values of one row."""
        source, dataset = fields.part("source"), fields.part("dataset")
        if source:
            self.known.check(source, "source")
        url = address(source, "url") if source else ""
        said = [(key, one_line(dataset, key)) for key in ("split", "revision")] if dataset else []
        locator = ", ".join(f"{key} {text}" for key, text in said if text)
        paper_url = url if arxiv_id(url) else ""
        found: dict[str, str] = {}
        for metric in fields.parts("metrics"):
            self.known.check(metric, "metric")
            of = one_line(metric, "name") or one_line(metric, "type")
            if of in found:
                self.report.lost("metric", fields.where, f"{of} stands there twice")
            else:
                found |= values({of: metric.item.get("value")}, fields)
        key = (leaderboard, model, locator, url or None)
        row = self.rows.get(key) or Result(
            leaderboard=leaderboard,
            model=model,
            values={},
            paper=self.results.paper("", paper_url, None),
            paper_url=paper_url,
            source_url=url or None,
            locator=locator,
            where=fields.where,
        )
        for of in row.values.keys() & found.keys():
            self.report.lost("metric", fields.where, f"{of} of this model is given twice")
        new = {of: raw for of, raw in found.items() if of not in row.values}
        self.rows[key] = replace(row, values={**row.values, **new})


def _args(dataset: Fields) -> str:
    """A configuration as older cards name it: `args: cola`, or `args: {config: cola}`."""
    if not isinstance(dataset.item.get("args"), dict):
        return one_line(dataset, "args")
    part = dataset.part("args")
    assert part is not None
    for key in part.item.keys() - {"config", "name"}:
        part.report.lost("unknown key", part.where, f"dataset.args.{key} has no place in the catalogue")
    return one_line(part, "config") or one_line(part, "name")
