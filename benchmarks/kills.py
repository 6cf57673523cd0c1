"""Runs that are killed (SIGKILL) at a random moment after they began, and given again until they end: do they end as if nobody had?

    python benchmarks/kills.py --kills 50
    python benchmarks/kills.py --kills 10 --processes 2
    python benchmarks/kills.py --kills 10 --ray 2

Two generations of a small network on the digits, cross-validated features left out. With `--processes` one of the processes of `torchrun`
is killed, with `--ray` one worker of a Ray of so many; the same number goes on. Compared are the bits of each model, each prediction and
selection, and the table of results but for its times.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
from processes import command_of
from seeded_runs import RESULTS

from noisystudent import configure
from noisystudent.data.digits import write_digits

SETTINGS = [
    *(f"{part}.{setting}" for part in ("teacher", "student") for setting in ("steps=50", "warmup_steps=10")),
    *(
        "execution.checkpoint_seconds=0.5",
        "execution.part_rows=200",
        "execution.device=cpu",
        "robustness=['calibration']",
    ),
]
RAY_WORKER = "RayTrainWorker"  # in its command line
OF_TIME = ("seconds", "cost", "started", "images_per_second")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--ray", type=int, default=0, help="workers of a Ray")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--trial", action="store_true", help="do not keep the table")
    options = parser.parse_args()
    way = "ray" if options.ray else f"processes_{options.processes}" if options.processes > 1 else "one_process"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_config(folder, options.ray)
        run(folder / "whole", options, None)
        usual = time.time() - begun_at(folder / "whole")
        whole = results_of(folder / "whole")
        draw, killed_in, same = random.Random(options.seed), collections.Counter[str](), 0
        while sum(killed_in.values()) < options.kills:
            out = folder / f"killed-{sum(killed_in.values())}"
            stage = run(out, options, draw.uniform(0, usual))
            if stage is None:
                continue  # it was done before
            killed_in[stage] += 1
            same += results_of(out) == whole
            print(f"{sum(killed_in.values())} killed, {same} the same: {stage}", file=sys.stderr)
    command = " ".join(["python", "benchmarks/kills.py", *sys.argv[1:]])
    lines = [
        f"`{command}`; the run takes {usual:.0f} s when nobody kills it",
        "",
        f"{same} of {options.kills} runs that were killed at a random moment ended with the results of the one that was not.",
        "",
        "| killed in | runs |",
        "|---|---|",
        *(f"| {stage} | {count} |" for stage, count in sorted(killed_in.items())),
    ]
    print("\n".join(lines))
    if not options.trial:
        (RESULTS / f"kills_{way}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if same < options.kills:
        raise SystemExit(1)


def write_config(folder: Path, workers: int) -> None:
    write_digits(folder / "digits", labels=20, seed=0)
    sources = {part: str(folder / "digits" / part) for part in ("labeled", "unlabeled", "test")}
    engine = ["execution.engine=ray", f"execution.ray_workers={workers}"] if workers else []
    config = configure("digits", settings=[*SETTINGS, *engine], **sources)
    config = config.model_copy(update={"generations": config.generations[:2]})
    (folder / "config.toml").write_text(config.to_toml(), encoding="utf-8")


def run(out: Path, options: argparse.Namespace, after: float | None) -> str | None:
    """Give the command until it ends; kill the first one so long after it began. The stage then under way, None where it was done."""
    stage = None
    command = command_of(options.processes, out.parent / "config.toml", out)
    for kills in (after is not None, False):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if kills:
            while process.poll() is None and time.time() < begun_at(out) + after:
                time.sleep(0.01)
            if process.poll() is None:
                under_way = stage_of(out)
                with suppress(ProcessLookupError):  # it has just ended by itself, and nobody was killed
                    os.kill(victim(process, options), signal.SIGKILL)
                    stage = under_way
        _, said = process.communicate()
        if process.returncode == 0:
            return stage
    raise SystemExit(f"{out} does not go on:\n{said}")


def begun_at(out: Path) -> float:
    """When a run made its folder, which is not when its processes were started; the future before it does."""
    try:
        return (out / "config.toml").stat().st_mtime
    except FileNotFoundError:
        return time.time()


def victim(process: subprocess.Popen[str], options: argparse.Namespace) -> int:
    """Whom to kill: the process, or any of those that do its work, once there are any."""
    if options.processes == 1 and not options.ray:
        return process.pid
    doing = processes_below(process.pid, RAY_WORKER if options.ray else "noisystudent run")
    return random.Random(process.pid).choice(doing or [process.pid])


def processes_below(pid: int, mark: str) -> list[int]:
    """Those below a process that have `mark` in their command line; one that has just ended has none, waited for or not."""
    found = []
    for child in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if mark in " ".join(child.cmdline()):
                found.append(child.pid)
    return found


def stage_of(out: Path) -> str:
    """Of a run that is under way."""
    begun = sorted(out.glob(".stages/.begun-*.json"), key=lambda path: path.stat().st_mtime)
    if begun:
        return begun[-1].stem.removeprefix(".begun-").replace(".", "/")
    return "between two stages" if any(out.glob(".stages/*.json")) else "before the first stage"


def results_of(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = {
        str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(run.glob("*/model/model.safetensors"))
    }
    for folder in sorted([*run.glob("*/predictions"), *run.glob("*/selection")]):
        found[str(folder.relative_to(run))] = pq.read_table(sorted(folder.glob("*.parquet"))).to_pylist()
    found["results"] = without_times(json.loads((run / "results.json").read_text()), str(run))
    return found


def without_times(value: Any, run: str) -> Any:
    if isinstance(value, dict):
        return {key: without_times(item, run) for key, item in value.items() if key not in OF_TIME}
    if isinstance(value, list):
        return [without_times(item, run) for item in value]
    return value.replace(run, "RUN") if isinstance(value, str) else value


if __name__ == "__main__":
    main()
