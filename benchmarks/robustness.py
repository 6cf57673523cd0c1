"""Is the last student more robust than its baseline, and more than its accuracy alone explains? On runs of `cifar10.py`.

    NOISYSTUDENT_DATA=/path/to/data python benchmarks/cifar10.py --seeds 3
    NOISYSTUDENT_DATA=/path/to/data python benchmarks/robustness.py --seeds 3

Baseline and last student of each seed meet the fifteen corruptions (strengths of CIFAR-10-C), the ten perturbation sequences (those of
CIFAR-10-P) and the attacks, all made here, on the first test images. Differences are given twice: with their interval over seeds, and,
of these trained networks alone, over the images (each image's mean over the seeds, bootstrapped). "Beyond accuracy" is the error on
corrupted images less that on clean ones.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from seeded_runs import RESULTS, data_folder, difference_line, difference_table

from noisystudent import progress
from noisystudent.config import Execution
from noisystudent.evaluation.intervals import bootstrap_interval
from noisystudent.evaluation.suites import Request, evaluate_suites
from noisystudent.models.loading import load_classifier, model_identity

METRICS = {"top1": "clean top-1 %", "mce": "mean error on corrupted images %", "mfr": "flip probability %"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--runs", type=Path, default=Path(__file__).parent / "work" / "cifar10", help="of cifar10.py")
    parser.add_argument("--images", type=int, default=2000, help="of the test images, for corruptions and attacks")
    parser.add_argument("--sequences", type=int, default=300, help="of the test images, for perturbations")
    options = parser.parse_args()
    progress.configure(quiet=False)
    test = pq.read_table(data_folder("cifar10") / "test-00000-of-00001.parquet")
    found: dict[str, list[Measured]] = {"baseline": [], "student": []}
    for seed in range(options.seeds):
        run = options.runs / f"recipe-{seed}"
        students = sorted(run.glob("gen-*"), key=lambda folder: int(folder.name.split("-")[1]))
        for name, folder in (("baseline", run / "baseline"), ("student", students[-1])):
            found[name].append(measured(folder, test, options, options.runs / f"robustness-{seed}-{name}"))
    text = report(found, options)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "robustness_cifar10.md").write_text(text, encoding="utf-8")


class Measured(NamedTuple):
    """All metrics of a network, and of some the part that each image has in it."""

    metrics: dict[str, float]
    of_images: dict[str, np.ndarray]


def measured(model: Path, test: pa.Table, options: argparse.Namespace, kept: Path) -> Measured:
    """Measure a network; what was stopped goes on from `kept`."""
    kept.mkdir(parents=True, exist_ok=True)
    classifier = load_classifier(str(model))
    identity = model_identity(str(model), classifier)
    metrics: dict[str, float] = {}
    of_images: dict[str, np.ndarray] = {}
    for count, suites in ((options.images, ("clean", "c", "adversarial", "calibration")), (options.sequences, ("p",))):
        data = kept.parent / f"robustness-test-{count}.parquet"
        if not data.exists():
            pq.write_table(test.slice(0, count), data)
        request = Request(str(data), suites, cells=kept / f"{'-'.join(suites)}-{count}")
        suite = evaluate_suites(classifier, request, identity=identity, execution=Execution())
        metrics |= suite.metrics
        of_images |= {name: table.sort_by("id")["score"].to_numpy() for name, table in suite.scores.items()}
    metrics["beyond accuracy"] = metrics["mce"] - (100 - metrics["top1"])
    parts = {"top1": of_images["clean"], "mce": of_images["c"], "mfr": of_images["p"]}
    return Measured(metrics, {**parts, "beyond accuracy": parts["mce"] - (100 - parts["top1"])})


def report(found: dict[str, list[Measured]], options: argparse.Namespace) -> str:
    names = [name for name in found["baseline"][0].metrics if name not in ("params", "rel_mce")]
    lines = ["| metric | baseline | last student |", "|---|---|---|"]
    for name in names:
        both = [np.array([one.metrics[name] for one in found[model]]) for model in ("baseline", "student")]
        lines.append(f"| {METRICS.get(name, name)} | {both[0].mean():.2f} | {both[1].mean():.2f} |")
    differences = [
        difference_line(
            METRICS.get(name, name),
            *(np.array([one.metrics[name] for one in found[k]]) for k in ("student", "baseline")),
        )
        for name in ("top1", "mce", "beyond accuracy", "mfr", "fgsm_eps2", "pgd_eps16", "ece")
    ]
    about = (
        f"`python benchmarks/robustness.py --seeds {options.seeds} --images {options.images} --sequences {options.sequences}`; "
        f"mean of {options.seeds} seeds; student - baseline below"
    )
    return "\n\n".join([about, "\n".join(lines), difference_table(differences), over_images(found)]) + "\n"


def over_images(found: dict[str, list[Measured]]) -> str:
    """Markdown: the same differences for these networks, their intervals over images."""
    lines = ["| paired difference, points | mean | 95 % interval over images | n |", "|---|---|---|---|"]
    for name in found["baseline"][0].of_images:
        student, baseline = (
            np.mean([one.of_images[name] for one in found[k]], axis=0) for k in ("student", "baseline")
        )
        low, high = bootstrap_interval(student - baseline, seed=0)
        mean = (student - baseline).mean()
        lines.append(f"| {METRICS.get(name, name)} | {mean:+.2f} | {low:+.2f} to {high:+.2f} | {len(student)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
