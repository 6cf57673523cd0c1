"""Results in the front matter of Hugging Face model cards (`model-index`).

A card names no paper; where the source of a result is on arXiv, that is the paper. Results on different configurations of a dataset are
not comparable: a configuration is a part of its dataset, with a leaderboard of its own.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from noisystudent.board.catalogue.change import Change, Result
from noisystudent.board.catalogue.slugs import arxiv_id
from noisystudent.board.importing.addresses import address
from noisystudent.board.importing.fields import Fields, KnownKeys
from noisystudent.board.importing.loss import Loss
from noisystudent.board.importing.names import name, one_line, values
from noisystudent.board.importing.parts import Part
from noisystudent.board.importing.results import Results

Key = tuple[int, str, str, str | None]  # leaderboard, model, locator, source


KEYS = {
    "": ("model-index", "file"),
    "model": ("name", "results"),
    "result": ("task", "dataset", "metrics", "source"),
    "source": ("url",),
    "task": ("type", "name"),
    "dataset": ("type", "name", "config", "args", "split", "revision"),
    "metric": ("type", "value", "name"),
}


class Loader:
    """The results of model cards."""

    def load(self, change: Change, part: Part) -> None:
        cards = _Cards(change, part.report)
        for card in part.items:
            cards.known.check(card)
            for model in card.parts("model-index"):
                cards.model(model)
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
