"""CIFAR-10 with 4,000 labels: the `cifar10` recipe against its teacher, its baseline, and itself without noise.

    NOISYSTUDENT_DATA=/path/to/data python benchmarks/cifar10.py --seeds 3

400 labeled images a class by seed, the other 46,000 training images without labels, all 10,000 test images. The recipe's knobs were
chosen on 5,000 training images held out (docs/small-images.md says what was tried); the test images chose nothing. A trial is judged
on such held-out images, too, with another setting and another folder:

    python benchmarks/cifar10.py --held-out 5000 --seeds 1 --recipe-only --set student.pseudo_labels=hard --work trials/hard
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from seeded_runs import accuracy_table, arguments, publish, recipe_differences, run_variants, split_parquet

from noisystudent import Config, configure

LABELS_PER_CLASS = 400


def main() -> None:
    more = {"--held-out": "measure on so many training images set aside, and not on the test images"}
    options = arguments(__doc__, seeds=3, work="cifar10", more=more)
    held_out = int(options.held_out or 0)
    if "NOISYSTUDENT_DATA" not in os.environ:
        sys.exit("set NOISYSTUDENT_DATA to the folder that holds cifar10/")
    source = Path(os.environ["NOISYSTUDENT_DATA"]) / "cifar10"

    def of_seed(seed: int) -> Config:
        folder = split_parquet(
            source, options.work / f"images-{seed}", labels_per_class=LABELS_PER_CLASS, seed=seed, held_out=held_out
        )
        return configure(
            "cifar10",
            labeled=str(folder / "labeled.parquet"),
            unlabeled=str(folder / "unlabeled.parquet"),
            test=str(folder / "held-out.parquet" if held_out else source / "test-00000-of-00001.parquet"),
            settings=[f"seed={seed}", "data.val_fraction=0.0", "data.score_pseudo_labels=true", *options.set],
        )

    results = run_variants(of_seed, options.variants, seeds=options.seeds, work=options.work)
    name, command = "cifar10", options.command
    if held_out:
        name, command = "cifar10_held_out", f"{command} --held-out {held_out}"
    publish(name, command, [accuracy_table(results), recipe_differences(results)], results)


if __name__ == "__main__":
    main()
