"""CIFAR-10 with 4,000 labels: the `cifar10` recipe against its teacher, its baseline and its last student without noise.

    NOISYSTUDENT_DATA=/path/to/data python benchmarks/cifar10.py --seeds 3

400 labeled images a class by seed, the other 46,000 training images without labels, all 10,000 test images. The recipe's knobs were
chosen on 5,000 training images held out (docs/small-images.md says what was tried); the test images chose nothing. A trial is judged
on such held-out images, too, with another setting and another folder:

    python benchmarks/cifar10.py --held-out 5000 --seeds 1 --recipe-only --set student.pseudo_labels=hard --work trials/hard

A draw takes an hour and a half of a core. With `--go-on` draws are added to those in the results.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from seeded_runs import (
    LAST_WITHOUT_NOISE,
    arguments,
    data_folder,
    kept_results,
    last_students_without_noise,
    on_splits,
    publish,
    run_variants,
    tables_of,
)

from noisystudent import Config

LABELS_PER_CLASS = 400


def main() -> None:
    options = arguments(__doc__, seeds=3, work="cifar10", splits=True, goes_on=True)
    of_seed = of_draws("cifar10", work=options.work, held_out=options.held_out, settings=options.set)
    kept = kept_results("cifar10") if options.go_on else {}
    how = {"seeds": options.seeds, "work": options.work, "jobs": options.jobs, "kept": kept}
    results = run_variants(of_seed, {"recipe": []}, **how)
    if not options.recipe_only:
        results[LAST_WITHOUT_NOISE] = last_students_without_noise(of_seed, **how)
    publish("cifar10", options.command, tables_of(results), results)


def of_draws(recipe: str, *, work: Path, held_out: int = 0, settings: Sequence[str] = ()) -> Callable[[int], Config]:
    """Of a seed, the configuration of a recipe on the images that the seed draws; see `on_splits`."""
    source = data_folder("cifar10")
    test = source / "test-00000-of-00001.parquet"
    how = {"work": work, "held_out": held_out, "settings": settings}
    return on_splits(recipe, source, test, labels_per_class=LABELS_PER_CLASS, **how)


if __name__ == "__main__":
    main()
