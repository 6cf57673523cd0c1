"""How robust the last student is, beside its baseline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from noisystudent import atomic
from noisystudent.config import Config
from noisystudent.data.manifest import Manifest
from noisystudent.evaluation.robustness import paired_scores
from noisystudent.evaluation.suites import Found, Request, check, evaluate_images
from noisystudent.models.loading import load_classifier, model_identity
from noisystudent.rundir import RunDir, run_networks

SCORES = {"c": "mce", "p": "mfr"}  # the metric that the scores of a suite make up


def check_robustness(config: Config) -> None:
    """Raise UserError when what `config.robustness` asks for cannot be measured here."""
    if config.robustness:
        check(Request("", config.robustness))


def measure_robustness(run: RunDir, config: Config) -> dict[str, Any]:
    """Measure the last student and the baseline by `config.robustness`, and write it to `robustness.json`.

    Images are those of the test data, else of the validation data. Parts that are done are kept in each network's `robustness/`.

    Returns:
        the names of the networks measured, and a warning when there are no images to measure on.
    """
    split = next((split for split in ("test", "val") if run.manifest(split).exists()), None)
    if split is None:
        warning = "robustness was asked for, and there are no test or validation images to measure it on"
        return {"networks": [], "warnings": [warning]}
    last = len(config.generations)
    networks = [network for network in run_networks(config) if network.number in (last, None)]
    found = {network.name: _measured(run, config, run.path / network.folder, split) for network in networks}
    measured = {name: {"metrics": f.metrics, "ci95": f.ci95, "suites": f.about} for name, f in found.items()}
    differences = _differences(found, config.seed)
    atomic.write_json(run.path / "robustness.json", {"split": split, "networks": measured, "differences": differences})
    return {"networks": list(found)}


def _measured(run: RunDir, config: Config, folder: Path, split: str) -> Found:
    # The paper measures ImageNet-C and -P without the resolution fix (section 3.3).
    before = folder / "before-resolution-fix" / "model"
    model = before if before.exists() else folder / "model"
    classifier = load_classifier(str(model))
    val = run.manifest("val")
    return evaluate_images(
        classifier,
        Manifest.load(run.manifest(split)),
        Request(split, ("clean", *config.robustness), seed=config.seed, cells=folder / "robustness"),
        val=Manifest.load(val) if val.exists() and split == "test" else None,
        identity=model_identity(str(model), classifier),
        execution=config.execution,
    )


def _differences(found: dict[str, Found], seed: int) -> list[dict[str, Any]]:
    """The last student against the baseline, on the same images."""
    if len(found) < 2:
        return []
    (student, first), (baseline, second) = found.items()
    return [
        {
            "metric": metric,
            "better": student,
            "than": baseline,
            **paired_scores(scores, second.scores[suite], seed=seed),
        }
        for suite, metric in SCORES.items()
        if (scores := first.scores.get(suite)) is not None
    ]
