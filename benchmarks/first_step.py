"""How long a run takes until its first training step, by how many files without labels there are, beside listing them.

    python benchmarks/first_step.py --files 100000 1000000

Tiny pictures in a hundred folders, all of the same bytes, and 200 labeled ones. The listing is `os.walk` and a sort of the paths. A run
lists both sources, writes their manifests and looks for identical labeled files until it trains; the seconds that Python and its packages
take to load are left out. In turns, the median of several; the files are in the system's cache.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from seeded_runs import RESULTS

import noisystudent
from noisystudent import configure, progress
from noisystudent.data.digits import write_digits
from noisystudent.stages import networks

FOLDERS = 100
LABELED = 200


class Reached(Exception):
    """A run would train now."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    progress.configure(quiet=True)
    counts = " ".join(map(str, options.files))
    lines = [
        f"`python benchmarks/first_step.py --files {counts} --repeats {options.repeats}`; in turns, median",
        "",
        "| files | listing, s | run until its first step, s | ratio |",
        "|---|---|---|---|",
    ]
    for count in options.files:
        with tempfile.TemporaryDirectory() as folder:
            lines.append(row(Path(folder), count, options.repeats))
        print(lines[-1], flush=True)
    (RESULTS / "first_step.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def row(folder: Path, count: int, repeats: int) -> str:
    write_digits(folder / "images", labels=LABELED, seed=0)
    picture = next((folder / "images" / "test").rglob("*.png")).read_bytes()
    for number in range(FOLDERS):
        (folder / "many" / f"{number:02d}").mkdir(parents=True)
    for number in range(count):
        (folder / "many" / f"{number % FOLDERS:02d}" / f"{number:08d}.png").write_bytes(picture)
    config = configure(
        "digits",
        labeled=str(folder / "images" / "labeled"),
        unlabeled=str(folder / "many"),
        settings=["data.val_fraction=0"],
    )
    listing, first = [], []
    for number in range(repeats + 1):  # the first does not count
        listing.append(seconds(lambda: listed(folder / "many")))
        first.append(seconds(lambda run=folder / f"run-{number}": until_training(config, run)))
    listed_in, reached_in = statistics.median(listing[1:]), statistics.median(first[1:])
    return f"| {count:,} | {listed_in:.2f} | {reached_in:.2f} | {reached_in / listed_in:.1f} |"


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def listed(folder: Path) -> list[str]:
    return sorted(os.path.join(place, name) for place, _, names in os.walk(folder) for name in names)


def until_training(config: noisystudent.Config, folder: Path) -> None:
    def reached(*_: object, **__: object) -> None:
        raise Reached

    train, networks.fit = networks.fit, reached
    try:
        noisystudent.run(config, folder)
    except Reached:
        pass
    finally:
        networks.fit = train


if __name__ == "__main__":
    main()
