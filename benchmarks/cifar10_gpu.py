"""CIFAR-10 with 4,000 labels on a large GPU: the recipe `cifar10-gpu`, whose aim is 90 % after a minute of an H100. Not run yet.

    NOISYSTUDENT_DATA=/path/to/data python benchmarks/cifar10_gpu.py --seeds 3

The images are those of `cifar10.py`, and so are trials on held-out ones. The first seed pays for what PyTorch prepares once a process.
"""

from __future__ import annotations

from cifar10 import of_draws
from seeded_runs import arguments, publish, run_variants, tables_of


def main() -> None:
    options = arguments(__doc__, seeds=3, work="cifar10-gpu", splits=True)
    of_seed = of_draws("cifar10-gpu", work=options.work, held_out=options.held_out, settings=options.set)
    results = run_variants(of_seed, {"recipe": []}, seeds=options.seeds, work=options.work, jobs=options.jobs)
    publish("cifar10_gpu", options.command, tables_of(results), results)


if __name__ == "__main__":
    main()
