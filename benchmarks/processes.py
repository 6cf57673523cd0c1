"""What a second process brings to training and labeling on one machine, beside a second thread, and what eats the difference.

    NOISYSTUDENT_DATA=/path/to/data python benchmarks/processes.py

A teacher and a student of 32-pixel networks of two sizes on CIFAR-10 (2,000 labeled images, 2,000 without labels), by `noisystudent run`:
one process with one thread, one with two threads, two with one each. Images a second of the student's training, evaluations left out,
and of labeling; the best of two runs in turns. `alone` is what two runs of one process reach together, beside each other: two processes
could do as much if they had nothing to say to each other.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from seeded_runs import RESULTS, data_folder

from noisystudent import Config, configure
from noisystudent.config.settings import apply_settings

LABELED, UNLABELED, STEPS = 2_000, 2_000, 30
NETWORKS = ("resnet9_16", "resnet18")
TURNS = 2
# Processes, threads each, and how many such runs at once.
WAYS = {"one": (1, 1, 1), "two threads": (1, 2, 1), "two processes": (2, 1, 1), "alone": (1, 1, 2)}
Speeds = dict[str, tuple[float, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trial", action="store_true", help="do not keep the table")
    options = parser.parse_args()
    lines = [
        f"`python benchmarks/processes.py`; {os.cpu_count()} cores, images a second, the best of {TURNS}",
        "",
        "| network, work | one | two threads | two processes | alone | two processes beside one | beside alone |",
        "|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        write_images(Path(folder))
        for network in NETWORKS:
            found: list[Speeds] = [measured(network, Path(folder) / f"{network}-{turn}") for turn in range(TURNS)]
            for work, name in enumerate(("training", "labeling")):
                best = {way: max(speeds[way][work] for speeds in found) for way in WAYS}
                ratios = [best["two processes"] / best[way] for way in ("one", "alone")]
                row = [f"{speed:,.0f}" for speed in best.values()] + [f"{ratio:.2f}" for ratio in ratios]
                lines.append(f"| {network}, {name} | {' | '.join(row)} |")
    text = "\n".join(lines)
    print(text)
    if not options.trial:
        (RESULTS / "processes.md").write_text(text + "\n", encoding="utf-8")


def write_images(folder: Path) -> None:
    table = pa.concat_tables([pq.read_table(path) for path in sorted(data_folder("cifar10").glob("train-*.parquet"))])
    pq.write_table(table.slice(0, LABELED), folder / "labeled.parquet")
    pq.write_table(table.slice(LABELED, UNLABELED), folder / "unlabeled.parquet")


def measured(network: str, folder: Path) -> Speeds:
    """Images a second of training and of labeling, each way."""
    folder.mkdir()
    (folder / "config.toml").write_text(config_of(network, folder.parent).to_toml(), encoding="utf-8")
    return {way: speeds(folder, way, *how) for way, how in WAYS.items()}


def config_of(network: str, images: Path) -> Config:
    settings = [
        f"data.labeled={images / 'labeled.parquet'}",
        f"data.unlabeled={images / 'unlabeled.parquet'}",
        "baseline=false",
        "execution.device=cpu",
        f"execution.log_steps={STEPS // 3}",
    ]
    parts = [
        f"{part}.{setting}" for part in ("teacher", "student") for setting in (f"model={network}", "model_args={}")
    ]
    config = configure("cifar10")
    config = config.model_copy(update={"generations": config.generations[:1]})
    return apply_settings(
        config, [*settings, *parts, "teacher.steps=10", f"student.steps={STEPS}", "student.warmup_steps=5"]
    )


def speeds(folder: Path, way: str, processes: int, threads: int, runs: int) -> tuple[float, float]:
    """Of several runs at once, the sum."""
    started = []
    for number in range(runs):
        out = folder / f"{way}-{number}".replace(" ", "-")
        command = command_of(processes, folder / "config.toml", out)
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        started.append((out, subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)))
    for _, process in started:
        if process.wait():
            raise SystemExit(process.returncode)
    found = [speeds_of(out) for out, _ in started]
    return sum(training for training, _ in found), sum(labeling for _, labeling in found)


def command_of(processes: int, config: Path, out: Path) -> list[str]:
    """The command of a run in so many processes."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    run = ["-m", "noisystudent", "run", "--config", str(config), "--out", str(out), "--quiet"]
    return [sys.executable, *(launcher if processes > 1 else []), *run]


def speeds_of(run: Path) -> tuple[float, float]:
    lines = [json.loads(line) for line in (run / "gen-1" / "metrics.jsonl").read_text().splitlines()]
    training = max(line["images_per_second"] for line in lines if "images_per_second" in line)
    labeling = json.loads((run / ".stages" / "gen-1.label.json").read_text())["seconds"]
    return training, UNLABELED / labeling


if __name__ == "__main__":
    main()
