"""CIFAR-10 with 4,000 labels: the `cifar10` recipe against its teacher, its baseline, its last student without noise, and FixMatch.

    NOISYSTUDENT_DATA=/path/to/data python benchmarks/cifar10.py --seeds 3 --fixmatch-python /path/to/python

400 labeled images a class by seed, the other 46,000 training images without labels, all 10,000 test images. The recipe's knobs were
chosen on 5,000 training images held out (docs/small-images.md says what was tried); the test images chose nothing. A trial is judged
on such held-out images, too, with another setting and another folder:

    python benchmarks/cifar10.py --held-out 5000 --seeds 1 --recipe-only --set student.pseudo_labels=hard --work trials/hard

FixMatch is semilearn's, with the last student's network, noise and precision, given as many image passes as the whole chain and at least
as much time; `peers/fixmatch.py` says what its Python needs. Its batches and learning rate are FIXMATCH_SETTINGS.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from peer_runs import FIXMATCH_NAME, PYTHON_OPTION, chain_passes, chain_seconds, command_of, fixmatch, peer_tables
from seeded_runs import (
    LAST_WITHOUT_NOISE,
    arguments,
    data_folder,
    last_students_without_noise,
    on_splits,
    publish,
    run_variants,
    tables_of,
)

from noisystudent import Config

LABELS_PER_CLASS = 400
# Chosen on held-out images of one draw: with our own batches of 8 labeled images and rate of 0.07 it does not learn.
FIXMATCH_SETTINGS = ("batch_size=32", "unlabeled_ratio=3", "learning_rate=0.03")


def main() -> None:
    options = arguments(__doc__, seeds=3, work="cifar10", splits=True, more=PYTHON_OPTION)
    source = data_folder("cifar10")
    test = source / "test-00000-of-00001.parquet"
    of_seed = on_splits(
        "cifar10",
        source,
        test,
        labels_per_class=LABELS_PER_CLASS,
        work=options.work,
        held_out=options.held_out,
        settings=options.set,
    )
    how = {"seeds": options.seeds, "work": options.work, "jobs": options.jobs}
    results = run_variants(of_seed, {"recipe": []}, **how)
    if not options.recipe_only:
        results[LAST_WITHOUT_NOISE] = last_students_without_noise(of_seed, **how)
    tables = tables_of(results)
    if options.fixmatch_python:
        tables += peer_tables(
            results["recipe"], peers(results["recipe"], of_seed, options.work, options.fixmatch_python)
        )
    publish("cifar10", command_of(options), tables, results)


def peers(
    runs: list[dict[str, Any]], of_seed: Callable[[int], Config], work: Path, python: str
) -> dict[str, list[dict[str, Any]]]:
    """What FixMatch reaches with as many image passes as the chain and no less time; an entry for each seed."""
    answers = []
    for seed, run in enumerate(runs):
        length = ["--passes", str(chain_passes(of_seed(seed))), "--seconds", str(chain_seconds(run))]
        answers.append(fixmatch(python, work / f"recipe-{seed}", length, FIXMATCH_SETTINGS, name="fixmatch"))
    return {FIXMATCH_NAME: answers}


if __name__ == "__main__":
    main()
