"""Labels out of balance: CIFAR-10 with 4,000 labels of which the largest class has a hundred times as many as the smallest.

    NOISYSTUDENT_DATA=/path/to/data python benchmarks/long_tail.py --seeds 3

The classes have 1,612, 966, 579 ... 16 labels; which class has how many is drawn anew for each seed. The other 46,000 training images have
no labels, and the 10,000 test images are as many of each class, so that accuracy is balanced accuracy. The networks are the teacher of the
recipe `cifar10` and its first student with each setting of `class_balance`, trained for 2,000 of 9,600 and 1,500 of 11,800 steps.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from seeded_runs import (
    accuracy_table,
    arguments,
    data_folder,
    difference_line,
    difference_table,
    publish,
    run_variants,
    top1,
)

from noisystudent import Config, configure

LABELS, FACTOR, CLASSES = 4000, 100, 10
SHORTER = ["teacher.steps=2000", "teacher.warmup_steps=200", "student.steps=1500", "student.warmup_steps=150"]
VARIANTS = {
    kind: [f"teacher.class_balance={kind}", f"student.class_balance={kind}"] for kind in ("none", "sampling", "logits")
}


def tail() -> np.ndarray:
    """How many labels the classes have, the largest first, each the same share of the one before (Cui et al. 2019, arXiv 1901.05555)."""
    shares = FACTOR ** (-np.arange(CLASSES) / (CLASSES - 1))
    counts: np.ndarray = np.rint(LABELS * shares / shares.sum()).astype(int)
    return counts


def write_long_tail(source: Path, folder: Path, seed: int) -> None:
    """labeled.parquet with so many images of the classes, and the others in unlabeled.parquet."""
    if (folder / "unlabeled.parquet").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.concat_tables(pq.read_table(shard) for shard in sorted(source.glob("train-*.parquet")))
    labels, draw = table["label"].to_numpy(), np.random.default_rng(seed)
    counts = draw.permutation(tail())
    chosen = np.concatenate([draw.permutation(np.flatnonzero(labels == c))[: counts[c]] for c in range(CLASSES)])
    pq.write_table(table.take(np.sort(chosen)), folder / "labeled.parquet")
    pq.write_table(table.take(np.setdiff1d(np.arange(len(labels)), chosen)), folder / "unlabeled.parquet")


def main() -> None:
    options = arguments(__doc__, seeds=3, work="long_tail")
    source = data_folder("cifar10")

    def of_seed(seed: int) -> Config:
        folder = options.work / f"images-{seed}"
        write_long_tail(source, folder, seed)
        config = configure(
            "cifar10",
            labeled=folder / "labeled.parquet",
            unlabeled=folder / "unlabeled.parquet",
            test=source / "test-00000-of-00001.parquet",
            settings=[
                f"seed={seed}",
                "data.val_fraction=0.0",
                "data.score_pseudo_labels=true",
                *SHORTER,
                *options.set,
            ],
        )
        return config.model_copy(update={"generations": config.generations[:1], "baseline": False})

    results = run_variants(of_seed, VARIANTS, seeds=options.seeds, work=options.work, jobs=options.jobs)
    plain, *others = VARIANTS
    lines = [
        difference_line(f"{kind} - {plain}, {network}", top1(results[kind], network), top1(results[plain], network))
        for kind in others
        for network in ("teacher", "student 1")
    ]
    publish("long_tail", options.command, [accuracy_table(results), difference_table(lines)], results)


if __name__ == "__main__":
    main()
