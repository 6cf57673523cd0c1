"""How often are pseudo-labels right, the surest first, and what do students make of the wrong ones? Digits, 20 labels.

    python benchmarks/pseudo_labels.py --seeds 5

The recipe `digits` on each draw of the labels, without its baseline. Every teacher's predictions of the 1,277 pictures are compared with
the truth, which no network saw: all of them, and the surest tenth, two tenths and so on. A student is compared with its teacher picture by
picture: which wrong labels it mends, and which right ones it spoils.
"""

from __future__ import annotations

import argparse
import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from seeded_runs import RESULTS

import noisystudent
from noisystudent.data.digits import write_digits

SHARES = [number / 10 for number in range(1, 11)]
WORK = Path(__file__).parent / "work" / "pseudo_labels"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    draws = [measured(run_of(seed)) for seed in range(seeds)]
    about = (
        f"`python benchmarks/pseudo_labels.py --seeds {seeds}`; torch {torch.__version__}, {os.cpu_count()} cores, "
        f"digits, 20 labels, {seeds} draws; means ± standard deviations"
    )
    text = "\n\n".join([about, *tables(draws)]) + "\n"
    print(text)
    (RESULTS / "pseudo_labels.md").write_text(text, encoding="utf-8")
    (RESULTS / "pseudo_labels.json").write_text(json.dumps(draws) + "\n", encoding="utf-8")


def run_of(seed: int) -> Path:
    images, out = WORK / f"images-{seed}", WORK / f"run-{seed}"
    write_digits(images, seed=seed)
    sources = {part: str(images / part) for part in ("labeled", "unlabeled", "test")}
    noisystudent.run(noisystudent.configure("digits", **sources, settings=[f"seed={seed}", "baseline=false"]), out)
    return out


def measured(run: Path) -> dict[str, Any]:
    """Of each teacher the share that is right among its surest, in percent; of each student but the last what it changed."""
    said = [answers(folder) for folder in sorted(run.glob("gen-*/predictions"), key=lambda path: path.parent.name)]
    changed = [
        {"mended": percent(now[~was]), "spoiled": percent(~now[was]), "wrong": int((~was).sum())}
        for (was, _), (now, _) in pairwise(said)
    ]
    return {"right": [surest(*one) for one in said], "changed": changed}


def answers(predictions: Path) -> tuple[np.ndarray, np.ndarray]:
    """Of each picture, in the order of their names: whether the teacher was right, and how sure it was."""
    table = pq.read_table(predictions, columns=["id", "label", "confidence"])
    rows = sorted(table.to_pylist(), key=lambda row: row["id"])
    right = np.array([str(row["label"]) == row["id"].partition("/")[0] for row in rows])
    return right, np.array([row["confidence"] for row in rows])


def surest(right: np.ndarray, confidence: np.ndarray) -> list[float]:
    order = np.argsort(-confidence, kind="stable")
    return [percent(right[order[: round(share * len(right))]]) for share in SHARES]


def percent(true: np.ndarray) -> float:
    return round(100 * float(true.mean()), 2) if len(true) else 0.0


def tables(draws: list[dict[str, Any]]) -> list[str]:
    right = np.array([draw["right"] for draw in draws])  # [draws, teachers, shares]
    lines = ["| pseudo-labels right, % | " + " | ".join(f"surest {share:.0%}" for share in SHARES) + " |"]
    lines.append("|---" * (len(SHARES) + 1) + "|")
    for number in range(right.shape[1]):
        cells = [f"{mean:.1f} ± {sd:.1f}" for mean, sd in zip(*spread(right[:, number]), strict=True)]
        lines.append(f"| for student {number + 1} | " + " | ".join(cells) + " |")
    changes = [
        "| student | wrong labels of its teacher's | of them mended, % | right ones spoiled, % |",
        "|---|---|---|---|",
    ]
    for number in range(right.shape[1] - 1):
        values = np.array([[draw["changed"][number][key] for key in ("wrong", "mended", "spoiled")] for draw in draws])
        mean, sd = spread(values)
        changes.append(
            f"| student {number + 1} | {mean[0]:.0f} | {mean[1]:.1f} ± {sd[1]:.1f} | {mean[2]:.1f} ± {sd[2]:.1f} |"
        )
    return ["\n".join(lines), "\n".join(changes)]


def spread(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation over draws, the first axis."""
    return values.mean(axis=0), values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros(values.shape[1:])


if __name__ == "__main__":
    main()
