"""Runs of a recipe over several seeds, with variants of it, and the table of what they reached.

Every benchmark of accuracy uses this. A run that finished is not done again, so a benchmark that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

import noisystudent
from noisystudent import Config, configure, progress
from noisystudent.config.settings import apply_settings
from noisystudent.evaluation import answer
from noisystudent.evaluation.intervals import mean_interval

RESULTS = Path(__file__).parent / "results"
NO_NOISE = [
    "student.noise.randaugment=false",
    "student.noise.cutout=0",
    "student.drop_rate=0.0",
    "student.drop_path_rate=0.0",
    "student.mixup=0.0",
    "baseline=false",
]
VARIANTS: dict[str, list[str]] = {"recipe": [], "without noise": NO_NOISE}
Results = dict[str, list[dict[str, Any]]]


def arguments(
    description: str,
    *,
    seeds: int,
    work: str,
    more: Mapping[str, str] | None = None,
    splits: bool = False,
    goes_on: bool = False,
) -> argparse.Namespace:
    """The options that all these benchmarks have, `--held-out` where they use `on_splits`, and those that `more` names."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=seeds, help=f"how many seeds, from 0 (default {seeds})")
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / "work" / work, help="where runs are kept")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the recipe, for trials")
    parser.add_argument(
        "--jobs", type=int, default=1, help="runs at a time, each on its share of the cores (default 1)"
    )
    parser.add_argument("--recipe-only", action="store_true", help="leave out the runs without noise")
    if goes_on:
        parser.add_argument("--go-on", action="store_true", help="add to the seeds that the results have already")
    for option, meaning in (more or {}).items():
        parser.add_argument(option, default="", help=meaning)
    if splits:
        parser.add_argument(
            "--held-out",
            type=int,
            default=0,
            help="measure on so many training images set aside, not on the test images",
        )
    options = parser.parse_args()
    given = [
        f"--seeds {options.seeds}",
        *([f"--held-out {options.held_out}"] if splits and options.held_out else []),
        *([f"--jobs {options.jobs}"] if options.jobs > 1 else []),
        *(["--recipe-only"] if options.recipe_only else []),
        *(f"--set {s}" for s in options.set),
    ]
    options.command = " ".join([f"python benchmarks/{Path(sys.argv[0]).name}", *given])
    options.variants = {"recipe": []} if options.recipe_only else VARIANTS
    return options


def data_folder(name: str) -> Path:
    """A folder of the real data, or the end of the program."""
    if "NOISYSTUDENT_DATA" not in os.environ:
        sys.exit(f"set NOISYSTUDENT_DATA to the folder that holds {name}/")
    return Path(os.environ["NOISYSTUDENT_DATA"]) / name


HELD_OUT_SEED = 12345  # the same images for every seed of a run


LabelsPerClass = (
    int | Callable[[np.random.Generator], np.ndarray]
)  # of each class, or drawn: how many of the first, the second, ...


def split_parquet(source: Path, folder: Path, *, labels_per_class: LabelsPerClass, seed: int, held_out: int) -> None:
    """Write labeled.parquet and unlabeled.parquet from the train-*.parquet of `source`: so many of each class, drawn by seed.

    The unlabeled images keep their labels, which are read only to score the pseudo-labels. When `held_out` is given, as many
    images are set aside first, as held-out.parquet: trials are judged on these, and test images choose nothing.
    """
    if (folder / "unlabeled.parquet").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.concat_tables(pq.read_table(shard) for shard in sorted(source.glob("train-*.parquet")))
    aside = np.sort(np.random.default_rng(HELD_OUT_SEED).permutation(len(table))[:held_out])
    if held_out:
        pq.write_table(table.take(aside), folder / "held-out.parquet")
        table = table.take(np.setdiff1d(np.arange(len(table)), aside))
    labels = table["label"].to_numpy()
    draw = np.random.default_rng(seed)
    counts = labels_per_class(draw) if callable(labels_per_class) else labels_per_class
    classes = np.unique(labels)
    chosen = np.concatenate(
        [
            draw.permutation(np.flatnonzero(labels == c))[:n]
            for c, n in zip(classes, np.broadcast_to(counts, len(classes)), strict=True)
        ]
    )
    pq.write_table(table.take(np.sort(chosen)), folder / "labeled.parquet")
    pq.write_table(table.take(np.setdiff1d(np.arange(len(labels)), chosen)), folder / "unlabeled.parquet")


def on_splits(
    recipe: str,
    source: Path,
    test: Path,
    *,
    labels_per_class: LabelsPerClass,
    work: Path,
    held_out: int = 0,
    settings: Sequence[str] = (),
) -> Callable[[int], Config]:
    """Of a seed, the configuration of a recipe with so many labeled images a class out of the train-*.parquet of `source`.

    Accuracy is that on `test`, or on so many training images held out. Nothing is split off for validation.
    """

    def of_seed(seed: int) -> Config:
        name = labels_per_class.__name__ if callable(labels_per_class) else labels_per_class
        folder = work / f"images-{source.name}-{name}-{seed}"
        split_parquet(source, folder, labels_per_class=labels_per_class, seed=seed, held_out=held_out)
        return configure(
            recipe,
            labeled=str(folder / "labeled.parquet"),
            unlabeled=str(folder / "unlabeled.parquet"),
            test=str(folder / "held-out.parquet" if held_out else test),
            settings=[f"seed={seed}", "data.val_fraction=0.0", "data.score_pseudo_labels=true", *settings],
        )

    return of_seed


