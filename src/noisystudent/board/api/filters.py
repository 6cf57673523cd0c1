"""Conditions on text, from what a user typed: as parameters, or as a quoted phrase for FTS5."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Query

from noisystudent.board.api.pages import Selection
from noisystudent.board.queries.search import literal, phrase

LEAST_FOR_TRIGRAMS = 3
HAVE_TRIGRAMS = ("task", "dataset", "method")
NAMES = {"dataset": ("name", "full_name"), "method": ("name", "full_name")}  # of all others, "name"

Text = Annotated[str | None, Query(max_length=200)]


def containing(table: str, texts: Mapping[str, str | None], order: str = "slug") -> Selection:
    """Rows of a table with parts in their names.

    Args:
        table: of what has names.
        texts: by column, or by "" for any name; an empty text asks for nothing.
        order: of the rows.
    """
    conditions, parameters = [], {}
    for column, text in texts.items():
        if not text:
            continue
        columns, key = (column,) if column else NAMES.get(table, ("name",)), column or "any"
        if table in HAVE_TRIGRAMS and len(text) >= LEAST_FOR_TRIGRAMS:
            conditions.append(f"id IN (SELECT rowid FROM {table}_search WHERE {table}_search MATCH :{key})")
            parameters[key] = f"{{{' '.join(columns)}}} : {phrase(text)}"
        else:
            conditions.append("(" + " OR ".join(part(name, key) for name in columns) + ")")
            parameters[key] = anywhere(text)
    return Selection(f"{table}{' WHERE ' if conditions else ''}{' AND '.join(conditions)}", order, parameters)


def part(column: str, name: str) -> str:
    """SQL: a column has the text of the parameter `name` (made by `anywhere`) in it, in small or capital letters."""
    return f"{column} LIKE :{name} ESCAPE '\\'"


def anywhere(text: str) -> str:
    """A pattern of LIKE: the text stands somewhere."""
    return f"%{literal(text)}%"
