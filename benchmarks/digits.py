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
import subprocess
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from seeded_runs import (
    RESULTS,
    Results,
    arguments,
    difference_line,
    difference_table,
    publish,
    run_variants,
    tables_of,
    top1,
)
from sklearn.base import ClassifierMixin
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier
from sklearn.svm import SVC

from noisystudent import Config, configure
from noisystudent.data.digits import write_digits
from noisystudent.data.images import ImageSet
from noisystudent.data.sources import read_source

LABELS = 20
FIXMATCH = Path(__file__).parent / "peers" / "fixmatch.py"
FIXMATCH_NAME = "FixMatch (semilearn 0.3.2)"


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


def fixmatch(python: str, run: Path, seconds: float) -> dict[str, Any]:
    """Accuracy and time of FixMatch on the pictures of one of our runs; its answer is kept in the run's folder."""
    kept = run.with_suffix(".fixmatch.json")
    if not kept.exists():
        command = [python, str(FIXMATCH), "--config", str(run / "config.toml"), "--seconds", str(seconds)]
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        kept.write_text(json.dumps(json.loads(answer.splitlines()[-1])) + "\n")
    found: dict[str, Any] = json.loads(kept.read_text())
    return found


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
            answer = fixmatch(python, work / f"recipe-{seed}", chain_seconds(run))
            found.setdefault(FIXMATCH_NAME, []).append(answer)
    return found


def chain_seconds(run: dict[str, Any]) -> float:
    """Training time of the teacher and all students."""
    return float(sum(row["seconds"] for row in run["rows"] if row["name"] != "baseline"))


def peer_tables(results: Results, found: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Markdown: our chain beside the other tools, and the paired differences."""
    last = top1(results["recipe"], "last student")
    rows = {
        "noisystudent, last student": [
            {"top1": t, "seconds": chain_seconds(run)} for t, run in zip(last, results["recipe"], strict=True)
        ]
    }
    lines = ["| method | top-1 % | sd | lowest | seconds | n |", "|---|---|---|---|---|---|"]
    for name, answers in (rows | found).items():
        values = np.array([answer["top1"] for answer in answers])
        sd = f"{values.std(ddof=1):.1f}" if len(values) > 1 else "-"
        seconds = np.mean([answer["seconds"] for answer in answers])
        lines.append(f"| {name} | {values.mean():.1f} | {sd} | {values.min():.1f} | {seconds:.1f} | {len(values)} |")
    if FIXMATCH_NAME not in found:
        lines.append(f"| {FIXMATCH_NAME}: left out, no `--fixmatch-python` | | | | | |")
    differences = [
        difference_line(f"last student - {name}", last, np.array([answer["top1"] for answer in answers]))
        for name, answers in found.items()
    ]
    return ["\n".join(lines), difference_table(differences)]


def main() -> None:
    more = {"--fixmatch-python": "a Python that has semilearn; without it there is no FixMatch"}
    options = arguments(__doc__, seeds=5, work="digits", more=more)
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

    results = run_variants(of_seed, options.variants, seeds=options.seeds, work=options.work, jobs=options.jobs)
    found = peers(results["recipe"], options.work, python)
    command = options.command + (" --fixmatch-python PYTHON" if python else "")
    publish("digits", command, [*tables_of(results), *peer_tables(results, found)], results)
    (RESULTS / "digits_peers.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
