"""Which column of a leaderboard a metric of a run belongs to, and what it is there: names, units, error for accuracy."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from noisystudent.board.catalogue.names import alike
from noisystudent.board.catalogue.ranking import PERCENT
from noisystudent.board.catalogue.values import SCALES

# Names that leaderboards use, in small letters; the first is what a new leaderboard gets.
NAMES = {
    "top1": (
        "Top 1 Accuracy",
        "top 1 accuracy %",
        "accuracy",
        "accuracy (%)",
        "percentage correct",
        "test accuracy",
        "top1",
        "acc",
    ),
    "top5": ("Top 5 Accuracy", "top 5 accuracy %", "top5"),
    "mce": ("mean Corruption Error (mCE)", "mce"),
    "rel_mce": ("Relative mCE", "rel_mce"),
    "mfr": ("mean Flip Rate (mFR)", "mfr"),
    "nll": ("NLL", "negative log-likelihood"),
    "ece": ("ECE", "expected calibration error"),
    "params": ("Number of params", "params", "params (m)", "parameters", "param."),
    "macs": ("GFLOPs", "flops", "macs", "multiply-adds"),
}
ERRORS = {
    "top1": (
        "percentage error",
        "top 1 error",
        "top 1 error rate",
        "error",
        "error rate",
        "test error",
    ),
    "top5": ("top 5 error", "top 5 error rate"),
}
RATES = ("top1", "top5", "mce", "rel_mce", "mfr", "ece")  # in percent
COSTS = ("params", "macs")
# On these data sets an accuracy is that of a suite of its own: that among all classes is another figure.
SUITES = {
    "imagenet-a": "_a",
    "imagenet-c": "_c",
    "imagenet-p": "_p",
    "imagenet-r": "_r",
    "imagenet-v2": "_v2",
    "imagenet-sketch": "_sketch",
    "imagenet-real": "_real",
}
LEAST_COUNT = 1e5  # no network has fewer parameters than a column that counts in ones


@dataclass(frozen=True)
class Column:
    """A column that takes a metric: its value there is `offset + factor * metric`, written with `digits` decimals and `unit`."""

    name: str
    metric: str  # as a run calls it
    offset: float
    factor: float
    digits: int
    unit: str

    def number(self, value: float) -> float:
        return self.offset + self.factor * value

    def text(self, value: float, spread: float | None = None) -> str:
        """The value as the column has it.

        Example:
            >>> Column("Percentage error", "top1", 100.0, -1.0, 2, "%").text(88.4, 0.25)
            '11.60 ± 0.25%'
            >>> Column("GFLOPs", "macs", 0.0, 1e-9, 2, "").text(3_613_952)
            '0.00361'
        """
        number = f"{self.number(value):.{self.digits}f}"
        if self.metric in COSTS and 0 < self.number(value) < 1:
            number = f"{self.number(value):.3g}"  # of a small network two decimals would leave nothing
        return f"{number} ± {abs(self.factor) * spread:.{self.digits}f}{self.unit}" if spread else number + self.unit

    def interval(self, low: float, high: float) -> tuple[float, float]:
        ends = sorted((self.number(low), self.number(high)))
        return ends[0], ends[1]


def columns_of(connection: sqlite3.Connection, leaderboard: int, metrics: Sequence[str]) -> list[Column]:
    """The columns of a leaderboard that take a run's metrics; where it has no column yet, those that a new one gets."""
    dataset = connection.execute(
        "SELECT d.slug FROM leaderboard l JOIN dataset d ON d.id = l.dataset_id WHERE l.id = ?", (leaderboard,)
    ).fetchone()["slug"]
    rows = connection.execute(
        "SELECT id, name, unit FROM metric WHERE leaderboard_id = ? ORDER BY position, id", (leaderboard,)
    ).fetchall()
    known: list[tuple[str, str, list[float]]] = [
        (row["name"], row["unit"], _numbers(connection, row["id"])) for row in rows
    ]
    new: list[tuple[str, str, list[float]]] = [(names[0], "", []) for names in NAMES.values()]
    found = (_column(*column, dataset, metrics) for column in known or new)
    return [column for column in found if column is not None]


def _column(name: str, unit: str, numbers: Sequence[float], dataset: str, metrics: Sequence[str]) -> Column | None:
    kind, error = _kind(name)
    if kind is None:
        return None
    metric = kind + SUITES[dataset] if dataset in SUITES and kind in ("top1", "top5") else kind
    if metric not in metrics:
        return None
    if kind in COSTS:
        return _cost(name, metric, kind, unit, numbers)
    offset, factor = (100.0, -1.0) if error else (0.0, 1.0)
    if kind not in RATES:
        return Column(name, metric, offset, factor, 4, "")
    if numbers and unit != PERCENT and max(map(abs, numbers)) <= 1:
        return Column(name, metric, offset / 100, factor / 100, 4, "")
    in_percent = unit == PERCENT or (not numbers and kind in ("top1", "top5"))
    return Column(name, metric, offset, factor, 2, PERCENT if in_percent else "")


def _kind(name: str) -> tuple[str | None, bool]:
    """What a run calls the metric of a name, and whether the column has the error in its place."""
    for table, error in ((NAMES, False), (ERRORS, True)):
        for metric, names in table.items():
            if any(alike(name, known) for known in names):
                return metric, error
    return None, False


def _cost(name: str, metric: str, kind: str, unit: str, numbers: Sequence[float]) -> Column | None:
    """A column of counts, if it is clear in what it counts: by its name, its unit, or the size of its numbers."""
    if name.lower() == "gflops" and unit in ("", "G"):
        return Column(name, metric, 0.0, 1e-9, 2, unit)
    if name.lower().endswith("(m)") and not unit:
        return Column(name, metric, 0.0, 1e-6, 2, "")
    if not numbers:
        unit = "M" if kind == "params" else "G"
    if unit in SCALES:
        return Column(name, metric, 0.0, 1 / SCALES[unit], 2, unit)
    if not unit and median(numbers) >= LEAST_COUNT:
        return Column(name, metric, 0.0, 1.0, 0, "")
    return None


def _numbers(connection: sqlite3.Connection, metric: int) -> list[float]:
    """What claims have in a column now."""
    rows = connection.execute(
        "SELECT v.number FROM value v JOIN result r ON r.id = v.result_id "
        "WHERE v.metric_id = ? AND v.number IS NOT NULL AND r.retired_by IS NULL AND r.kind = 'claim'",
        (metric,),
    )
    return [row["number"] for row in rows]
