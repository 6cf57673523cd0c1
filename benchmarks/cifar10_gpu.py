"""CIFAR-10 with 4,000 labels on a large GPU: the recipe `cifar10-gpu`, whose aim is 90 % after a minute of an H100. Not run yet.

    NOISYSTUDENT_DATA=/path/to/data python benchmarks/cifar10_gpu.py --seeds 3

The images are those of `cifar10.py`, and so are trials on held-out ones. The first seed pays for what PyTorch prepares once a process.
"""

from __future__ import annotations

from cifar10 import LABELS_PER_CLASS
from seeded_runs import arguments, data_folder, on_splits, publish, run_variants, tables_of


def main() -> None:
    options = arguments(__doc__, seeds=3, work="cifar10-gpu", splits=True)
    source = data_folder("cifar10")
    of_seed = on_splits(
        "cifar10-gpu",
        source,
        source / "test-00000-of-00001.parquet",
        labels_per_class=LABELS_PER_CLASS,
        work=options.work,
        held_out=options.held_out,
        settings=options.set,
    )
    results = run_variants(of_seed, {"recipe": []}, seeds=options.seeds, work=options.work, jobs=options.jobs)
    publish("cifar10_gpu", options.command, tables_of(results), results)


if __name__ == "__main__":
    main()
