"""Is the last student more robust than its baseline, and more than its accuracy alone explains? On runs of `cifar10.py`.

    NOISYSTUDENT_DATA=/path/to/data python benchmarks/cifar10.py --seeds 3
    NOISYSTUDENT_DATA=/path/to/data python benchmarks/robustness.py --seeds 3

Baseline and last student of each seed meet the fifteen corruptions (strengths of CIFAR-10-C), the ten perturbation sequences (those of
CIFAR-10-P) and the attacks, all made here, on the first test images. Differences are paired by image; intervals are those over the
images of a seed, and over seeds. "Beyond accuracy" is the error on corrupted images less that on clean ones.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from seeded_runs import RESULTS, data_folder, difference_line, difference_table

import noisystudent
from noisystudent import progress

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
    found: dict[str, list[dict[str, float]]] = {"baseline": [], "student": []}
    for seed in range(options.seeds):
        run = options.runs / f"recipe-{seed}"
        students = sorted(run.glob("gen-*"), key=lambda folder: int(folder.name.split("-")[1]))
        for name, folder in (("baseline", run / "baseline"), ("student", students[-1])):
            found[name].append(measured(folder, test, options, options.runs / f"robustness-{seed}-{name}"))
    text = report(found, options)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "robustness_cifar10.md").write_text(text, encoding="utf-8")


def measured(model: Path, test: pa.Table, options: argparse.Namespace, kept: Path) -> dict[str, float]:
    """All metrics of a model; what was stopped goes on from `kept`."""
    kept.mkdir(parents=True, exist_ok=True)
    metrics: dict[str, float] = {}
    for count, suites in ((options.images, ("clean", "c", "adversarial", "calibration")), (options.sequences, ("p",))):
        data = kept.parent / f"robustness-test-{count}.parquet"
        if not data.exists():
            pq.write_table(test.slice(0, count), data)
        folder = kept / f"{'-'.join(suites)}-{count}"
        results = noisystudent.evaluate(str(model), str(data), suites=suites, cells=folder)
        metrics |= results["metrics"]
    metrics["beyond accuracy"] = metrics["mce"] - (100 - metrics["top1"])
    return metrics


def report(found: dict[str, list[dict[str, float]]], options: argparse.Namespace) -> str:
    names = [name for name in found["baseline"][0] if name not in ("params", "rel_mce")]
    lines = ["| metric | baseline | last student |", "|---|---|---|"]
    for name in names:
        both = [np.array([metrics[name] for metrics in found[model]]) for model in ("baseline", "student")]
        lines.append(f"| {METRICS.get(name, name)} | {both[0].mean():.2f} | {both[1].mean():.2f} |")
    differences = [
        difference_line(
            METRICS.get(name, name), *(np.array([m[name] for m in found[k]]) for k in ("student", "baseline"))
        )
        for name in ("top1", "mce", "beyond accuracy", "mfr", "fgsm_eps2", "pgd_eps16", "ece")
    ]
    about = (
        f"`python benchmarks/robustness.py --seeds {options.seeds} --images {options.images} --sequences {options.sequences}`; "
        f"mean of {options.seeds} seeds; student - baseline below"
    )
    return "\n\n".join([about, "\n".join(lines), difference_table(differences)]) + "\n"


if __name__ == "__main__":
    main()
