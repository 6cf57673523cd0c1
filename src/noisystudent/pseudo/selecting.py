"""From a folder of predictions to the folder of a selection: what `noisystudent select` and `reassign` do. Needs no PyTorch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from noisystudent.config import Execution, Selection
from noisystudent.errors import UserError
from noisystudent.pseudo.select import Selected, choose, count_classes, parts_glob, relabel
from noisystudent.pseudo.selections import check_classes, read_selection, read_summary, summary_of, write_selection
from noisystudent.rundir import locked


def select(
    predictions: str | Path,
    out: str | Path,
    selection: Selection,
    *,
    seed: int = 0,
    execution: Execution | None = None,
) -> dict[str, Any]:
    """Write `selection.parquet` and `selection.json` into `out` from a predictions folder.

    Args:
        predictions: a folder that `label` wrote, or one of Parquet files called `part-*.parquet` with `id`, `label` and `confidence`.
        out: a new or an empty folder, or one with the same selection.
        selection: threshold, rows a class, mode.
        seed: of the draws.
        execution: memory, and the folder for what needs more.

    Returns:
        The summary, as `selection.json` has it.

    Raises:
        UserError: no predictions, none that reaches the threshold, or `out` holds another selection.
    """
    with _readable(predictions) as glob:
        teacher, names = _teacher_and_classes(Path(predictions), glob)
        selected = choose(glob, selection, classes=len(names), seed=seed, execution=execution)
    if selected.table.num_rows == 0:
        raise UserError(
            f"no prediction in {predictions} reaches the threshold {selection.threshold:g}: lower --threshold"
        )
    summary = _summary(predictions, teacher, names, selected, {**selection.model_dump(), "seed": seed})
    return _write_selection(Path(out), selected, summary)


def reassign(
    predictions: str | Path, selection: str | Path, out: str | Path, *, execution: Execution | None = None
) -> dict[str, Any]:
    """Write into `out` a selection's images and copies with the labels of a new teacher.

    Args:
        predictions: the new teacher's predictions folder.
        selection: a folder that `select` wrote.
        out: a new or an empty folder.
        execution: as for `select`.

    Raises:
        UserError: a selected image has no new prediction, the two teachers' classes differ, or `out` holds another selection.
    """
    old, table, digest = read_selection(Path(selection))
    with _readable(predictions) as glob:
        teacher, names = _teacher_and_classes(Path(predictions), glob)
        check_classes(selection, old, names, of="--predictions")
        selected = relabel(glob, table, classes=len(names), execution=execution)
    settings = {key: old[key] for key in ("threshold", "per_class", "mode", "seed")}
    summary = _summary(predictions, teacher, names, selected, {**settings, "reassigned_from": digest})
    return _write_selection(Path(out), selected, summary)


@contextmanager
def _readable(predictions: str | Path) -> Iterator[str]:
    """The glob of a folder's predictions, around what reads them."""
    try:
        yield parts_glob(Path(predictions))
    except duckdb.Error as error:
        raise UserError(f"the predictions in {predictions} cannot be read: {error}") from None


def _teacher_and_classes(predictions: Path, glob: str) -> tuple[dict[str, Any], list[str]]:
    """Who made the predictions, if that is known, and the names of the classes; numbers, where there are no names."""
    recorded = predictions / "teacher.json"
    teacher = json.loads(recorded.read_text()) if recorded.exists() else {}
    return teacher, teacher.get("class_names") or [str(number) for number in range(count_classes(glob))]


def _summary(
    predictions: str | Path, teacher: dict[str, Any], names: list[str], selected: Selected, settings: dict[str, Any]
) -> dict[str, Any]:
    place = str(Path(predictions).resolve())
    return summary_of(selected, names, teacher=teacher, predictions=place, **settings)


def _write_selection(out: Path, selected: Selected, summary: dict[str, Any]) -> dict[str, Any]:
    with locked(out):
        if read_summary(out) not in (None, summary):
            raise UserError(f"--out {out} holds another selection: give another folder")
        write_selection(out, selected, summary)
    return summary
