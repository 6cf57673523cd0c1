"""Labels out of balance: Imagenette's classes with 50, 35, 24, 17, 12, 8, 6, 4, 3 and 2 labels, and frozen features.

    NOISYSTUDENT_DATA=/path/to/data python benchmarks/imbalance.py --seeds 3

Which class has how many is drawn anew for each seed. There are 100 test images of each class, so that accuracy is balanced accuracy. The
network has seen most of these images.
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

COUNTS = (50, 35, 24, 17, 12, 8, 6, 4, 3, 2)
VARIANTS = {
    kind: [f"teacher.class_balance={kind}", f"student.class_balance={kind}"] for kind in ("none", "sampling", "logits")
}


def write_long_tail(source: Path, folder: Path, seed: int) -> None:
    """labeled.parquet with so many images of the classes, and the others in unlabeled.parquet."""
    if (folder / "unlabeled.parquet").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.concat_tables(pq.read_table(shard) for shard in sorted(source.glob("train-*.parquet")))
    labels, draw = table["label"].to_numpy(), np.random.default_rng(seed)
    counts = draw.permutation(COUNTS)
    chosen = np.sort(
        np.concatenate([draw.permutation(np.flatnonzero(labels == c))[: counts[c]] for c in np.unique(labels)])
    )
    pq.write_table(table.take(chosen), folder / "labeled.parquet")
    pq.write_table(table.take(np.setdiff1d(np.arange(len(labels)), chosen)), folder / "unlabeled.parquet")


def main() -> None:
    options = arguments(__doc__, seeds=3, work="imbalance")
    source = data_folder("imagenette128")

    def of_seed(seed: int) -> Config:
        folder = options.work / f"images-{seed}"
        write_long_tail(source, folder, seed)
        return configure(
            "photos-instant",
            labeled=folder / "labeled.parquet",
            unlabeled=folder / "unlabeled.parquet",
            test=source / "val-00000-of-00001.parquet",
            settings=[f"seed={seed}", "data.val_fraction=0.0", "data.score_pseudo_labels=true", *options.set],
        )

    results = run_variants(of_seed, VARIANTS, seeds=options.seeds, work=options.work / "runs", jobs=options.jobs)
    plain, *others = VARIANTS
    lines = [
        difference_line(f"{kind} - {plain}, {network}", top1(results[kind], network), top1(results[plain], network))
        for kind in others
        for network in ("frozen features", "last student")
    ]
    publish("imbalance", options.command, [accuracy_table(results), difference_table(lines)], results)


if __name__ == "__main__":
    main()
