"""The pseudo-labels of each generation: how many came through, how sure the teacher was, how often it was right."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from noisystudent.pseudo.selections import read_summary
from noisystudent.report.predictions import opened, parts
from noisystudent.report.run_reader import Run

BINS = 20
SHOWN = 30  # classes in a plot or a table

# A confidence of 1 belongs to the last bin. Without known labels `truth` is null, and so is the comparison.
HISTOGRAM = """
    SELECT least(CAST(floor(confidence * $bins) AS INTEGER), $bins - 1) AS bin,
        count(*) FILTER (prediction.label = manifest.label), count(*) FILTER (prediction.label <> manifest.label),
        count(*) FILTER (manifest.label IS NULL)
    FROM prediction LEFT JOIN manifest USING (id) GROUP BY bin ORDER BY bin
"""


@dataclass(frozen=True)
class ClassCounts:
    """What became of the pseudo-labels of one class."""

    name: str
    candidates: int
    above_threshold: int
    kept: int
    rows: int
    threshold: float | None


@dataclass(frozen=True)
class Histogram:
    """Predictions per bin of confidence, int64 [BINS] each: right, wrong, and of images whose class is not known."""

    right: np.ndarray
    wrong: np.ndarray
    unknown: np.ndarray


@dataclass(frozen=True)
class PseudoLabels:
    """The pseudo-labels that one student learned from.

    Attributes:
        generation: the student's number.
        teacher: the architecture that made them.
        threshold: the confidence asked for.
        excluded: images left out because they are held-out images too.
        accuracy: percent right of all predictions, with how many are known; None where no labels are known.
        selected_accuracy: the same of those selected.
        classes: per class.
        histogram: of the confidences; None when the predictions are not there.
        reassigned: the images are those selected before, labeled anew.
    """

    generation: int
    teacher: str
    threshold: float
    excluded: int
    accuracy: tuple[float, int] | None
    selected_accuracy: tuple[float, int] | None
    classes: list[ClassCounts]
    histogram: Histogram | None
    reassigned: bool

    @property
    def candidates(self) -> int:
        return sum(row.candidates for row in self.classes)

    @property
    def above_threshold(self) -> int:
        return sum(row.above_threshold for row in self.classes)

    @property
    def kept(self) -> int:
        return sum(row.kept for row in self.classes)

    @property
    def rows(self) -> int:
        return sum(row.rows for row in self.classes)

    @property
    def shown(self) -> list[ClassCounts]:
        """All classes, or of many the `SHOWN` that deviate most from an even share, before or after selection."""
        if len(self.classes) <= SHOWN:
            return self.classes
        counts = np.array([[row.candidates, row.rows] for row in self.classes], dtype=float)
        deviation = np.abs(counts - counts.mean(axis=0)).max(axis=1)
        return [self.classes[index] for index in sorted(np.argsort(-deviation, kind="stable")[:SHOWN])]


def read_pseudo_labels(run: Run) -> list[PseudoLabels]:
    """The pseudo-labels of every generation that has selected its own, in order."""
    found = []
    for number in range(1, len(run.config.generations) + 1):
        summary = read_summary(run.folder.generation(number) / "selection")
        if summary:
            found.append(_from_summary(number, summary, _histogram(run, number)))
    return found


def _from_summary(number: int, summary: dict[str, Any], histogram: Histogram | None) -> PseudoLabels:
    known = summary.get("known_labels") or {}
    fields = ("name", "candidates", "above_threshold", "kept", "rows", "threshold")
    return PseudoLabels(
        generation=number,
        teacher=summary["teacher"]["architecture"],
        threshold=summary["threshold"],
        excluded=summary.get("excluded", 0),
        accuracy=(known["accuracy"], known["n"]) if known else None,
        selected_accuracy=(
            (known["selected_accuracy"], known["selected_n"]) if known.get("selected_accuracy") is not None else None
        ),
        classes=[ClassCounts(**{field: row[field] for field in fields}) for row in summary["classes"]],
        histogram=histogram,
        reassigned="reassigned_from" in summary,
    )


def _histogram(run: Run, number: int) -> Histogram | None:
    files, manifest = predicted_files(run, number), run.folder.manifest("unlabeled")
    if not files or not manifest.exists():
        return None
    counts = np.zeros((3, BINS), dtype=np.int64)
    with opened(prediction=files, manifest=[manifest]) as database:
        for index, *values in database.execute(HISTOGRAM, {"bins": BINS}).fetchall():
            counts[:, index] = values
    return Histogram(*counts)


def predicted_files(run: Run, number: int) -> list[Path]:
    """The predictions that student `number` was to learn from; [] while they are being made."""
    if not run.done(f"gen-{number}/label"):
        return []
    return parts(run.folder.generation(number) / "predictions")
