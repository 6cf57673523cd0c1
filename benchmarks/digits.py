"""Digits with 20 labels: the `digits` recipe against its teacher, its baseline, itself without noise, and other tools.

    python benchmarks/digits.py --seeds 5 --fixmatch-python /path/to/python

Two labeled pictures of each digit by seed, 1,277 without labels, the same 500 test pictures for every seed; all methods get the same
pictures. The recipe's knobs were chosen on 300 pictures of the 1,297 that are no test pictures; the test pictures chose nothing.

FixMatch is semilearn's, with the last student's network and noise, for as long as the whole chain took (teacher and all students);
`peers/fixmatch.py` says what its Python needs. Without `--fixmatch-python` it is left out, and the table says so. The others are
scikit-learn's, on the raw pixels.
"""

from __future__ import annotations

import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from peer_runs import FIXMATCH_NAME, PYTHON_OPTION, chain_seconds, command_of, fixmatch, peer_tables
from seeded_runs import (
    LAST_WITHOUT_NOISE,
    RESULTS,
    arguments,
    last_students_without_noise,
    publish,
    run_variants,
    tables_of,
)
from sklearn.base import ClassifierMixin
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier
from sklearn.svm import SVC

from noisystudent import Config, configure
from noisystudent.data.digits import write_digits
from noisystudent.data.images import ImageSet
from noisystudent.data.sources import read_source

LABELS = 20


def pictures(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of a part in 0..1, [N, 64], and its digits."""
    manifest = read_source(str(folder / part), split=part, labels="required")
    pixels = ImageSet(manifest, size=8, channels=1, in_memory=False).fetch(np.arange(len(manifest)))
    return pixels.flatten(1).numpy() / 255, manifest.labels


def scikit_learn(method: ClassifierMixin, folder: Path) -> dict[str, Any]:
    """Accuracy and time of one of scikit-learn's semi-supervised methods; -1 says that a picture has no label."""
    (labeled, digits), (unlabeled, _), (test, truth) = (pictures(folder, p) for p in ("labeled", "unlabeled", "test"))
    start = time.monotonic()
    with warnings.catch_warnings(action="ignore"):  # of iterations, and of settings that a later version renames
        method.fit(np.concatenate([labeled, unlabeled]), np.concatenate([digits, np.full(len(unlabeled), -1)]))
        predicted = method.predict(test)
    return {"top1": 100 * float((predicted == truth).mean()), "seconds": time.monotonic() - start}


def peers(runs: list[dict[str, Any]], work: Path, python: str) -> dict[str, list[dict[str, Any]]]:
    """What other tools reach, method by method, an entry for each seed."""
    found: dict[str, list[dict[str, Any]]] = {}
    for seed, run in enumerate(runs):
        images = work / f"images-{seed}"
        methods: dict[str, ClassifierMixin] = {
            f"LabelSpreading (scikit-learn {sklearn.__version__})": LabelSpreading(),
            f"SelfTrainingClassifier(SVC) (scikit-learn {sklearn.__version__})": SelfTrainingClassifier(
                SVC(probability=True, random_state=seed)
            ),
        }
        for name, method in methods.items():
            found.setdefault(name, []).append(scikit_learn(method, images))
        if python:
            length = ["--seconds", str(chain_seconds(run))]
            answer = fixmatch(python, work / f"recipe-{seed}", length, name="fixmatch")
            found.setdefault(FIXMATCH_NAME, []).append(answer)
    return found


def main() -> None:
    options = arguments(__doc__, seeds=5, work="digits", more=PYTHON_OPTION)
    python = options.fixmatch_python

    def of_seed(seed: int) -> Config:
        images = options.work / f"images-{seed}"
        write_digits(images, labels=LABELS, seed=seed)
        return configure(
            "digits",
            labeled=str(images / "labeled"),
            unlabeled=str(images / "unlabeled"),
            test=str(images / "test"),
            settings=[f"seed={seed}", "data.score_pseudo_labels=true", *options.set],
        )

    how = {"seeds": options.seeds, "work": options.work, "jobs": options.jobs}
    results = run_variants(of_seed, options.variants, **how)
    if not options.recipe_only:
        results[LAST_WITHOUT_NOISE] = last_students_without_noise(of_seed, **how)
    found = peers(results["recipe"], options.work, python)
    publish("digits", command_of(options), [*tables_of(results), *peer_tables(results["recipe"], found)], results)
    (RESULTS / "digits_peers.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
