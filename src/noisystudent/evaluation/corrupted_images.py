"""A classifier on corrupted images: those of ImageNet-C, or corrupted here as they pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from torch import Tensor

from noisystudent.config import Execution
from noisystudent.data.images import ImageSet, Pictures
from noisystudent.data.manifest import Manifest
from noisystudent.errors import UserError
from noisystudent.evaluation.cells import Cells
from noisystudent.evaluation.corruption_error import ALEXNET, EXTRA, MAIN, Normalizers, mean_corruption_error
from noisystudent.evaluation.corruptions import SEVERITIES, corrupt, frost_origin
from noisystudent.evaluation.corruptions.constants import strengths
from noisystudent.evaluation.intervals import bootstrap_interval
from noisystudent.evaluation.robustness import Robustness
from noisystudent.models.classifier import Classifier
from noisystudent.progress import Advance, track
from noisystudent.pseudo.label import ByNetwork, Predicted, all_answers

Cell = tuple[str, int]
"""A corruption and a severity."""


@dataclass(frozen=True)
class ChangedImages:
    """Pictures that are changed as they pass; `change` gets pixels and ids."""

    images: Pictures
    change: Callable[[Tensor, list[str]], Tensor]

    @property
    def manifest(self) -> Manifest:
        return self.images.manifest

    def __len__(self) -> int:
        return len(self.images)

    def try_fetch(self, rows: np.ndarray) -> tuple[Tensor, dict[int, str]]:
        pixels, unreadable = self.images.try_fetch(rows)
        return self.change(pixels, self.manifest.take(rows).ids), unreadable


def corrupted_here(images: ImageSet, *, seed: int, workers: int) -> dict[Cell, Callable[[], Pictures]]:
    """Every cell of the nineteen corruptions, made of clean images."""

    def cell(name: str, severity: int) -> Callable[[], Pictures]:
        def change(pixels: Tensor, ids: list[str]) -> Tensor:
            return corrupt(pixels, name, severity, ids=ids, seed=seed, workers=workers)

        return lambda: ChangedImages(images, change)

    return {(name, severity): cell(name, severity) for name in (*MAIN, *EXTRA) for severity in SEVERITIES}


def released_folders(folder: Path) -> dict[Cell, Path]:
    """Of a folder laid out as ImageNet-C is, the folder of each cell: `gaussian_noise/1` and so on. Empty: it is not laid out so.

    Raises:
        UserError: naming every corruption of the fifteen and every severity that is missing.
    """
    present = [name for name in (*MAIN, *EXTRA) if (folder / name).is_dir()]
    if not present:
        return {}
    missing = [f"{folder}/{name}" for name in MAIN if name not in present]
    missing += [f"{folder}/{name}/{s}" for name in present for s in SEVERITIES if not (folder / name / str(s)).is_dir()]
    if missing:
        raise UserError(
            f"ImageNet-C has 15 corruptions of 5 severities each; missing: {', '.join(missing[:8])}"
            + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
        )
    return {(name, severity): folder / name / str(severity) for name in present for severity in SEVERITIES}


def how_made_here(side: int) -> dict[str, str]:
    """What a reader must know of corruptions that are not the released files."""
    return {"images": "corrupted here", "strengths": strengths(side)[0], "frost": frost_origin()}


def evaluate_corruptions(
    classifier: Classifier,
    cells_of: Mapping[Cell, Callable[[], Pictures]],
    cells: Cells,
    *,
    execution: Execution,
    clean_error: float | None = None,
    normalizers: Normalizers = ALEXNET,
    about: Mapping[str, str],
    seed: int = 0,
) -> Robustness:
    """Classify every cell, and take the means of ImageNet-C.

    Args:
        classifier: in evaluation mode.
        cells_of: of each cell, what gives its pictures; labels are indices of the classifier's classes.
        cells: where finished cells are kept.
        clean_error: in percent, for the relative error.
        about: how the images were made.
        seed: of the bootstrap.

    Returns:
        `mce`, `rel_mce`, `top1_c` (mean accuracy over the cells of the fifteen, as the paper has it) and `ce_<corruption>`; the
        error of each cell is in `about`, the interval of `mce` that over images.
    """
    execution = execution.model_copy(update={"labeling_precision": "fp32"})
    wrong: dict[Cell, pa.Table] = {}
    missing = [cell for cell in cells_of if not cells.done(_name(cell))]
    total = len(cells_of[missing[0]]()) * len(missing) if missing else 0
    with track("corrupted images", total) as advance:
        for cell, pictures in cells_of.items():
            wrong[cell] = cells.table(
                _name(cell), partial(answers, classifier, pictures, execution, advance, _name(cell))
            )
    errors: dict[str, dict[int, float]] = {}
    for (name, severity), table in wrong.items():
        errors.setdefault(name, {})[severity] = 100 * (1 - _right(table).mean())
    metrics = mean_corruption_error(errors, clean_error=clean_error, normalizers=normalizers)
    metrics["top1_c"] = float(
        np.mean([100 - error for name in MAIN if name in errors for error in errors[name].values()])
    )
    scores = _scores({cell: table for cell, table in wrong.items() if cell[0] in MAIN}, normalizers)
    ci95 = {"mce": bootstrap_interval(scores["score"].to_numpy(), seed=seed)}
    details = {**about, "normalizers": normalizers.name, "errors": errors}
    return Robustness(metrics, ci95, details, scores)


def answers(
    classifier: Classifier, pictures: Callable[[], Pictures], execution: Execution, advance: Advance, note: str
) -> pa.Table:
    """id, label and the class predicted, of every picture that can be read."""
    shown = pictures()
    labeler = ByNetwork(classifier, shown, execution)
    truth = dict(zip(shown.manifest.ids, shown.manifest.labels.tolist(), strict=True))

    def table(part: Predicted) -> pa.Table:
        return pa.table(
            {
                "id": pa.array(part.ids, pa.string()),
                "label": pa.array([truth[id] for id in part.ids], pa.int32()),
                "predicted": part.probabilities.argmax(axis=1).astype(np.int32),
            }
        )

    return pa.concat_tables(all_answers(labeler, execution, table, advance=lambda n, _: advance(n, note)))


def _name(cell: Cell) -> str:
    return f"{cell[0]}-{cell[1]}"


def _right(table: pa.Table) -> np.ndarray:
    right: np.ndarray = table["label"].to_numpy() == table["predicted"].to_numpy()
    return right


def _scores(wrong: Mapping[Cell, pa.Table], normalizers: Normalizers) -> pa.Table:
    """The mean corruption error as a mean over images: of each image in all cells, its own."""
    names = {name for name, _ in wrong}
    severities = {name: sum(other == name for other, _ in wrong) for name in names}
    sums: dict[str, float] = {}
    seen: dict[str, int] = {}
    for (name, _), table in wrong.items():
        weight = 100 * 100 / normalizers.errors[name] / severities[name] / len(names)
        for id, right in zip(table["id"].to_pylist(), _right(table).tolist(), strict=True):
            sums[id] = sums.get(id, 0.0) + (0.0 if right else weight)
            seen[id] = seen.get(id, 0) + 1
    everywhere = [id for id, times in seen.items() if times == len(wrong)]
    return pa.table({"id": everywhere, "score": [sums[id] for id in everywhere]})
