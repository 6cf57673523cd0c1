"""The end of a run: which generation is best, and the table of all networks."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from noisystudent import atomic
from noisystudent.config import Config
from noisystudent.evaluation.paired import paired_difference
from noisystudent.rundir import RunDir


def summarize(run: RunDir, config: Config) -> dict[str, Any]:
    """Choose the best generation on validation data, and write the table of all networks to `results.json`."""
    folders = [run.generation(number) for number in range(len(config.generations) + 1)]
    names = ["teacher", *(f"student {number}" for number in range(1, len(folders)))]
    best = _best([json.loads((folder / "results.json").read_text()) for folder in folders])
    if (run.baseline / "results.json").exists():
        folders, names = [*folders, run.baseline], [*names, "baseline"]
    rows = [
        {"name": name, **json.loads((folder / "results.json").read_text())}
        for name, folder in zip(names, folders, strict=True)
    ]
    _link(run.path / "best", f"gen-{best}")
    results = {
        "best": f"gen-{best}",
        "rows": rows,
        "differences": _differences(names, folders, rows[0]["split"], config.seed),
    }
    atomic.write_json(run.path / "results.json", results)
    return results


def _best(results: list[dict[str, Any]]) -> int:
    """The generation with the highest validation accuracy, the later one of equals; the last one when nothing was held out."""
    accuracies = [result["val"]["metrics"]["top1"] if "val" in result else 0.0 for result in results]
    return max(range(len(accuracies)), key=lambda number: (accuracies[number], number))


def _link(path: Path, target: str) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    os.replace(temporary, path)


def _differences(names: list[str], folders: list[Path], split: str | None, seed: int) -> list[dict[str, Any]]:
    """The last student against the teacher and the baseline, on the same images."""
    if split is None:
        return []
    predictions = {
        name: pq.read_table(folder / "evaluation" / f"{split}.parquet")
        for name, folder in zip(names, folders, strict=True)
    }
    students = [name for name in names if name.startswith("student")]
    others = [name for name in ("teacher", "baseline") if name in names and students]
    return [
        {
            "better": students[-1],
            "than": other,
            **paired_difference(predictions[students[-1]], predictions[other], seed=seed),
        }
        for other in others
    ]