def run_variants(
    configure: Callable[[int], Config],
    variants: dict[str, list[str]],
    *,
    seeds: int,
    work: Path,
    jobs: int = 1,
    kept: Results | None = None,
) -> Results:
    """Run each variant with each seed; `configure` gives the configuration of a seed, a variant the settings that change it.

    What `kept` has of the first seeds is not run again.
    """
    results: Results = {variant: (kept or {}).get(variant, [])[:seeds] for variant in variants}
    runs = [(variant, seed) for variant in variants for seed in range(len(results[variant]), seeds)]
    configs = [apply_settings(configure(seed), variants[variant]) for variant, seed in runs]
    folders = [work / f"{variant.replace(' ', '-')}-{seed}" for variant, seed in runs]
    found = at_once(noisystudent.run, configs, folders, jobs=jobs)
    for (variant, _), result in zip(runs, found, strict=True):
        results[variant].append(result)
    return results


LAST_WITHOUT_NOISE = "last student without noise"


def last_students_without_noise(
    configure: Callable[[int], Config], *, seeds: int, work: Path, jobs: int = 1, kept: Results | None = None
) -> list[dict[str, Any]]:
    """The last student of each seed's run of the recipe, trained anew on the same pseudo-labels without noise.

    What `kept` has of the first seeds is not trained again.
    """
    there = (kept or {}).get(LAST_WITHOUT_NOISE, [])[:seeds]
    left = range(len(there), seeds)
    configs = [apply_settings(configure(seed), NO_NOISE) for seed in left]
    lasts = [config.model_copy(update={"generations": config.generations[-1:]}) for config in configs]
    selections = [
        work / f"recipe-{seed}" / f"gen-{len(config.generations)}" / "selection"
        for seed, config in zip(left, configs, strict=True)
    ]
    folders = [work / f"last-without-noise-{seed}" for seed in left]
    return [*there, *at_once(noisystudent.student, lasts, selections, folders, jobs=jobs)]


