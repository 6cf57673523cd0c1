"""How near `noisystudent plan` comes to a real run: the time of its stages as planned and as they took.

    python benchmarks/planning.py

Two runs: the demo's digits, and made JPEG pictures with `photos-fast`, whose networks are trained for fewer steps. Seconds are those of the
processor, with one thread for PyTorch and one that decodes, since others use the machine too. Of a run those stages are added up that a
plan has: training, labeling and embedding.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import time
from pathlib import Path

import torch
from seeded_runs import RESULTS

from noisystudent import Config, configure, progress
from noisystudent.data.digits import write_digits
from noisystudent.data.sources import read_source
from noisystudent.pipeline import run
from noisystudent.planner import plan
from noisystudent.run_plan import planned_stages
from noisystudent.rundir import RunDir
from noisystudent.trial_reading import make_pictures

LONG_SIDE, LABELED, UNLABELED, CLASSES = 500, 60, 300, 3
ONE_DECODER = ["execution.workers=1"]
SPLITS, KINDS = ("labeled", "unlabeled"), ("train", "label")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / "work" / "planning")
    parser.add_argument("--trial", action="store_true", help="do not keep the table")
    options = parser.parse_args()
    progress.configure(quiet=True)
    torch.set_num_threads(1)
    time.perf_counter = time.monotonic = time.process_time  # the clocks of a trial and of a run's stages
    shutil.rmtree(options.work, ignore_errors=True)
    about = f"`python benchmarks/planning.py`; torch {torch.__version__}, {platform.machine()}, one thread"
    lines = [about, "", "| run | stages | planned, s | took, s | planned / took |", "|---|---|---|---|---|"]
    print("\n".join(lines))
    for name, config, long_side in (digits(options.work / "digits"), photos(options.work / "photos")):
        for line in compared(name, config, long_side, options.work / f"run-{name}"):
            lines.append(line)
            print(line, flush=True)
    if not options.trial:
        (RESULTS / "planning.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def digits(folder: Path) -> tuple[str, Config, int]:
    write_digits(folder)
    sources = {name: str(folder / name) for name in ("labeled", "unlabeled", "test")}
    return "digits", configure("digits", **sources, settings=ONE_DECODER), 8


def photos(folder: Path) -> tuple[str, Config, int]:
    """Their classes cannot be told apart, which takes as long."""
    for number in range(CLASSES):
        make(folder / "labeled" / str(number), LABELED // CLASSES, seed=number)
    make(folder / "unlabeled", UNLABELED, seed=CLASSES)
    settings = [
        *ONE_DECODER,
        "known_classes=false",
        "frozen_features=false",
        "baseline=false",
        "generation.teachers=['previous']",
    ]
    settings += ["teacher.steps=15", "student.steps=15", "select.threshold=0.0"]
    sources = {name: str(folder / name) for name in ("labeled", "unlabeled")}
    return "photos-fast", configure("photos-fast", **sources, settings=settings), LONG_SIDE


def make(folder: Path, count: int, seed: int) -> None:
    folder.mkdir(parents=True)
    make_pictures(folder, count, (LONG_SIDE, round(0.75 * LONG_SIDE)), seed=seed)


def compared(name: str, config: Config, long_side: int, out: Path) -> list[str]:
    """The lines of the table: training, labeling, and both."""
    counts = {split: len(read_source(getattr(config.data, split), split=split, labels="ignored")) for split in SPLITS}
    planned = plan(config, **counts, classes=10 if name == "digits" else CLASSES, long_side=long_side)
    training = sum(row["training_seconds"] for row in planned["networks"])
    labeling = planned["seconds"] - training
    run(config, out)
    folder = RunDir(out)
    took = dict.fromkeys(KINDS, 0.0)
    for stage in planned_stages(config):
        if stage.work in KINDS:
            took[stage.work] += folder.record(stage.name)["seconds"]
    both = {"training": (training, took["train"]), "labeling": (labeling, took["label"])}
    both["both"] = (training + labeling, sum(took.values()))
    return [f"| {name} | {kind} | {p:.1f} | {t:.1f} | {p / t:.2f} |" for kind, (p, t) in both.items()]


if __name__ == "__main__":
    main()
