"""FixMatch on the images of our runs, and its table beside our chain: what the benchmarks that compare with it share."""

from __future__ import annotations

import json
import subprocess
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from seeded_runs import difference_line, difference_table, top1

from noisystudent import Config

FIXMATCH = Path(__file__).parent / "peers" / "fixmatch.py"
FIXMATCH_NAME = "FixMatch (semilearn 0.3.2)"
PYTHON_OPTION = {"--fixmatch-python": "a Python that has semilearn; without it there is no FixMatch"}


def command_of(options: Namespace) -> str:
    """The command as the results say it: where somebody's Python is, is nobody else's business."""
    with_python: str = options.command + (" --fixmatch-python PYTHON" if options.fixmatch_python else "")
    return with_python


def fixmatch(
    python: str, run: Path, length: Sequence[str], settings: Sequence[str] = (), *, name: str
) -> dict[str, Any]:
    """Accuracy and time of FixMatch on the images of one of our runs; its answer is kept beside the run's folder, under that name.

    Args:
        python: one that has semilearn.
        run: the run folder.
        length: `--seconds S` or `--passes N`.
        settings: of the last student's training, changed.
        name: of the file's ending.
    """
    kept = run.with_suffix(f".{name}.json")
    if not kept.exists():
        changed = [word for setting in settings for word in ("--set", setting)]
        command = [python, str(FIXMATCH), "--config", str(run / "config.toml"), *length, *changed]
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        kept.write_text(json.dumps(json.loads(answer.splitlines()[-1])) + "\n")
    found: dict[str, Any] = json.loads(kept.read_text())
    return found


def chain_seconds(run: dict[str, Any]) -> float:
    """Training time of the teacher and all students."""
    return float(sum(row["seconds"] for row in run["rows"] if row["name"] != "baseline"))


def chain_passes(config: Config) -> int:
    """How many images pass through the teacher and all students in training."""
    trainings = [config.teacher, *(generation.student for generation in config.generations)]
    return sum(training.steps * (training.batch_size + training.unlabeled_batch_size) for training in trainings)


def peer_tables(runs: list[dict[str, Any]], found: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    """Markdown: the last students of our runs beside other tools, and the paired differences.

    Args:
        runs: of the recipe, one a seed.
        found: by method, `top1` and `seconds` of each seed.
    """
    last = top1(runs, "last student")
    ours = [{"top1": accuracy, "seconds": chain_seconds(run)} for accuracy, run in zip(last, runs, strict=True)]
    lines = ["| method | top-1 % | sd | lowest | seconds | n |", "|---|---|---|---|---|---|"]
    for name, answers in {"noisystudent, last student": ours, **found}.items():
        values = np.array([answer["top1"] for answer in answers])
        sd = f"{values.std(ddof=1):.1f}" if len(values) > 1 else "-"
        seconds = np.mean([answer["seconds"] for answer in answers])
        lines.append(f"| {name} | {values.mean():.1f} | {sd} | {values.min():.1f} | {seconds:.1f} | {len(values)} |")
    if not any(name.startswith(FIXMATCH_NAME) for name in found):
        lines.append(f"| {FIXMATCH_NAME}: left out, no `--fixmatch-python` | | | | | |")
    differences = [
        difference_line(f"last student - {name}", last, np.array([answer["top1"] for answer in answers]))
        for name, answers in found.items()
    ]
    return ["\n".join(lines), difference_table(differences)]
