"""Leaderboards that people keep in Markdown, as NLP-progress does: headings are tasks and data sets, tables have a model a row.

The last heading above a table is its data set, those above it are the task and what that stands under. Of several tables under one
heading, each is a part of the data set, called as the line above it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from noisystudent.board.catalogue.change import Change
from noisystudent.board.importing import evaluation_tables
from noisystudent.board.importing.csv_tables import METRICS, NOTHING, role_of
from noisystudent.board.importing.fields import Fields
from noisystudent.board.importing.loss import Loss
from noisystudent.board.importing.parts import Part

KNOWN = ("model", "paper", "paper_url", "date", "code", "ignored")  # roles of columns
LONGEST_PART = 100  # characters of a line that names a table
_RESULTS = re.compile(r"^[ \t]*+\|?+[ \t*]*+(?:model|method|system)s?+\b[^|\n]*+\|", re.IGNORECASE | re.MULTILINE)


def has_results(text: str) -> bool:
    """Whether a table in it begins with a column of models.

    Example:
        >>> has_results("| Model | F1 |\\n|---|---|\\n| A | 1 |"), has_results("| Dataset | Size |\\n|---|---|\\n| A | 1 |")
        (True, False)
    """
    return _RESULTS.search(text) is not None


@dataclass
class Cell:
    """The text of a cell, without its markup, and where its links lead, with what they are called."""

    text: str = ""
    links: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Table:
    """A table: the headings above it, the paragraph right before it, its rows; the first one is its header."""

    headings: list[str]
    before: str
    line: int
    rows: list[list[Cell]] = field(default_factory=list)


class Loader:
    """The tables of texts."""

    def __init__(self) -> None:
        self.tables = evaluation_tables.Loader(in_order=False)

    def load(self, change: Change, part: Part) -> None:
        found: list[Fields] = []
        for fields in part.items:
            tasks = list(_tasks(fields.item["text"], fields.where, part.report))
            found += [Fields(task, fields.where, part.report) for task in tasks]
        self.tables.load(change, Part(found, part.report))


def _tasks(text: str, where: str, report: Loss) -> Iterator[dict[str, Any]]:
    """The tables as evaluation tables have them, a task each."""
    kept: list[Table] = []
    for table in tables_of(text):
        header = table.rows[0]
        if not header or role_of(header[0].text) != "model" or not table.headings:
            report.lost(
                "table", f"{where}, line {table.line}", f"{header[0].text if header else ''!r} is no column of models"
            )
        else:
            kept.append(table)
    under = Counter(tuple(table.headings) for table in kept)
    named = Counter[tuple[str, ...]]()
    for table in kept:
        key = tuple(table.headings)
        named[key] += 1
        *above, dataset = key if len(key) > 1 else (key[0], key[0])
        sota = _sota(table, f"{where}, line {table.line}", report)
        content: dict[str, Any] = {"dataset": dataset, "sota": sota}
        if under[key] > 1:
            part = table.before.rstrip(": ") if 0 < len(table.before) <= LONGEST_PART else f"Table {named[key]}"
            content = {"dataset": dataset, "subdatasets": [{"subdataset": part, "sota": sota}]}
        task: dict[str, Any] = {"task": above[-1], "datasets": [content]}
        for name in reversed(above[:-1]):
            task = {"task": name, "subtasks": [task]}
        yield task


def _sota(table: Table, where: str, report: Loss) -> dict[str, Any]:
    header = [cell.text for cell in table.rows[0]]
    roles = [METRICS if (role := role_of(name)) == "value" else role for name in header]
    for name in (name for name, role in zip(header, roles, strict=True) if role not in (*KNOWN, METRICS)):
        report.lost("column", where, f"{name} has no place in the catalogue")
    metrics = [name for name, role in zip(header, roles, strict=True) if role == METRICS and name]
    return {"metrics": metrics, "rows": [_row(header, roles, cells) for cells in table.rows[1:]]}


def _row(header: list[str], roles: list[str], cells: list[Cell]) -> dict[str, Any]:
    """A row; the first column of each role counts."""
    of: dict[str, Cell] = {}
    metrics: dict[str, str] = {}
    for name, role, cell in zip(header, roles, cells, strict=False):
        if role == METRICS and name and cell.text not in NOTHING:
            metrics.setdefault(name, cell.text)
        of.setdefault(role, cell)
    paper, address = of.get("paper", Cell()), of.get("paper_url", Cell())
    title, url = paper.links[0] if paper.links else (paper.text, "")
    return {
        "model_name": of["model"].text,
        "paper_title": "" if title in NOTHING else title,
        "paper_url": url or (address.links[0][1] if address.links else address.text),
        "paper_date": of.get("date", Cell()).text,
        "code_links": [{"title": called, "url": link} for called, link in of.get("code", Cell()).links],
        "metrics": metrics,
    }


def tables_of(text: str) -> list[Table]:
    """The tables of a text, in their order.

    Example:
        >>> [table] = tables_of("# Reading\\n\\n## Toys\\n\\n| Model | F1 |\\n|---|---|\\n| **A** | 1 |\\n")
        >>> table.headings, [[cell.text for cell in row] for row in table.rows]
        (['Reading', 'Toys'], [['Model', 'F1'], ['A', '1']])
    """
    found: list[Table] = []
    path: list[tuple[int, str]] = []
    before, kind = "", ""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type in ("heading_open", "paragraph_open", "th_open", "td_open"):
            kind = token.tag
        elif token.type == "table_open":
            found.append(Table([title for _, title in path], before, (token.map or [0])[0] + 1))
        elif token.type == "tr_open":
            found[-1].rows.append([])
        elif token.type == "inline":
            cell = _cell(token)
            if kind in ("th", "td"):
                found[-1].rows[-1].append(cell)
            elif kind.startswith("h"):
                path = [(level, title) for level, title in path if level < int(kind[1])]
                path.append((int(kind[1]), cell.text))
            before = "" if kind != "p" else cell.text
    return found


def _cell(token: Token) -> Cell:
    cell, address, start = Cell(), "", 0
    for child in token.children or []:
        if child.type == "link_open":
            address, start = str(child.attrGet("href") or ""), len(cell.text)
        elif child.type == "link_close":
            cell.links.append((cell.text[start:].strip(), address))
        else:
            cell.text += " " if child.type in ("softbreak", "hardbreak") else child.content
    cell.text = " ".join(cell.text.split())
    return cell
