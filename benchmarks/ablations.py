"""The paper's ablations (section 4.2 and its studies), each a setting or two of the recipe, beside the direction that the paper found.

    python benchmarks/ablations.py --seeds 10
    NOISYSTUDENT_DATA=/path/to/data python benchmarks/ablations.py --on cifar10 --seeds 3
    python benchmarks/ablations.py --on later --seeds 10

On digits with 20 labels all of them, each a whole run without a baseline, of which the last student is compared. On CIFAR-10 with 4,000
labels those that matter most: the recipe's teacher and first student, with the teacher's noise and for 4,000 of its 11,800 steps, and for
each ablation that student anew on the same pseudo-labels. (How iterations fare there, `cifar10.py` says.) With `--on later`, on digits
again, what others found helpful after the paper, each a setting that is off by default. Pairs are of one seed; a direction is established
when the 95 % interval of the mean leaves out 0.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from cifar10 import of_draws
from seeded_runs import (
    NO_NOISE,
    Results,
    accuracy_table,
    arguments,
    at_once,
    paired,
    publish,
    run_variants,
    top1,
)

import noisystudent
from noisystudent import Config, configure
from noisystudent.config.settings import apply_settings
from noisystudent.data.digits import write_digits

FULL = "as in the recipe"
RESIDUAL = "student.model_args.blocks=[1, 0, 1]"  # the digits recipe's network has no residual block to drop


class Ablation(NamedTuple):
    """Settings; the row that they are compared with; the sign of the change in the paper, 0 for none, and its numbers."""

    settings: list[str]
    reference: str
    sign: int | None
    paper: str


ON_DIGITS = {
    FULL: Ablation([], FULL, None, ""),
    "no augmentation": Ablation(
        ["student.noise.randaugment=false", "student.noise.cutout=0"], FULL, -1, "85.1 to 84.6 (table 6)"
    ),
    "no dropout": Ablation(
        ["student.drop_rate=0.0"], FULL, -1, "with stochastic depth, after augmentation: 84.6 to 84.3"
    ),
    "residual blocks, stochastic depth 0.2": Ablation([RESIDUAL, "student.drop_path_rate=0.2"], FULL, None, ""),
    "residual blocks, no stochastic depth": Ablation(
        [RESIDUAL], "residual blocks, stochastic depth 0.2", -1, "with dropout, after augmentation: 84.6 to 84.3"
    ),
    "no noise": Ablation(NO_NOISE, FULL, -1, "85.1 to 84.3 (table 6)"),
    "noised teacher": Ablation(["generation.noised_teacher=true"], FULL, -1, "85.1 to 84.4 (table 6)"),
    "hard labels": Ablation(
        ["student.pseudo_labels=hard"], FULL, -1, "worse below a confidence of 0.6, level from 0.8 on (study 3)"
    ),
    "no filter": Ablation(["select.per_class=0"], FULL, -1, "soft labels gain little from it (study 3)"),
    "threshold 0.8, balanced": Ablation(["select.threshold=0.8", "select.per_class=mean"], FULL, None, ""),
    "threshold 0.8, not balanced": Ablation(
        ["select.threshold=0.8", "select.per_class=0"], "threshold 0.8, balanced", -1, "helps small models (study 5)"
    ),
    "ratio 1 : 1": Ablation(["student.unlabeled_ratio=1.0"], FULL, -1, "86.7 against 87.4 at 3 : 1 (study 7)"),
    "ratio 7 : 1": Ablation(["student.unlabeled_ratio=7.0"], FULL, 1, "87.9 at 6 : 1 against 87.4 at 3 : 1 (study 7)"),
    "smaller student": Ablation(["student.model=resnet9_8"], FULL, -1, "a larger student gains 0.7 to 1.6 (study 4)"),
    "larger student": Ablation(["student.model=resnet9_24"], FULL, 1, "a larger student gains 0.7 to 1.6 (study 4)"),
    "warm start": Ablation(["student.warm_start=true"], FULL, -1, "from scratch is better (study 8)"),
    "pseudo-labels first, labels after": Ablation(["student.joint=false"], FULL, -1, "jointly is better (study 6)"),
    "half of the unlabeled images": Ablation(["data.unlabeled_fraction=0.5"], FULL, -1, "more is better (study 2)"),
    "an eighth of the unlabeled images": Ablation(
        ["data.unlabeled_fraction=0.125"], FULL, -1, "more is better (study 2)"
    ),
}
ON_CIFAR10 = {name: ON_DIGITS[name] for name in (FULL, "no noise", "hard labels", "ratio 1 : 1", "larger student")} | {
    "larger student": Ablation(
        ["student.model=whitened_80_160"], FULL, 1, "a larger student gains 0.7 to 1.6 (study 4)"
    )
}
LATER = {
    FULL: ON_DIGITS[FULL],
    "MixUp": Ablation(["student.mixup=0.5"], FULL, None, ""),
    "pseudo-labels to the power 2": Ablation(["student.temperature=0.5"], FULL, None, ""),
    "pseudo-labels to the power 0.6": Ablation(["student.temperature=1.67"], FULL, None, ""),
    "sampled by confidence": Ablation(["student.sampling=confidence"], FULL, None, ""),
}
SHORTER = [
    "student.steps=4000",
    "student.warmup_steps=400",
]  # of 11,800 and 1,180, so that two cores can afford all rows


def main() -> None:
    options = arguments(__doc__, seeds=10, work="ablations", more={"--on": "digits (the default), cifar10 or later"})
    on = options.on or "digits"
    if on not in ("digits", "cifar10", "later"):
        sys.exit(f"--on {on}: digits, cifar10 or later")
    if on != "cifar10":
        ablations, compared = {"digits": ON_DIGITS, "later": LATER}[on], "last student"
        results = runs_on_digits(options, ablations)
    else:
        ablations, compared, results = ON_CIFAR10, "student 1", students_on_cifar10(options)
    tables = [ablation_table(results, ablations, compared), iteration_table(results), accuracy_table(results)]
    publish(f"ablations_{on}", f"{options.command} --on {on}", tables, results)


def runs_on_digits(options: argparse.Namespace, ablations: dict[str, Ablation]) -> Results:
    """A whole run of each ablation and seed."""
    of_seed = on_digits(options.work, options.set)
    variants = {name: ["baseline=false", *ablation.settings] for name, ablation in ablations.items()}
    return run_variants(of_seed, variants, seeds=options.seeds, work=options.work / "digits", jobs=options.jobs)


def students_on_cifar10(options: argparse.Namespace) -> Results:
    """The recipe's teacher and first student, and of each ablation and seed that student, on the same pseudo-labels."""
    of_recipe = of_draws("cifar10", work=options.work / "cifar10", settings=[*SHORTER, *options.set])

    def of_seed(seed: int) -> Config:
        config = of_recipe(seed)
        first = config.generations[0]
        noised = first.student.model_copy(update={"noise": config.teacher.noise})
        generations = (first.model_copy(update={"student": noised}),)
        return config.model_copy(update={"generations": generations, "baseline": False})

    work = options.work / "cifar10"
    results = run_variants(of_seed, {FULL: []}, seeds=options.seeds, work=work, jobs=options.jobs)
    selections = [work / f"{FULL.replace(' ', '-')}-{seed}" / "gen-1" / "selection" for seed in range(options.seeds)]
    for name, ablation in ON_CIFAR10.items():
        if name != FULL:
            configs = [apply_settings(of_seed(seed), ablation.settings) for seed in range(options.seeds)]
            folders = [work / f"{name.replace(' ', '-')}-{seed}" for seed in range(options.seeds)]
            results[name] = at_once(noisystudent.student, configs, selections, folders, jobs=options.jobs)
    return results


