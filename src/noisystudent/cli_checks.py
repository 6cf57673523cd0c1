"""What a command is told, read and checked before PyTorch is loaded, which takes seconds."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from noisystudent.config import Config, Execution
from noisystudent.config.reading import validate
from noisystudent.errors import UserError


def check_sources(chosen: Config, out: Path | None, *, missing_out: bool = False) -> None:
    """Say which sources of a run are missing."""
    from noisystudent.configuration import absent_sources, missing_sources

    begun = out is not None and (out / "config.toml").exists()  # what has changed since then is told by the run itself
    problems = missing_sources(chosen) + ([] if begun else absent_sources(chosen))
    if missing_out:
        problems.append("--out is missing: a new folder for the run, an empty one, or one to go on with")
    if problems:
        raise UserError(problems)


def check_there(model: str, **sources: str | list[str]) -> None:
    """Say which model or images are missing."""
    from noisystudent.data.patterns import absent_of
    from noisystudent.rundir import folder_called

    several = {name: [given] if isinstance(given, str) else given for name, given in sources.items() if given}
    problems = [f"--{name}: {problem}" for name, given in several.items() if (problem := absent_of(given))]
    try:
        folder_called(model)
    except UserError as problem:
        problems = [f"--model: {problem}", *problems]
    if problems:
        raise UserError(problems)


def check_answerable(model: str, images: list[str], out: str, *, val: str = "", format: str | None = None) -> None:
    """The same of a command that writes rows about images, and of where it writes them; `format`, where none is to be given."""
    from noisystudent.inference.row_files import check_row_file

    if format:
        raise UserError(
            f"--format {format} is for standard output: a file's ending says its own, and --json is one object"
        )
    if not images:
        raise UserError("no images were named: give files, folders, tables or shards, or --images SRC")
    if out:
        check_row_file(Path(out))
    check_there(model, images=images, val=val)


def check_results(out: Path, model: str, data: str) -> None:
    """Refuse to replace a file, unless it is what the same command wrote, which measures more or goes on."""
    from noisystudent.rundir import check_output_file

    check_output_file(out)
    if not out.exists():
        return
    try:
        found = json.loads(out.read_text(encoding="utf-8"))
        asked = [found["provenance"]["model"], found["data"]]
    except (OSError, ValueError, KeyError, TypeError):
        asked = []
    if asked != [os.path.expanduser(model), os.path.expanduser(data)]:
        raise UserError(
            f"--out {out} is there already, and holds no results of this model on these images: give another name, or delete it"
        )


def named_images(images: str, sources: list[str] | None) -> list[str]:
    """The sources of images in their order, `-` replaced by those that standard input lists."""
    from noisystudent.data.patterns import listed

    named = [*([images] if images else []), *(sources or [])]
    if "-" not in named:
        return named
    at = named.index("-")
    return [*named[:at], *listed(sys.stdin.buffer), *named[at + 1 :]]


def execution_of(device: str, precision: str = "fp32") -> Execution:
    """How to compute, from `--device` and `--precision`."""
    return validate({"device": device, "labeling_precision": precision}, Execution, where="--device")


def tables_of(memory: float, spill_folder: Path | None) -> Execution:
    """How tables are worked on, from `--memory` and `--spill-folder`."""
    given = {"table_memory_gib": memory, "spill_folder": os.fspath(spill_folder or "")}
    return validate(given, Execution, where="--memory, --spill-folder")
