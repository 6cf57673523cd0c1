"""How robust the last student is, beside its baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from noisystudent import atomic
from noisystudent.config import Config
from noisystudent.data.manifest import Manifest
from noisystudent.evaluation.robustness import paired_scores
from noisystudent.evaluation.suites import Found, Request, check, evaluate_images
from noisystudent.models.loading import load_classifier, model_identity
from noisystudent.processes import is_first
from noisystudent.run_plan import RunNetwork, run_networks
from noisystudent.rundir import RunDir

SCORES = {"c": "mce", "p": "mfr"}  # the metric that the scores of a suite make up
BEFORE_FIX = (
    "c",
    "p",
)  # the paper measures ImageNet-C and -P without the resolution fix (section 3.3), attacks with it


def check_robustness(config: Config) -> None:
    """Raise UserError when what `config.robustness` asks for cannot be measured here."""
    if config.robustness:
        check(Request("", config.robustness))


def measure_robustness(run: RunDir, config: Config) -> dict[str, Any]:
    """Measure the last student and the baseline by `config.robustness`, and write it to `robustness.json`.

    Images are those of the test data, else of the validation data. Parts that are done are kept in each network's `robustness/`.
    With a resolution fix, corruptions and perturbations are measured of the network before it, and everything else of the one handed on.

    Returns:
        the names of the networks measured, and a warning when there are no images to measure on.
    """
    split = next((split for split in ("test", "val") if run.manifest(split).exists()), None)
    if split is None:
        warning = "robustness was asked for, and there are no test or validation images to measure it on"
        return {"networks": [], "warnings": [warning]}
    asked = _asked(config)
    found = {network.name: _measured(run, config, network, suites, split) for network, suites in asked}
    folders = {network.name: network.folder for network, _ in asked}
    measured = {
        name: {"folder": folders[name], "metrics": f.metrics, "ci95": f.ci95, "suites": f.about}
        for name, f in found.items()
    }
    differences = _differences(found, config.seed)
    if is_first():
        found_of = {"split": split, "networks": measured, "differences": differences}
        atomic.write_json(run.path / "robustness.json", found_of)
    return {"networks": list(found)}


def _asked(config: Config) -> list[tuple[RunNetwork, Sequence[str]]]:
    """Which suites are measured of which network: the last student, the baseline, and both as they were before a resolution fix."""
    asked: list[tuple[RunNetwork, Sequence[str]]] = []
    for network in run_networks(config):
        if network.number != len(config.generations) and network.name != "baseline":
            continue
        before = network.before_resolution_fix()
        on_it = [suite for suite in config.robustness if before is None or suite not in BEFORE_FIX]
        asked.append((network, on_it))
        if before is not None:
            asked.append((before, [suite for suite in config.robustness if suite in BEFORE_FIX]))
    return [(network, suites) for network, suites in asked if suites]


def _measured(run: RunDir, config: Config, network: RunNetwork, suites: Sequence[str], split: str) -> Found:
    folder = run.path / network.folder
    classifier = load_classifier(str(folder / "model"))
    val = run.manifest("val")
    return evaluate_images(
        classifier,
        Manifest.load(run.manifest(split)),
        Request(split, ("clean", *suites), seed=config.seed, cells=folder / "robustness"),
        val=Manifest.load(val) if val.exists() and split == "test" else None,
        identity=model_identity(str(folder / "model"), classifier),
        execution=config.execution,
    )


def _differences(found: dict[str, Found], seed: int) -> list[dict[str, Any]]:
    """The last student against the baseline, on the same images."""
    differences = []
    for suite, metric in SCORES.items():
        measured = [(name, of.scores[suite]) for name, of in found.items() if suite in of.scores]
        if len(measured) < 2:
            continue
        (student, first), (baseline, second) = measured
        paired = paired_scores(first, second, seed=seed)
        differences.append({"metric": metric, "better": student, "than": baseline, **paired})
    return differences
