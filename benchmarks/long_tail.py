"""Labels out of balance: CIFAR-10 with 4,000 labels of which the largest class has a hundred times as many as the smallest.

    NOISYSTUDENT_DATA=/path/to/data python benchmarks/long_tail.py --seeds 3

The classes have 1,612, 966, 579 ... 16 labels; which class has how many is drawn anew for each seed. The other 46,000 training images have
no labels, and the 10,000 test images are as many of each class, so that accuracy is balanced accuracy. The networks are the teacher of the
recipe `cifar10` and its first student with each setting of `class_balance`, trained for 2,000 of 9,600 and 1,500 of 11,800 steps.
"""

from __future__ import annotations

import numpy as np
from seeded_runs import (
    accuracy_table,
    arguments,
    data_folder,
    difference_line,
    difference_table,
    on_splits,
    publish,
    run_variants,
    top1,
)

from noisystudent import Config

LABELS, FACTOR, CLASSES = 4000, 100, 10
SHORTER = ["teacher.steps=2000", "teacher.warmup_steps=200", "student.steps=1500", "student.warmup_steps=150"]
VARIANTS = {
    kind: [f"teacher.class_balance={kind}", f"student.class_balance={kind}"] for kind in ("none", "sampling", "logits")
}


def long_tail(draw: np.random.Generator) -> np.ndarray:
    """How many labels the classes have, in a drawn order: each the same share of the next larger (Cui et al. 2019, arXiv 1901.05555)."""
    shares = FACTOR ** (-np.arange(CLASSES) / (CLASSES - 1))
    return draw.permutation(np.rint(LABELS * shares / shares.sum()).astype(int))


def main() -> None:
    options = arguments(__doc__, seeds=3, work="long_tail")
    source = data_folder("cifar10")
    of_recipe = on_splits(
        "cifar10",
        source,
        source / "test-00000-of-00001.parquet",
        labels_per_class=long_tail,
        work=options.work,
        settings=[*SHORTER, *options.set],
    )

    def of_seed(seed: int) -> Config:
        config = of_recipe(seed)
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
