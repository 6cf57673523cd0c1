"""How good a selection of pseudo-labels is, and what should make its owner suspicious."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from noisystudent.config import Execution, Selection
from noisystudent.data.duckdb_connections import connected, spilling
from noisystudent.data.manifest import Manifest
from noisystudent.errors import UserError
from noisystudent.pseudo.select import Selected, relation

# Copies of an image, also as a multiple of the usual, above which they are worth a warning.
MOST_COPIES, MANY_TIMES = 20, 10
FEW = 0.05  # a selection of less than this share of the images is worth a warning


def check_selection(
    selected: Selected,
    *,
    selection: Selection,
    most_confident: Callable[[], float],
    labeled_shares: np.ndarray,
    class_names: Sequence[str],
) -> list[str]:
    """Warnings about a selection.

    Args:
        selected: what `choose` chose.
        selection: what was asked for.
        most_confident: finds the highest confidence of all predictions; asked for the error alone.
        labeled_shares: each class's share of the labeled images, [K].
        class_names: [K].

    Raises:
        UserError: nothing was selected.
    """
    candidates = sum(row["candidates"] for row in selected.classes)
    kept = sum(row["kept"] for row in selected.classes)
    above = sum(row["above_threshold"] for row in selected.classes)
    threshold = selection.threshold
    if kept == 0:
        raise UserError(
            f"no pseudo-label reaches the threshold {threshold:g}: of {candidates} images the most confident has {most_confident():.2f}. "
            "Lower it (--set select.threshold=...) or label more images, with another --out"
        )
    warnings = []
    if above < FEW * candidates:
        warnings.append(
            f"only {above} of {candidates} images pass the threshold {threshold:g}: the student learns little from the unlabeled images"
        )
    elif kept < FEW * candidates:
        warnings.append(
            f"only {kept} of {candidates} images are selected, no more of a class than select.per_class={selection.per_class} allows "
            f"({above} pass the threshold {threshold:g}): the student learns little from the unlabeled images"
        )
    rows = np.array([row["rows"] for row in selected.classes], dtype=float)
    shares = rows / rows.sum()
    for index in np.flatnonzero((shares > 0.9) | ((shares > 0.5) & (shares > 3 * labeled_shares))):
        warnings.append(
            f"class {class_names[int(index)]!r} makes up {100 * shares[index]:.0f} % of the pseudo-labels and "
            f"{100 * labeled_shares[index]:.0f} % of the labels: the teacher may see it everywhere"
        )
    warnings += _repeated(selected, class_names)
    empty = int((rows == 0).sum())
    if empty:
        warnings.append(
            f"{empty} of {len(rows)} classes have no pseudo-label: the student sees them in the labeled images only"
        )
    return warnings


def _repeated(selected: Selected, class_names: Sequence[str]) -> list[str]:
    """Classes of so few images that one wrong pseudo-label among them is learned by heart."""
    chosen = [row for row in selected.classes if row["kept"]]
    kept = np.array([row["kept"] for row in chosen])
    copies = np.array([row["rows"] for row in chosen]) / kept
    usual = float(np.median(np.repeat(copies, kept)))  # of an image: few classes may hold most of them
    warnings = []
    for row, often in zip(chosen, copies.tolist(), strict=True):
        name = class_names[row["class"]]
        images = "1 pseudo-labeled image" if row["kept"] == 1 else f"{row['kept']} pseudo-labeled images"
        if often > MOST_COPIES and often > MANY_TIMES * usual:
            warnings.append(
                f"class {name!r} has {images}, each copied {often:.0f} times to balance the classes "
                f"({usual:.0f} is usual): one that is wrong is learned by heart. Label images of it, leave unsure ones out "
                "by a higher select.threshold, or copy none by select.per_class=0"
            )
        elif row["kept"] == 1 and np.median(kept) > MANY_TIMES:
            warnings.append(
                f"class {name!r} has 1 pseudo-labeled image: look at whether it is right, or label images of it"
            )
    return warnings


def check_teacher(top1: float, highest: float, n: int, classes: int, *, measured_on: str) -> list[str]:
    """A warning when the teacher is hardly better than guessing, beyond doubt: surely below one and a half times 1 / K.

    Args:
        top1: its accuracy in percent.
        highest: the upper end of its 95 % interval.
        n: images measured.
        classes: K.
        measured_on: which images, for the user to read.
    """
    chance = 100 / classes
    if highest >= 1.5 * chance:
        return []
    return [
        f"the teacher is right on {top1:.1f} % of the {n:,} {measured_on} images, and guessing is right on {chance:.1f} %: "
        "its pseudo-labels will teach nothing"
    ]


def most_confident(predictions: str | pa.Table) -> float:
    """The highest confidence among predictions, a table or a glob of Parquet files."""
    with connected() as database:
        relation(database, predictions).create_view("prediction")
        row = database.execute("SELECT max(confidence) FROM prediction").fetchone()
    return float(row[0] or 0) if row else 0.0


def known_accuracy(
    predictions: str | pa.Table, selected: Selected, unlabeled: Manifest, execution: Execution
) -> dict[str, Any] | None:
    """How often the pseudo-labels are right, where the truth is known: of all predictions, and of those selected.

    Args:
        predictions: a table, or a glob of Parquet files.
        selected: what was chosen of them.
        unlabeled: may say the truth of some.
        execution: how much memory tables may take, and where the rest lies.
    """
    with spilling(execution) as database:
        relation(database, predictions).create_view("prediction")
        database.register("truth", unlabeled.table)
        database.register("selected", selected.table)
        row = database.execute(
            "SELECT count(*), count(*) FILTER (p.label = t.label), count(s.id), count(s.id) FILTER (p.label = t.label) "
            "FROM prediction p JOIN truth t USING (id) LEFT JOIN selected s USING (id) WHERE t.label IS NOT NULL"
        ).fetchone()
    assert row is not None
    known, right, chosen, right_of_chosen = row
    if not known:
        return None
    return {
        "n": known,
        "accuracy": 100 * (right / known),
        "selected_n": chosen,
        "selected_accuracy": 100 * (right_of_chosen / chosen) if chosen else None,
    }
