"""The end of a run: which generation is handed on, whether the unlabeled images helped, and the table of all networks."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from noisystudent import atomic
from noisystudent.config import Config
from noisystudent.evaluation.answer import LABELS_ONLY, answer
from noisystudent.evaluation.choice import choose
from noisystudent.evaluation.paired import paired_difference
from noisystudent.evaluation.spent import spent
from noisystudent.run_plan import RunNetwork, planned_stages, run_networks
from noisystudent.rundir import RunDir
from noisystudent.stage_profile import recorded


def summarize(run: RunDir, config: Config) -> dict[str, Any]:
    """Choose the generation to hand on, and write it, the run's answer and the table of all networks to `results.json`."""
    networks = [
        network
        for network in run_networks(config, held_out=run.held_out)
        if (run.path / network.folder / "results.json").exists()
    ]
    folders = {network.name: run.path / network.folder for network in networks}
    generations = [network.name for network in networks if network.name != "baseline"]
    choice = choose({name: folders[name] for name in generations}, seed=config.seed)
    robustness = run.path / "robustness.json"
    measured = json.loads(robustness.read_text())["networks"] if robustness.exists() else {}
    costs = _Costs(run, config, networks)
    rows = [
        {
            **_row(network.name, _results(run.path / network.folder), measured.get(network.name)),
            "cost": costs.of(network),
        }
        for network in networks
    ]
    others = [
        {"name": name, "split": rows[0]["split"], **found} for name, found in measured.items() if name not in folders
    ]
    _link(run.path / "best", choice["folder"])
    results = {
        "best": choice["folder"],
        "choice": choice,
        "answer": answer(
            folders,
            choice,
            unlabeled=_images(run.manifest("unlabeled")),
            seed=config.seed,
            start=run.how_decided(config),
        ),
        "rows": rows,
        "differences": _differences(folders, rows[0]["split"], config.seed),
        "cost": costs.whole(),
    }
    if others:  # of networks as they were before a resolution fix; a row speaks of one network alone
        results["before_resolution_fix"] = others
    if profile := recorded(run.records()):
        results["profile"] = profile
    atomic.write_json(run.path / "results.json", results)
    return results


class _Costs:
    """What the stages of a run have cost."""

    def __init__(self, run: RunDir, config: Config, networks: list[RunNetwork]) -> None:
        unlabeled = _images(run.manifest("unlabeled")) or 0
        self._stages = planned_stages(config, held_out=run.held_out, unlabeled=unlabeled)
        self._seconds = {stage: record["seconds"] for stage, record in run.records().items()}
        self._multiply_adds = {
            network.training.model: _results(run.path / network.folder)["metrics"].get("macs", 0.0)
            / network.training.view[0] ** 2
            for network in networks
        }

    def whole(self) -> dict[str, float]:
        return spent(self._stages, self._seconds, self._multiply_adds)

    def of(self, network: RunNetwork) -> dict[str, float]:
        """Of all that was done until there was this network; of the baseline, which nothing else led to, its own."""
        own = [stage for stage in self._stages if stage.name.startswith(f"{network.folder}/")]
        before = self._stages[: self._stages.index(own[-1]) + 1]
        return spent(own if network.folder == "baseline" else before, self._seconds, self._multiply_adds)


def _row(name: str, results: dict[str, Any], robustness: dict[str, Any] | None) -> dict[str, Any]:
    """What was measured of a network; where both have a metric, it is that of the clean evaluation."""
    if robustness is None:
        return {"name": name, **results}
    both = {key: {**robustness[key], **results[key]} for key in ("metrics", "ci95")}
    return {"name": name, **results, **both}


def _results(folder: Path) -> dict[str, Any]:
    results: dict[str, Any] = json.loads((folder / "results.json").read_text())
    return results


def _images(manifest: Path) -> int | None:
    return int(pq.read_metadata(manifest).num_rows) if manifest.exists() else None


def _link(path: Path, target: str) -> None:
    temporary = atomic.beside(path)
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    os.replace(temporary, path)


def _differences(folders: dict[str, Path], split: str | None, seed: int) -> list[dict[str, Any]]:
    """The last student against the teacher and the baseline, on the same images."""
    students = [name for name in folders if name.startswith("student")]
    if split is None or not students:
        return []
    predictions = {name: pq.read_table(folder / "evaluation" / f"{split}.parquet") for name, folder in folders.items()}
    return [
        {
            "better": students[-1],
            "than": other,
            "split": split,
            **paired_difference(predictions[students[-1]], predictions[other], seed=seed),
        }
        for other in LABELS_ONLY
        if other in folders
    ]