def on_digits(work: Path, settings: list[str]) -> Callable[[int], Config]:
    def of_seed(seed: int) -> Config:
        images = work / f"digits-{seed}"
        write_digits(images, labels=20, seed=seed)
        sources = {part: str(images / part) for part in ("labeled", "unlabeled", "test")}
        return configure("digits", **sources, settings=[f"seed={seed}", *settings])

    return of_seed


def ablation_table(results: Results, ablations: dict[str, Ablation], compared: str) -> str:
    """Markdown: what each ablation changes of the network that is compared, and whether the paper found the same."""
    lines = [
        f"| ablation | setting | compared with | change of {compared}, points | 95 % interval | n | the paper | the same direction? |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, ablation in ablations.items():
        if name == ablation.reference:
            continue
        last, reference = (top1(results[row], compared) for row in (name, ablation.reference))
        mean, low, high, n = paired(last, reference)
        interval = f"{low:+.1f} to {high:+.1f}" if np.isfinite(high) else "-"
        settings = " ".join(f"`{setting}`" for setting in ablation.settings if setting != "baseline=false")
        lines.append(
            f"| {name} | {settings} | {ablation.reference} | {mean:+.1f} | {interval} | {n} "
            f"| {ablation.paper} | {verdict(low, high, ablation.sign)} |"
        )
    return "\n".join(lines)


def verdict(low: float, high: float, sign: int | None) -> str:
    if sign is None:
        return ""
    if low <= 0 <= high:
        return "not established"
    return "yes" if (low > 0) == (sign > 0) else "no"


def iteration_table(results: Results) -> str:
    """Markdown: each generation of the recipe over the one before; the paper's go 87.6, 88.1, 88.4 (table 7)."""
    runs = results[FULL]
    names = [row["name"] for row in runs[0]["rows"] if row["name"] != "baseline"]
    lines = ["| iteration | change, points | 95 % interval | n |", "|---|---|---|---|"]
    for before, after in itertools.pairwise(names):
        mean, low, high, n = paired(top1(runs, after), top1(runs, before))
        interval = f"{low:+.1f} to {high:+.1f}" if np.isfinite(high) else "-"
        lines.append(f"| {after} - {before} | {mean:+.1f} | {interval} | {n} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
