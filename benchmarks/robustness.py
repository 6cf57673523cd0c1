"""Is the last student more robust than its baseline, more than its accuracy explains, and is it noise? On runs of another benchmark.

    NOISYSTUDENT_DATA=/path/to/data python benchmarks/cifar10.py --seeds 3
    NOISYSTUDENT_DATA=/path/to/data python benchmarks/robustness.py --seeds 3
    python benchmarks/digits.py --seeds 5
    python benchmarks/robustness.py --on digits --seeds 5

Each network meets the fifteen corruptions and the ten perturbation sequences (both with CIFAR-10's strengths) and the attacks, all made
here, on the first test images. The third of them is the last student trained anew without noise on the same pseudo-labels; on digits there
is also the last student of a chain that never had noise. Differences are given twice: with their interval over seeds, and, of these trained
networks alone, over the images (each image's mean over the seeds, bootstrapped). "Beyond accuracy" is the error on corrupted images less
that on clean ones.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
from seeded_runs import LAST_WITHOUT_NOISE, RESULTS, data_folder, difference_line, difference_table

from noisystudent import progress
from noisystudent.config import Execution
from noisystudent.evaluation.intervals import bootstrap_interval
from noisystudent.evaluation.suites import Request, evaluate_suites
from noisystudent.models.loading import load_classifier, model_identity

METRICS = {"top1": "clean top-1 %", "mce": "mean error on corrupted images %", "mfr": "flip probability %"}
STUDENT, BASELINE, CHAIN_WITHOUT_NOISE = "last student", "baseline", "last student of a chain without noise"
COMPARED = ("top1", "mce", "beyond accuracy", "mfr", "fgsm_eps1", "fgsm_eps2", "fgsm_eps4", "fgsm_eps16", "ece")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", choices=("cifar10", "digits"), default="cifar10", help="whose runs (cifar10)")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--runs", type=Path, help="the benchmark's --work")
    parser.add_argument("--images", type=int, default=2000, help="of the test images, for corruptions and attacks")
    parser.add_argument("--sequences", type=int, default=300, help="of the test images, for perturbations")
    options = parser.parse_args()
    options.runs = options.runs or Path(__file__).parent / "work" / options.on
    progress.configure(quiet=False)
    found: Found = {}
    for seed in range(options.seeds):
        for name, model in networks(options.runs, seed, options.on).items():
            kept = options.runs / f"robustness-{seed}-{name.replace(' ', '-')}"
            found.setdefault(name, []).append(measured(model, options, kept))
    text = report(found, options)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"robustness_{options.on}.md").write_text(text, encoding="utf-8")


class Measured(NamedTuple):
    """All metrics of a network, and of some the part that each image has in it."""

    metrics: dict[str, float]
    of_images: dict[str, np.ndarray]


Found = dict[str, list[Measured]]


def networks(runs: Path, seed: int, on: str) -> dict[str, Path]:
    """The models of a seed that are measured, by name."""
    there = {
        BASELINE: runs / f"recipe-{seed}" / "baseline",
        STUDENT: last_student(runs / f"recipe-{seed}"),
        LAST_WITHOUT_NOISE: runs / f"last-without-noise-{seed}" / "gen-1",
    }
    if on == "digits":
        there[CHAIN_WITHOUT_NOISE] = last_student(runs / f"without-noise-{seed}")
    return there


def last_student(run: Path) -> Path:
    return max(run.glob("gen-*"), key=lambda folder: int(folder.name.split("-")[1]))


def test_images(options: argparse.Namespace, count: int) -> str:
    """A source of the first so many test images."""
    file: Path = options.runs / f"robustness-test-{count}.parquet"
    if not file.exists():
        if options.on == "digits":
            return str(options.runs / "images-0" / "test")  # the same for every seed, and few
        test = pq.read_table(data_folder("cifar10") / "test-00000-of-00001.parquet")
        pq.write_table(test.slice(0, count), file)
    return str(file)


def measured(model: Path, options: argparse.Namespace, kept: Path) -> Measured:
    """Measure a network; what was stopped goes on from `kept`."""
    kept.mkdir(parents=True, exist_ok=True)
    classifier = load_classifier(str(model))
    identity = model_identity(str(model), classifier)
    metrics: dict[str, float] = {}
    of_images: dict[str, np.ndarray] = {}
    for count, suites in ((options.images, ("clean", "c", "adversarial", "calibration")), (options.sequences, ("p",))):
        request = Request(test_images(options, count), suites, cells=kept / f"{'-'.join(suites)}-{count}")
        suite = evaluate_suites(classifier, request, identity=identity, execution=Execution())
        metrics |= suite.metrics
        of_images |= {name: table.sort_by("id")["score"].to_numpy() for name, table in suite.scores.items()}
    metrics["beyond accuracy"] = metrics["mce"] - (100 - metrics["top1"])
    parts = {"top1": of_images["clean"], "mce": of_images["c"], "mfr": of_images["p"]}
    return Measured(metrics, {**parts, "beyond accuracy": parts["mce"] - (100 - parts["top1"])})


def report(found: Found, options: argparse.Namespace) -> str:
    names = [name for name in found[BASELINE][0].metrics if name not in ("params", "rel_mce")]
    lines = [f"| metric | {' | '.join(found)} |", "|---|" + "---|" * len(found)]
    for name in names:
        means = [f"{np.mean([one.metrics[name] for one in of_seeds]):.2f}" for of_seeds in found.values()]
        lines.append(f"| {METRICS.get(name, name)} | {' | '.join(means)} |")
    about = (
        f"`python benchmarks/robustness.py --on {options.on} --seeds {options.seeds} --images {options.images} "
        f"--sequences {options.sequences}`; mean of {options.seeds} seeds; differences below"
    )
    others = [name for name in found if name != STUDENT]
    return "\n\n".join([about, "\n".join(lines), *(against(other, found) for other in others)]) + "\n"


def against(other: str, found: Found) -> str:
    """Markdown: the last student less another network, with intervals over seeds, then over images."""
    of_seeds = [
        difference_line(
            METRICS.get(name, name), *(np.array([one.metrics[name] for one in found[k]]) for k in (STUDENT, other))
        )
        for name in COMPARED
    ]
    of_images = ["| paired difference, points | mean | 95 % interval over images | n |", "|---|---|---|---|"]
    for name in found[STUDENT][0].of_images:
        student, compared = (np.mean([one.of_images[name] for one in found[k]], axis=0) for k in (STUDENT, other))
        low, high = bootstrap_interval(student - compared, seed=0)
        mean = (student - compared).mean()
        of_images.append(f"| {METRICS.get(name, name)} | {mean:+.2f} | {low:+.2f} to {high:+.2f} | {len(student)} |")
    return "\n\n".join([f"{STUDENT} - {other}", difference_table(of_seeds), "\n".join(of_images)])


if __name__ == "__main__":
    main()
