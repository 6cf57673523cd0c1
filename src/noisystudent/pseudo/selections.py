"""The folder of a selection: `selection.parquet`, which images, and `selection.json`, by whom and how they were chosen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from noisystudent import atomic
from noisystudent.errors import UserError
from noisystudent.pseudo.select import SELECTION_SCHEMA, Selected

TABLE, SUMMARY = "selection.parquet", "selection.json"


class SavedSelection(NamedTuple):
    """What a folder holds: the summary, the table of SELECTION_SCHEMA, and the table's SHA-256."""

    summary: dict[str, Any]
    table: pa.Table
    digest: str


def summary_of(
    selected: Selected, class_names: Sequence[str], *, teacher: dict[str, Any], predictions: str, **settings: Any
) -> dict[str, Any]:
    """What `selection.json` says.

    Args:
        selected: what was chosen.
        class_names: of its classes.
        teacher: who made the predictions.
        predictions: their folder, absolute or relative to the selection's.
        settings: how it was chosen, and what else a reader should know.
    """
    classes = [{"name": class_names[row["class"]], **row} for row in selected.classes]
    return {"teacher": teacher, "predictions": predictions, **settings, "classes": classes}


def write_selection(folder: Path, selected: Selected, summary: dict[str, Any]) -> None:
    """Write both files; the summary last, so that where it is the table is too."""
    with atomic.replacing(folder / TABLE) as temporary:
        pq.write_table(selected.table, temporary)
    atomic.write_json(folder / SUMMARY, summary)


def read_summary(folder: Path) -> dict[str, Any] | None:
    """What `selection.json` says; None where there is none."""
    path = folder / SUMMARY
    if not path.exists():
        return None
    summary: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return summary


def read_selection(folder: Path) -> SavedSelection:
    """Read what `write_selection` wrote.

    Raises:
        UserError: a file is missing.
    """
    summary = read_summary(folder)
    missing = [name for name in (SUMMARY, TABLE) if not (folder / name).is_file()]
    if missing or summary is None:
        raise UserError(f"--selection {folder} has no {' and no '.join(missing)}: `noisystudent select` makes them")
    table = pq.read_table(folder / TABLE, schema=SELECTION_SCHEMA)
    return SavedSelection(summary, table, atomic.sha256(folder / TABLE))


def check_classes(selection: str | Path, summary: dict[str, Any], names: list[str], *, of: str) -> None:
    """Raise UserError unless a selection's classes are these, in the same order."""
    own = [row["name"] for row in summary["classes"]]
    if own != names:
        raise UserError(
            f"--selection {selection}: its classes are {own}, in this order, and those of {of} {names}: the teacher was another one"
        )
