"""What a reader chose on a leaderboard's page, as it stands in the address."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from noisystudent.board.catalogue.values import parse_value, scaled
from noisystudent.board.queries.standings import COST, Filters
from noisystudent.board.web.row_numbers import row_number
from noisystudent.errors import UserError

EXTRA = {"": None, "with": True, "without": False}
HOW = {"metric", "chart", "columns", "page", "at"}  # parts that leave all results in


@dataclass(frozen=True)
class Selection:
    """The parts of the query, as text: a form sends empty ones too.

    Args:
        metric: the name of the one to rank by; the leaderboard's first where empty.
        extra: "with" or "without" extra training data.
        code: "yes" for results that have code.
        parameters: at most so many, `480M`.
        year_from, year_to: of the result.
        tag: that a result has.
        verified: "yes" for results that an author of their paper verified.
        as_of: the leaderboard as it was at the end of that day.
        chart: "parameters" or "multiply_adds" for the chart against that cost; over time where empty.
        columns: "all" of the metrics, whatever the screen.
        page: of the table, from 1.
        at: the number of a result; the page is then the one that has it.
    """

    metric: str = ""
    extra: str = ""
    code: str = ""
    parameters: str = ""
    year_from: str = ""
    year_to: str = ""
    tag: str = ""
    verified: str = ""
    as_of: str = ""
    chart: str = ""
    columns: str = ""
    page: str = ""
    at: str = ""

    def filters(self) -> Filters:
        """What to show.

        Raises:
            UserError: parts that have no meaning, each with what it should be.

        Example:
            >>> Selection(extra="without", parameters="100M").filters().parameters_at_most
            100000000.0
        """
        problems = []
        if self.extra not in EXTRA:
            problems.append(f"extra is {self.extra!r}: it must be with or without")
        for name in ("code", "verified"):
            if getattr(self, name) not in ("", "yes"):
                problems.append(f"{name} is {getattr(self, name)!r}: it must be yes")
        if self.chart not in ("", *COST):
            problems.append(f"chart is {self.chart!r}: it must be {' or '.join(COST)}")
        if self.columns not in ("", "all"):
            problems.append(f"columns is {self.columns!r}: it must be all")
        for name in ("page", "at"):
            if getattr(self, name) and not row_number(getattr(self, name)):
                problems.append(f"{name} is {getattr(self, name)!r}: it must be a number from 1")
        parameters = scaled(parse_value(self.parameters)) if self.parameters else None
        if self.parameters and parameters is None:
            problems.append(f"parameters is {self.parameters!r}: it must be a number such as 66M or 1.5B")
        years = {name: _year(text) for name, text in (("year_from", self.year_from), ("year_to", self.year_to))}
        problems += [
            f"{name} is {getattr(self, name)!r}: it must be a year" for name, year in years.items() if year == 0
        ]
        if self.as_of and not _is_day(self.as_of):
            problems.append(f"as_of is {self.as_of!r}: it must be a day such as 2026-11-25")
        if problems:
            raise UserError(problems)
        return Filters(
            EXTRA[self.extra],
            self.code == "yes",
            parameters,
            years["year_from"],
            years["year_to"],
            self.tag,
            self.verified == "yes",
        )

    @property
    def chosen(self) -> dict[str, str]:
        """The parts that are not empty."""
        return {name: text for name, text in vars(self).items() if text}

    @property
    def parts(self) -> dict[str, str]:
        """What was chosen, but for the page."""
        return {name: text for name, text in self.chosen.items() if name not in ("page", "at")}

    @property
    def narrows(self) -> bool:
        """Whether some of the results were chosen: not whether in what order, or how they are shown."""
        return bool(self.chosen.keys() - HOW)

    def query(self, **changes: Any) -> str:
        """The query of this selection with some parts changed, for a link to the first page; empty where nothing is chosen.

        Example:
            >>> Selection(metric="Top 1", code="yes", page="7").query(columns="all", code="")
            '?metric=Top+1&columns=all'
        """
        chosen = replace(self, **{"page": "", "at": ""} | changes).chosen
        return f"?{urlencode(chosen)}" if chosen else ""


def _year(text: str) -> int | None:
    """The year; None where there is no text, 0 where it is none."""
    if not text.strip():
        return None
    return int(text) if text.strip().isascii() and text.strip().isdigit() and len(text.strip()) <= 4 else 0


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text < date.max.isoformat()
    except ValueError:
        return False
