"""How long `noisystudent select` takes beside the bare DuckDB query for the surest of each class, on the same predictions.

    python benchmarks/selecting.py --rows 5000000 20000000
    python benchmarks/selecting.py --rows 300000000 --cases cut --turns 1 --table selecting_300m

Predictions of 1,000 classes in parts of 50,000 rows, 70 % of which reach the threshold. Classes are cut to a fifth of an even share, or
filled to twice of it. Each row of the table is a process of its own, of one thread, with 1 GiB for tables; the least processor time of the
turns counts. The bare query ranks the rows of each class in a window, keeps so many and writes them; it fills nothing. Where 1 GiB is too
little for it, it is given more.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import duckdb

from noisystudent.config import Execution, Selection
from noisystudent.data.duckdb_connections import connected
from noisystudent.pseudo.selecting import select

RESULTS = Path(__file__).parent / "results"
CLASSES, PART_ROWS, THRESHOLD = 1_000, 50_000, 0.3
BARE_MEMORY = ("1GiB", "4GiB", "16GiB")  # whichever is enough first
CASES = {"cut": 0.2, "filled": 2.0}  # of an even share of all rows
BARE = """
    COPY (
        SELECT id, label, confidence FROM (
            SELECT id, label, confidence, row_number() OVER (PARTITION BY label ORDER BY confidence DESC, id) AS rank
            FROM '{folder}/part-*.parquet' WHERE confidence >= {threshold}
        ) WHERE rank <= {per_class}
    ) TO '{out}' (FORMAT parquet)
"""


class Measured(NamedTuple):
    """What a process took: seconds of the processor, bytes of memory at most."""

    seconds: float
    peak: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[5_000_000, 20_000_000])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), help="what is done with classes")
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--table", default="selecting", help="its name")
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / "work" / "selecting")
    parser.add_argument("--trial", action="store_true", help="do not keep the table")
    options = parser.parse_args()
    given = ["--rows", *options.rows, "--cases", *options.cases, "--turns", options.turns, "--table", options.table]
    command = f"python benchmarks/selecting.py {' '.join(map(str, given))}"
    head = [
        f"`{command}`; Python {platform.python_version()}, DuckDB {duckdb.__version__}, {platform.machine()}, one thread",
        "",
        "| rows | classes are | mode | processor, s | bare query, s | ratio | memory, GB | of the bare query |",
        "|---|---|---|---|---|---|---|---|",
    ]
    print("\n".join(head))
    lines = [line for rows in options.rows for line in compared(rows, options.cases, options.turns, options.work)]
    if not options.trial:
        (RESULTS / f"{options.table}.md").write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")


def compared(rows: int, cases: list[str], turns: int, work: Path) -> list[str]:
    """The lines of the table for so many predictions."""
    folder = work / str(rows)
    write_predictions(folder, rows)
    lines = []
    for case in cases:
        per_class = round(CASES[case] * rows / CLASSES)
        bare = least(turns, bare_query, folder, per_class)
        for mode in ("exact", "official"):
            ours = least(turns, whole_command, folder, per_class, mode)
            figures = f"{ours.seconds:.1f} | {bare.seconds:.1f} | {ours.seconds / bare.seconds:.2f}"
            peaks = f"{ours.peak / 1e9:.2f} | {bare.peak / 1e9:.2f}"
            lines.append(f"| {rows:,} | {case} | {mode} | {figures} | {peaks} |")
            print(lines[-1], flush=True)
    shutil.rmtree(folder)
    return lines


def write_predictions(folder: Path, rows: int) -> None:
    """As `noisystudent label` writes them, without the columns that `select` does not read."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, start in enumerate(range(0, rows, PART_ROWS)):
        duckdb.execute(
            f"COPY (SELECT printf('%05d/%09d.jpg', i // 10000, i) AS id, (hash(i) % {CLASSES})::INTEGER AS label, "
            f"((hash(i + 7) % 1000000) / 1e6)::FLOAT AS confidence FROM range({start}, {min(start + PART_ROWS, rows)}) t(i)) "
            f"TO '{folder}/part-{number:05d}.parquet' (FORMAT parquet)"
        )


def least(turns: int, work: Callable[..., Measured], *arguments: object) -> Measured:
    """Of some turns, each in a process of its own."""
    found = []
    for _ in range(turns):
        with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
            found.append(pool.submit(work, *arguments).result())
    return min(found)


def whole_command(folder: Path, per_class: int, mode: str) -> Measured:
    out = folder / "chosen"
    shutil.rmtree(out, ignore_errors=True)
    selection = Selection.model_validate({"threshold": THRESHOLD, "per_class": per_class, "mode": mode})
    start = one_thread()
    select(folder, out, selection, execution=Execution(spill_folder=str(folder)))
    return since(start)


def bare_query(folder: Path, per_class: int) -> Measured:
    names = {"folder": folder, "threshold": THRESHOLD, "per_class": per_class, "out": folder / "bare.parquet"}
    for memory in BARE_MEMORY:
        start = one_thread()
        with connected(memory_limit=memory, temp_directory=str(folder / "spilled")) as database:
            try:
                database.execute(BARE.format(**names))
            except duckdb.OutOfMemoryException:
                continue
        return since(start)
    raise SystemExit(f"the bare query of {folder} wants more than {BARE_MEMORY[-1]}")


def one_thread() -> float:
    """Keep this process to one core, for which DuckDB takes one thread."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return time.process_time()


def since(start: float) -> Measured:
    return Measured(time.process_time() - start, 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    main()
