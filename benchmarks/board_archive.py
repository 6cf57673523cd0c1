"""How long the whole archive takes to import, and in how much memory.

    python benchmarks/board_archive.py --work FOLDER            # about 10 minutes, 5 GB of disk
    python benchmarks/board_archive.py --work FOLDER --scale 0.01 --trial

A synthetic archive of the real one's size is written to FOLDER/archive-SCALE (once) and imported into a new FOLDER/board-SCALE.db, each
file in a process of its own, whose largest resident memory is measured; it includes those pages of the store that are mapped.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import sqlite3
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from synthetic_archive import DUMPS, Archive, Size, write

from noisystudent.board.catalogue.store import Store
from noisystudent.board.importing import import_file

RESULTS = Path(__file__).parent / "results"
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Import:
    """One file's import."""

    file: Path
    seconds: float
    memory: int  # bytes
    counts: dict[str, int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / "work" / "board")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the archive's size (default 1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--trial", action="store_true", help="do not keep the table")
    options = parser.parse_args()
    machine = about(f"python benchmarks/board_archive.py --scale {options.scale:g} --seed {options.seed}")
    files = archive(options.work / f"archive-{options.scale:g}", options.scale, options.seed)
    store = options.work / f"board-{options.scale:g}.db"
    for path in (store, store.with_name(f"{store.name}-wal"), store.with_name(f"{store.name}-shm")):
        path.unlink(missing_ok=True)
    Store(store, create=True)
    imports = [in_its_own_process(file, store) for file in files]
    text = f"{machine}\n\n{table(imports, store)}\n"
    print(text)
    if not options.trial:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "board_import.md").write_text(text, encoding="utf-8")


def archive(folder: Path, scale: float, seed: int) -> list[Path]:
    """The five files, written if they are not all there."""
    files = [folder / f"{name}.json.gz" for name in DUMPS]
    if not all(file.exists() for file in files):
        write(Archive(Size().scaled(scale) if scale != 1 else Size(), seed), folder)
    return files


def in_its_own_process(file: Path, store: Path) -> Import:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(measured, file, store).result()


def measured(file: Path, store: Path) -> Import:
    start = time.monotonic()
    report: dict[str, Any] = import_file(Store(store), file, actor="benchmark")
    seconds = time.monotonic() - start
    lost = sum(kind["count"] for kind in report["lost"].values())
    return Import(
        file, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, report["counts"] | {"lost": lost}
    )


def table(imports: list[Import], store: Path) -> str:
    """Markdown: what each import took, all of them, and the store."""
    shown = ("paper", "author", "method", "dataset", "task", "leaderboard", "result", "repository", "paper_repository")
    lines = ["| file | packed, MB | seconds | peak memory, MB | new rows | lost |", "|---|---|---|---|---|---|"]
    for done in imports:
        rows = ", ".join(f"{done.counts[name]:,} {name}" for name in shown if done.counts.get(name))
        lines.append(
            f"| {done.file.name.removesuffix('.json.gz')} | {done.file.stat().st_size / MEGABYTE:.0f} | {done.seconds:.1f} "
            f"| {done.memory / MEGABYTE:.0f} | {rows} | {done.counts['lost']:,} |"
        )
    packed = sum(done.file.stat().st_size for done in imports) / MEGABYTE
    seconds, memory = sum(done.seconds for done in imports), max(done.memory for done in imports)
    lines.append(f"| all | {packed:.0f} | {seconds:.1f} | {memory / MEGABYTE:.0f} | | |")
    return "\n".join([*lines, "", f"The store is {store.stat().st_size / MEGABYTE:,.0f} MB."])


def about(command: str) -> str:
    """What a reader needs to know of the machine."""
    return (
        f"`{command}`; Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.machine()}, "
        f"{os.cpu_count()} cores"
    )


if __name__ == "__main__":
    main()
