"""How much memory a whole run takes, by the number of images without labels.

    python benchmarks/memory.py

Random pictures of 32 pixels in Parquet shards, 1,000 classes with two labels each, a small network; a teacher and a student, which learns
from every pseudo-label, all probabilities of which are kept. A quarter of a GiB may hold images: 10^5 of them, decoded, are more. Looked
at ten times a second is the memory that belongs to the process alone: pages of files that the system could drop are not counted.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from board_hostile import MEGABYTE, own_memory
from kills import stage_of
from matplotlib.figure import Figure
from PIL import Image
from processes import command_of
from seeded_runs import RESULTS

from noisystudent import configure

CLASSES, LABELS, SIZE = 1000, 2, 32
SHARD, GROUP = 100_000, 1000  # rows
EVERY = 0.1  # seconds between two looks
SHORT = ["model=resnet8_16", "steps=100", "warmup_steps=10"]  # a training


class Taken(NamedTuple):
    """By a run: bytes at most in each of its stages, in their order, and seconds."""

    stages: dict[str, int]
    seconds: float

    @property
    def most(self) -> int:
        return max(self.stages.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--trial", action="store_true", help="do not keep the table")
    options = parser.parse_args()
    found: list[Taken] = []
    for count in options.images:
        with tempfile.TemporaryDirectory() as folder:
            write_pictures(Path(folder), count)
            found.append(run(Path(folder)))
            print(f"{count:,} images: {found[-1]}", file=sys.stderr)
    lines = table(options.images, found)
    print("\n".join(lines))
    if not options.trial:
        (RESULTS / "memory.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
        plot(options.images, found).savefig(RESULTS / "memory.svg", metadata={"Date": None})


def write_pictures(folder: Path, count: int) -> None:
    draw = np.random.default_rng(0)
    (folder / "unlabeled").mkdir()
    for first in range(0, count, SHARD):
        shard = pa.table({"image": [picture(draw) for _ in range(first, min(first + SHARD, count))]})
        pq.write_table(shard, folder / "unlabeled" / f"{first // SHARD:04d}.parquet", row_group_size=GROUP)
    names = [f"class {number:03d}" for number in range(CLASSES)] * LABELS
    pq.write_table(pa.table({"image": [picture(draw) for _ in names], "label": names}), folder / "labeled.parquet")


def picture(draw: np.random.Generator) -> bytes:
    """A JPEG file; no two are near duplicates."""
    data = io.BytesIO()
    coarse = draw.integers(0, 256, (SIZE // 4, SIZE // 4, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((SIZE, SIZE)).save(data, "JPEG", quality=75)
    return data.getvalue()


def run(folder: Path) -> Taken:
    out = folder / "run"
    config = configure(
        "cifar10",
        labeled=str(folder / "labeled.parquet"),
        unlabeled=str(folder / "unlabeled"),
        settings=[
            "baseline=false",
            "robustness=[]",
            "data.val_fraction=0",
            *(f"{part}.{setting}" for part in ("teacher", "student") for setting in SHORT),
            "generation.mirrored=false",
            "execution.memory_gib=0.25",
            "select.threshold=0",
            "select.per_class=0",
        ],
    )
    config = config.model_copy(update={"generations": config.generations[:1]})
    (folder / "config.toml").write_text(config.to_toml(), encoding="utf-8")
    command = command_of(1, folder / "config.toml", out)
    began, stages = time.monotonic(), dict[str, int]()
    with subprocess.Popen(command) as process:
        while process.poll() is None:
            stage = stage_of(out)
            stages[stage] = max(stages.get(stage, 0), own_memory(str(process.pid)))
            time.sleep(EVERY)
    if process.returncode:
        raise SystemExit(f"a run ended with {process.returncode}")
    return Taken(stages, time.monotonic() - began)


def table(images: list[int], found: list[Taken]) -> list[str]:
    """Markdown: a row for each stage, then the most of all and the seconds."""
    lines = [
        f"`python benchmarks/memory.py`; {CLASSES:,} classes, {CLASSES * LABELS:,} labels; MB of the process alone at most in each stage,"
        " by the number of images without labels",
        "",
        "| stage | " + " | ".join(f"{count:,}" for count in images) + " |",
        "|---|" + "---|" * len(images),
    ]
    for stage in found[-1].stages:
        lines.append(row(stage, [run.stages.get(stage, 0) / MEGABYTE for run in found]))
    most, seconds = [run.most / MEGABYTE for run in found], [run.seconds for run in found]
    return [*lines, row("**most**", most), row("seconds", seconds)]


def row(name: str, values: list[float]) -> str:
    return f"| {name} | " + " | ".join(f"{value:,.0f}" for value in values) + " |"


def plot(images: list[int], found: list[Taken]) -> Figure:
    figure = Figure(figsize=(5, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot(images, [run.most / MEGABYTE for run in found], marker="o")
    axes.set(xscale="log", xlabel="images without labels", ylabel="MB at most", ylim=(0, None))
    return figure


if __name__ == "__main__":
    main()
