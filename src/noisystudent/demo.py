"""The demo: the whole loop on real images that an installed package ships."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from noisystudent.configuration import configure
from noisystudent.data.digits import write_digits
from noisystudent.errors import UserError
from noisystudent.evaluation.intervals import mean_interval
from noisystudent.pipeline import run
from noisystudent.rundir import check_here

LABELS = 20


def demo(out: Path, *, seeds: int = 1) -> dict[str, Any]:
    """Write scikit-learn's digits as images, 20 of them labeled, and run the `digits` recipe on them.

    Args:
        out: receives `images-SEED/` and `run-SEED/` for each seed.
        seeds: how many, counted from 0; each draws its own labeled images.

    Returns:
        `runs` (out and results of each), `spread` (mean, sd, lowest and highest top-1 of each network over the seeds) and `gain` (the
        points of the last student over the better of teacher and baseline of its seed: mean, `ci95` of it, lowest, highest, n; from one or
        two seeds there is no interval).
    """
    check_here(out)
    if out.exists() and not out.is_dir():
        raise UserError(f"--out {out} is a file: give a folder")
    runs: list[dict[str, Any]] = []
    for seed in range(seeds):
        images = out / f"images-{seed}"
        write_digits(images, labels=LABELS, seed=seed)
        config = configure(
            "digits",
            labeled=str(images / "labeled"),
            unlabeled=str(images / "unlabeled"),
            test=str(images / "test"),
            settings=[f"seed={seed}", "data.score_pseudo_labels=true"],
        )
        runs.append({"out": str(out / f"run-{seed}"), "results": run(config, out / f"run-{seed}")})
    results = [one["results"] for one in runs]
    return {"runs": runs, "spread": _spread(results), "gain": _gain(results)}


def _spread(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    spread: list[dict[str, Any]] = []
    for position, row in enumerate(results[0]["rows"]):
        values = np.array([result["rows"][position]["metrics"]["top1"] for result in results])
        sd = float(values.std(ddof=1)) if len(values) > 1 else 0.0
        spread.append(
            {
                "name": row["name"],
                "mean": float(values.mean()),
                "sd": sd,
                "lowest": values.min(),
                "highest": values.max(),
            }
        )
    return spread


def _gain(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Over the better of the networks that saw labels only, seed by seed."""
    points = []
    for result in results:
        top1 = {row["name"]: row["metrics"]["top1"] for row in result["rows"]}
        last = [name for name in top1 if name.startswith("student")][-1]
        points.append(top1[last] - max(top1["teacher"], top1["baseline"]))
    return {
        "mean": float(np.mean(points)),
        "ci95": mean_interval(points),
        "lowest": min(points),
        "highest": max(points),
        "n": len(points),
    }
