"""Write docs/commands.md from the help of the commands: `python docs/make_commands.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command
from typer.testing import CliRunner

from noisystudent.cli import app

HEAD = """# Commands

Every command takes `--json` and `--quiet`. Exit status: 0 done; 2 what was given is wrong, and one message names every mistake; 1 anything
else; 130 and 143 after Ctrl-C and SIGTERM.

This page is written by `docs/make_commands.py` from the commands' own help.
"""


def names(group: Any, *before: str) -> Iterator[tuple[str, ...]]:
    """All commands, those of groups by two words."""
    for name, command in group.commands.items():
        yield from names(command, *before, name) if hasattr(command, "commands") else [(*before, name)]


def page() -> str:
    parts = [HEAD.strip()]
    for words in sorted(names(get_command(app)), key=lambda words: (len(words), words)):
        shown = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "80"}, prog_name="noisystudent").output
        parts.append(f"## {' '.join(words)}\n\n```text\n{shown.strip()}\n```")
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("commands.md").write_text(page(), encoding="utf-8")
