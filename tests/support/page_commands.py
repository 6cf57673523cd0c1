"""The commands of a page of the documentation, as a reader would give them."""

from __future__ import annotations

import glob
import re
import shlex
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PROGRAMS = ("noisystudent", "python", "torchrun")
COMMAND = re.compile(rf"^ {{4}}((?:{'|'.join(PROGRAMS)}) .+)$", re.MULTILINE)


class PageCommand(NamedTuple):
    """A line of a page: program, arguments, and where its output goes."""

    line: str
    words: tuple[str, ...]
    output: str

    @property
    def out(self) -> str:
        """What follows `--out`."""
        return self.words[self.words.index("--out") + 1] if "--out" in self.words else ""


def commands(page: Path) -> list[PageCommand]:
    """All indented lines of a page that begin with a program of ours, comments and redirections taken off."""
    found = []
    for line in COMMAND.findall(page.read_text(encoding="utf-8")):
        line = line.partition("  #")[0].strip()
        command, _, output = line.partition(" > ")
        found.append(PageCommand(line, tuple(shlex.split(command)), output.strip()))
    return found


def expanded(words: tuple[str, ...], folder: Path) -> list[str]:
    """The words with patterns replaced by the files that match in the folder, as a shell does; the pages quote those of shards."""
    found: list[str] = []
    for word in words:
        here = sorted(glob.glob(word, root_dir=folder)) if "*" in word and not word.endswith(".tar") else []
        found += here or [word]
    return found
