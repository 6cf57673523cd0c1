"""Tables of anyone: CSV, a row a model, whose columns are told by their names or by what the user says of them.

Rows come in as those of evaluation tables do, but their order says nothing. Our own export is one of these tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.values import parse_value
from noisystudent.board.importing import evaluation_tables
from noisystudent.board.importing.addresses import is_address
from noisystudent.board.importing.fields import Fields
from noisystudent.board.importing.loss import Loss
from noisystudent.board.importing.names import one_line
from noisystudent.board.importing.parts import Part
from noisystudent.errors import UserError

ROLES = {  # what a column may be, and the names by which it is known, in small letters, of which nothing but letters is left
    "model": ("model", "modelname", "method", "system", "approach"),
    "paper": ("paper", "papertitle", "title", "papersource"),
    "paper_url": ("paperurl", "paperlink", "url", "link"),
    "date": ("date", "paperdate", "published", "releasedate"),
    "code": ("code", "codeurl", "codelink", "repository", "repo"),
    "extra_data": ("extratrainingdata", "usesadditionaldata", "extradata"),
    "task": ("task", "taskname"),
    "dataset": ("dataset", "datasetname", "benchmark"),
    "part": ("part", "subdataset"),
    "metric": ("metric", "metricname"),  # of a table with a value a row
    "value": ("value", "score", "metricvalue"),
    "locator": ("locator", "place", "table"),  # where in the paper
    "verified_by": ("verifiedby",),  # these three are of our own export
    "verified_where": ("verifiedwhere",),
    "kind": ("kind",),  # a row is a claim or a run
    "ignored": ("rank", "seeds", "images"),
}
METRICS = "metrics"  # the role of columns that are named by a metric and hold its values
OURS = (
    "model",
    "extra_training_data",
)  # between these two stand the metrics of our own export, whatever they are called
NOTHING = ("", "-", "–", "—")  # what a cell holds where there is no value
FLAGS = {"yes": True, "no": False}
_NO_LETTER = re.compile(r"[^a-z]+")
_FORMULA = re.compile(r"'(?=[=+\-@])")  # our export marks a text so that a spreadsheet takes it for none


@dataclass(frozen=True)
class Columns:
    """What a user says of a table.

    Args:
        roles: names of columns by their role, which is one of `ROLES` or `METRICS`.
        task, dataset: of all rows, where no column says it.
    """

    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    task: str = ""
    dataset: str = ""


def columns_of(said: Sequence[str], *, task: str = "", dataset: str = "") -> Columns | None:
    """What options of a command say: ROLE=NAME, of which several may have one role. None where they say nothing.

    Raises:
        UserError: one of them is of another form, or of no role.

    Example:
        >>> columns_of(["model=Network", "metrics=F1", "metrics=EM"], task="Reading")
        Columns(roles={'model': ['Network'], 'metrics': ['F1', 'EM']}, task='Reading', dataset='')
    """
    roles: dict[str, list[str]] = {}
    for one in said:
        role, equals, column = one.partition("=")
        if role not in (*ROLES, METRICS) or not equals:
            raise UserError(f"--column {one}: give ROLE=NAME, where ROLE is one of {', '.join([*ROLES, METRICS])}")
        roles.setdefault(role, []).append(column)
    return Columns(roles, task, dataset) if roles or task or dataset else None


class Loader:
    """The rows of a table, whichever of them stand in a part."""

    def __init__(self, columns: Columns | None = None) -> None:
        self.said = columns or Columns()
        self.roles: dict[str, list[str]] | None = None
        self.tables = evaluation_tables.Loader(in_order=False)

    def load(self, change: Change, part: Part) -> None:
        if self.roles is None:
            self.roles = roles_of(part.items, self.said, part.report)
        tables: dict[tuple[str, str, str], dict[tuple[str, ...], dict[str, Any]]] = {}
        for fields in part.items:
            row = _Row(fields, self.roles)
            if row.text("kind") == "run":
                part.report.lost(
                    "run",
                    fields.where,
                    "a run comes from its folder (`board submit`), or as `export --format runs` wrote it",
                )
                continue
            place = row.text("task") or self.said.task, row.text("dataset") or self.said.dataset, row.text("part")
            _add(tables.setdefault(place, {}), row, part.report)
        found = [_table(*place, list(rows.values())) for place, rows in tables.items()]
        self.tables.load(change, Part([Fields(item, "the table", part.report) for item in found], part.report))


class _Row:
    """A row of the table, by the roles of its columns."""

    def __init__(self, fields: Fields, roles: Mapping[str, Sequence[str]]) -> None:
        self.fields = fields
        self.roles = roles

    def text(self, role: str) -> str:
        columns = self.roles.get(role, ())
        return _FORMULA.sub("", one_line(self.fields, columns[0]), count=1) if columns else ""

    def values(self) -> dict[str, str]:
        """The texts of its metrics; an empty cell or a dash says nothing."""
        if self.roles.get("metric") and self.roles.get("value"):
            found = {self.text("metric"): self.text("value")}
        else:
            found = {name: one_line(self.fields, name) for name in self.roles.get(METRICS, ())}
        plain = {_FORMULA.sub("", name, count=1): _FORMULA.sub("", raw, count=1) for name, raw in found.items()}
        return {name: raw for name, raw in plain.items() if name and raw not in NOTHING}


def roles_of(rows: Sequence[Fields], said: Columns, report: Loss) -> dict[str, list[str]]:
    """Which columns are what: as the user says, else by their names; those with numbers in them are metrics, the rest is lost.

    Raises:
        UserError: there is no column that the user names, none for the model, or nothing that says task or data set.
    """
    header, where = list(rows[0].item), rows[0].where
    roles = {role: list(names) for role, names in said.roles.items()}
    missing = [name for names in roles.values() for name in names if name not in header]
    if missing:
        raise UserError(f"{where}: there is no column {', '.join(missing)}; there are {', '.join(header)}")
    taken = {name for names in roles.values() for name in names}
    ours = header[header.index(OURS[0]) + 1 : header.index(OURS[1])] if set(OURS) <= set(header) else []
    for name in header:
        role = METRICS if name in ours else role_of(name)
        if name in taken or (role != METRICS and roles.get(role)):
            continue
        if role != METRICS or name in ours or (METRICS not in said.roles and _holds_numbers(rows, name)):
            roles.setdefault(role, []).append(name)
        elif any(row.item[name] for row in rows):
            report.lost("column", where, f"{name} is nothing that the catalogue knows, and holds no numbers")
    _require(roles, said, header, where)
    return roles


def role_of(name: str) -> str:
    """What a column is by its name alone; a metric, where nothing else is known by it.

    Example:
        >>> role_of("Paper / Source"), role_of("model_name"), role_of("F1")
        ('paper', 'model', 'metrics')
    """
    plain = _NO_LETTER.sub("", name.lower())
    return next((role for role, names in ROLES.items() if plain in names), METRICS)


def _require(roles: Mapping[str, Sequence[str]], said: Columns, header: Sequence[str], where: str) -> None:
    lacking = {
        "a model: --column model=NAME": not roles.get("model"),
        "a task: --task, or --column task=NAME": not roles.get("task") and not said.task,
        "a data set: --dataset, or --column dataset=NAME": not roles.get("dataset") and not said.dataset,
        "a metric's values: --column metrics=NAME": not roles.get(METRICS) and not roles.get("value"),
    }
    if any(lacking.values()):
        told = "; ".join(what for what, lacks in lacking.items() if lacks)
        raise UserError(f"{where}: no column is known for {told}. There are {', '.join(header)}")


def _holds_numbers(rows: Sequence[Fields], column: str) -> bool:
    """Whether most of what stands in a column is a number."""
    cells = [row.item[column] for row in rows if row.item[column] not in NOTHING]
    return 2 * sum(parse_value(cell).number is not None for cell in cells) > len(cells)


def _add(rows: dict[tuple[str, ...], dict[str, Any]], row: _Row, report: Loss) -> None:
    """A row of a table; in one that has a value a row, those of a model and a paper are one result."""
    code = [url for url in row.text("code").split() if is_address(url)]
    if row.text("code") and not code:
        report.lost("code", row.fields.where, f"{row.text('code')[:60]!r} is no address on the web")
    extra = row.text("extra_data").lower()
    made: dict[str, Any] = {
        "model_name": row.text("model"),
        "paper_title": row.text("paper"),
        "paper_url": row.text("paper_url"),
        "paper_date": row.text("date"),
        "code_links": [{"title": "code", "url": url} for url in code],
        "model_links": [],
        "metrics": row.values(),
        "uses_additional_data": FLAGS.get(extra, extra),
        "locator": row.text("locator"),
        "where": row.fields.where,
    }
    if by := row.text("verified_by"):
        made["verified"] = {"by": by, "where": row.text("verified_where")}
    one_value = bool(row.roles.get("metric") and row.roles.get("value"))
    key = (made["model_name"], made["paper_title"], made["paper_url"]) if one_value else (row.fields.where,)
    before = rows.setdefault(key, made)
    if before is not made:
        again = before["metrics"].keys() & made["metrics"].keys()
        if again:
            report.lost("value", row.fields.where, f"{', '.join(again)} of this model is given twice")
        before["metrics"] = {**made["metrics"], **before["metrics"]}


def _table(task: str, dataset: str, part: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The table as evaluation tables have it."""
    names = list(dict.fromkeys(name for row in rows for name in row["metrics"]))
    sota = {"metrics": names, "rows": rows}
    if part:
        return {"task": task, "datasets": [{"dataset": dataset, "subdatasets": [{"subdataset": part, "sota": sota}]}]}
    return {"task": task, "datasets": [{"dataset": dataset, "sota": sota}]}
