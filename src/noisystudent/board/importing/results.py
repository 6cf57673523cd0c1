"""Rows of results tables into the catalogue: each once, however often its file is imported."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from noisystudent.board.catalogue.change import Change, Result
from noisystudent.board.catalogue.costs import multiply_adds, parameters
from noisystudent.board.catalogue.verifying import take_over
from noisystudent.board.importing.addresses import is_address
from noisystudent.board.importing.loss import Loss
from noisystudent.board.importing.paper_rows import has_no_title


@dataclass(frozen=True)
class _Known:
    """A result that is on the leaderboard already."""

    number: int
    values: dict[str, str]
    address: str
    details: tuple[Any, ...]
    correctable: bool  # it came from this layer, and this import has not said it


class Results:
    """Adds results in one change, but none that is there already.

    A row is there when the same model of the same paper has the same values. Where a layer that was imported before now says something
    else of that model, the new row supersedes the old one. Rows of other layers are left alone.

    Args:
        said: the numbers of results that this import has added or met, in whichever change: a table that comes again corrects none of
            them. No result is ever removed, so they stay what they are.
    """

    def __init__(self, change: Change, report: Loss, said: set[int]) -> None:
        self.change = change
        self.report = report
        self._said = said
        self._papers: dict[tuple[str, str], int | None] = {}

    def paper(self, title: str, url: str, published: str | None) -> int | None:
        """The paper that a row names, found or made; None where it names none, or an address alone that is no paper's."""
        if is_address(title):  # which is no title
            title, url = "", url or title
        if not title and not url:
            return None
        key = (title, url)
        if key not in self._papers:
            number = self.change.paper(title=title, url=url, published=published)
            if title and number is not None:  # it may have been known by its address alone until now
                row = self.change.connection.execute("SELECT * FROM paper WHERE id = ?", (number,)).fetchone()
                if has_no_title(row) or row["title"] == url:
                    self.change.edit("paper", number, title=title)
            self._papers[key] = number
        return self._papers[key]

    def add(self, leaderboard: int, rows: Iterable[Result]) -> None:
        """The rows of one table. Two rows of it that say the same are two results; those of a table that comes again are not."""
        known = self._known(leaderboard)
        new = []
        for row in rows:
            of_model = known[row.model, row.paper]
            same = next((old for old in of_model if old.values == row.values and _agree(old, row)), None)
            bare = not row.paper_title or is_address(row.paper_title)
            if same is None and row.paper is not None and bare:  # its address was no paper's before
                of_model = known[row.model, None]
                same = next(
                    (old for old in of_model if old.values == row.values and old.address == row.paper_url), None
                )
            if same:
                of_model.remove(same)
                self._says(same.number, row)
                self.report.there("result")
            else:
                new.append(row)
        for row in new:
            of_model = known[row.model, row.paper]
            old = next((old for old in of_model if old.correctable), None)
            if old:
                of_model.remove(old)
            self._says(self.change.add_result(row, supersedes=old.number if old else None), row)
            self._costs(row)

    def _says(self, number: int, row: Result) -> None:
        self._said.add(number)
        self.report.places[number] = row.where
        if row.verified[0] and (why := take_over(self.change, number, *row.verified)):
            self.report.lost("verified", row.where, why)

    def _known(self, leaderboard: int) -> dict[tuple[str, int | None], list[_Known]]:
        connection = self.change.connection
        values: dict[int, dict[str, str]] = defaultdict(dict)
        for row in connection.execute(
            "SELECT v.result_id, k.name, v.raw FROM result r JOIN value v ON v.result_id = r.id JOIN metric k ON k.id = v.metric_id "
            "WHERE r.leaderboard_id = ? AND r.retired_by IS NULL",
            (leaderboard,),
        ):
            values[row["result_id"]][row["name"]] = row["raw"]
        known: dict[tuple[str, int | None], list[_Known]] = defaultdict(list)
        for row in connection.execute(
            "SELECT r.*, m.name AS model FROM result r JOIN model m ON m.id = r.model_id "
            "WHERE r.leaderboard_id = ? AND r.retired_by IS NULL AND r.kind = 'claim' ORDER BY r.position, r.id",
            (leaderboard,),
        ):
            extra = None if row["extra_data"] is None else bool(row["extra_data"])
            lists = (json.loads(row["code_links"]), json.loads(row["model_links"]))
            details = (extra, row["paper_title"], row["paper_url"], row["paper_date"], *lists)
            correctable = row["id"] not in self._said and row["source_id"] == self.change.source
            one = _Known(row["id"], values[row["id"]], row["paper_url"], details, correctable)
            known[row["model"], row["paper_id"]].append(one)
        return known

    def _costs(self, row: Result) -> None:
        """Number of parameters and operations of a model, out of the columns that give them."""
        found: dict[str, float] = {}
        for name, raw in row.values.items():
            for column, cost in (("parameters", parameters(name, raw)), ("multiply_adds", multiply_adds(name, raw))):
                if cost is not None:
                    found.setdefault(column, cost)
        if found:
            self.describe_model(self.change.model(row.model, row.paper), **found)

    def describe_model(self, model: int, **columns: Any) -> None:
        """Fill in what is not known of a model yet."""
        row = self.change.connection.execute("SELECT * FROM model WHERE id = ?", (model,)).fetchone()
        missing = {name: value for name, value in columns.items() if row[name] is None and value is not None}
        if missing:
            self.change.edit("model", model, **missing)


def _agree(old: _Known, row: Result) -> bool:
    """Whether the rest of a row is the same, too, as far as a correction may change it."""
    details = (
        row.extra_data,
        row.paper_title,
        row.paper_url,
        row.paper_date,
        list(row.code_links),
        list(row.model_links),
    )
    return not old.correctable or old.details == details