def at_once(work: Callable[..., dict[str, Any]], *arguments: Sequence[Any], jobs: int) -> list[dict[str, Any]]:
    """As `map`, so many calls at a time, each in a process with its share of the cores."""
    if jobs == 1:
        progress.configure(quiet=False)
        return list(map(work, *arguments))
    threads = max(torch.get_num_threads() // jobs, 1)
    with ProcessPoolExecutor(jobs, get_context("spawn"), _share_cores, (threads,)) as pool:
        return list(pool.map(work, *arguments))


def _share_cores(threads: int) -> None:
    """Prepare a process that works beside others: its threads, and no progress that would mix with theirs."""
    torch.set_num_threads(threads)
    progress.configure(quiet=True)


LABELS_ONLY = "better labels-only network"


def top1(runs: list[dict[str, Any]], network: str) -> np.ndarray:
    """Test accuracy of a network in each run, in percent; `last student` stands for the last of each run.

    `better labels-only network` is of each run the best of those that saw no unlabeled images: frozen features, teacher and baseline.
    """
    if network == LABELS_ONLY:
        there = [row["name"] for row in runs[0]["rows"] if row["name"] in answer.LABELS_ONLY]
        best: np.ndarray = np.max([top1(runs, name) for name in there], axis=0)
        return best
    found = []
    for run in runs:
        students = [row["name"] for row in run["rows"] if row["name"].startswith("student")]
        name = students[-1] if network == "last student" else network
        found.append(next(row["metrics"]["top1"] for row in run["rows"] if row["name"] == name))
    return np.array(found)


def accuracy_table(results: Results) -> str:
    """Markdown: accuracy (mean, standard deviation, lowest, highest), calibration error and seconds of each network of each variant.

    And the cost: 10^15 floating-point operations of training and labeling until there was this network, teachers before it included.
    """
    lines = [
        "| run | network | model | top-1 % | sd | lowest | highest | ECE % | n | seconds | PFLOP until then |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for variant, runs in results.items():
        for row in runs[0]["rows"]:
            values = top1(runs, row["name"])
            of_seeds = [other for run in runs for other in run["rows"] if other["name"] == row["name"]]
            seconds = np.mean([other["seconds"] for other in of_seeds])
            sd = f"{values.std(ddof=1):.1f}" if len(values) > 1 else "-"
            named = [other["metrics"] for other in of_seeds]
            ece = f"{np.mean([metrics['ece'] for metrics in named]):.1f}" if all("ece" in m for m in named) else "-"
            costs = [other["cost"] for other in of_seeds if "cost" in other]
            operations = [cost["training_pflop"] + cost["labeling_pflop"] for cost in costs]
            pflop = f"{np.mean(operations):.2g}" if costs else "-"
            lines.append(
                f"| {variant} | {row['name']} | {row['model']} | {values.mean():.1f} | {sd} | {values.min():.1f} "
                f"| {values.max():.1f} | {ece} | {len(values)} | {seconds:.0f} | {pflop} |"
            )
    return "\n".join(lines)


def cost_table(results: Results) -> str:
    """Markdown: what the runs of each variant cost, on the mean."""
    lines = [
        "| whole run | minutes | PFLOP of training | PFLOP of labeling and embedding | n |",
        "|---|---|---|---|---|",
    ]
    for variant, runs in results.items():
        costs = [run["cost"] for run in runs]
        minutes, training, labeling = (
            float(np.mean([cost[kind] for cost in costs])) for kind in ("seconds", "training_pflop", "labeling_pflop")
        )
        lines.append(f"| {variant} | {minutes / 60:.1f} | {training:.2g} | {labeling:.2g} | {len(runs)} |")
    return "\n".join(lines)


def paired(first: np.ndarray, second: np.ndarray) -> tuple[float, float, float, int]:
    """Mean difference over seeds, its 95 % t-interval, and the number of seeds; below three seeds the interval has no end."""
    change = first - second
    low, high = mean_interval(change.tolist()) or (-np.inf, np.inf)
    return float(change.mean()), low, high, len(change)


def difference_line(label: str, first: np.ndarray, second: np.ndarray) -> str:
    """Markdown: the paired difference over seeds, its standard deviation, the lowest, and the 95 % t-interval of the mean."""
    difference = first - second
    mean, low, high, n = paired(first, second)
    if not np.isfinite(high):
        return f"| {label} | {mean:+.1f} | - | {difference.min():+.1f} | - | {n} |"
    return (
        f"| {label} | {mean:+.1f} | {difference.std(ddof=1):.1f} | {difference.min():+.1f} "
        f"| {low:+.1f} to {high:+.1f} | {n} |"
    )


def difference_table(lines: list[str]) -> str:
    head = [
        "| paired difference, points | mean | sd | lowest | 95 % interval of the mean | n |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *lines])


def recipe_differences(results: Results) -> str:
    """Markdown: each student against its teacher, the last against the baseline, and noise on against off."""
    runs = results["recipe"]
    students = [row["name"] for row in runs[0]["rows"] if row["name"].startswith("student")]
    labels_only = [row["name"] for row in runs[0]["rows"] if row["name"] in answer.LABELS_ONLY]
    first = "teacher" if "teacher" in labels_only else labels_only[0]
    pairs = zip([first, *students[:-1]], students, strict=True)
    last = top1(runs, "last student")
    lines = [
        *(
            difference_line(f"{student} - {teacher}", top1(runs, student), top1(runs, teacher))
            for teacher, student in pairs
        ),
        *(difference_line(f"last student - {name}", last, top1(runs, name)) for name in labels_only),
        difference_line(f"last student - {LABELS_ONLY}", last, top1(runs, LABELS_ONLY)),
    ]
    if "without noise" in results:
        plain = results["without noise"]
        lines += [
            difference_line("noise on - off, student 1", top1(runs, "student 1"), top1(plain, "student 1")),
            difference_line("noise on - off, last student", last, top1(plain, "last student")),
        ]
    if LAST_WITHOUT_NOISE in results:
        plain = results[LAST_WITHOUT_NOISE]
        lines.append(difference_line("noise on - off, last student, same labels", last, top1(plain, "last student")))
    return difference_table(lines)


def publish(name: str, command: str, tables: list[str], results: Results) -> None:
    """Print the tables and, but for trials, keep them with what a reader needs to know in `benchmarks/results`."""
    gpu = f"{torch.cuda.get_device_name()}, " if torch.cuda.is_available() else ""
    about = (
        f"`{command}`; torch {torch.__version__}, {gpu}{torch.get_num_threads()} threads, "
        f"Python {platform.python_version()}, {platform.machine()}"
    )
    text = "\n\n".join([about, *tables]) + "\n"
    print(text)
    if "--set" in command or "--held-out" in command:
        return
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    (RESULTS / f"{name}.json").write_text(
        json.dumps(_without_paths(results), separators=(",", ":")) + "\n", encoding="utf-8"
    )


def _without_paths(results: Results) -> Any:
    """Accuracies, times and costs of every run, and nothing of where it lay."""
    kept = ("name", "model", "metrics", "n", "seed", "seconds", "split", "cost")
    return {
        variant: [
            {"rows": [{key: row[key] for key in kept} for row in run["rows"]], "cost": run["cost"]} for run in runs
        ]
        for variant, runs in results.items()
    }


def kept_results(name: str) -> Results:
    """What `publish` kept of a benchmark; of one that ran before costs were kept, without them."""
    kept = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return {
        variant: [run if isinstance(run, dict) else {"rows": run} for run in runs] for variant, runs in kept.items()
    }


def tables_of(results: Results) -> list[str]:
    """The tables of a benchmark of accuracy."""
    costs = [cost_table(results)] if all("cost" in run for runs in results.values() for run in runs) else []
    return [accuracy_table(results), recipe_differences(results), *costs]
