"""Where each measured figure of README, pages and recipes comes from: the results file, and the command that wrote it.

    python benchmarks/check.py

A figure stands in a results file that the same row of a table, or else the same section or docstring, links; as it is, or as the
difference of two that the text names. The program ends with status 1 where one does not, which a test holds too.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "benchmarks" / "README.md"]
RECIPES = [ROOT / "src" / "noisystudent" / "recipes" / name for name in ("photos.py", "small_images.py")]
FIGURE = re.compile(r"(?<![\w.])\d[\d,]*\.\d+(?!\.\d)")
RESULTS = re.compile(r"\]\(([^)]*results/[\w.]+\.md)\)")
NAMED_RESULTS = re.compile(r"benchmarks/results/[\w.]+\.md")  # in a docstring, from the root of the repository


class Figure(NamedTuple):
    """A figure of a page, and the results files that have it; none when it is nowhere."""

    page: Path
    text: str
    files: list[Path]

    @property
    def commands(self) -> list[str]:
        """What wrote the files: each says it in its first line."""
        lines = [file.read_text(encoding="utf-8").splitlines()[0] for file in self.files]
        return [line.split("`")[1] if "`" in line else line for line in lines]


def figures_of(page: Path) -> list[Figure]:
    """The figures of a page that stand in a row or a section with results."""
    found = []
    for block, files in blocks_with_results(page):
        known = {file: set(FIGURE.findall(file.read_text(encoding="utf-8"))) for file in files}
        named = list(dict.fromkeys(FIGURE.findall(block)))
        there = [float(text.replace(",", "")) for text in named if any(text in figures for figures in known.values())]
        differences = {f"{abs(first - second):.1f}" for first in there for second in there}
        for text in named:
            having = [file for file, figures in known.items() if text in figures]
            found.append(Figure(page, text, having or (files if text in differences else [])))
    return found


def blocks_with_results(page: Path) -> list[tuple[str, list[Path]]]:
    """The text of each row of a table, of each section, or of each function's docstring, that links results, and these."""
    if page.suffix == ".py":
        functions = [
            node for node in ast.parse(page.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)
        ]
        texts = [ast.get_docstring(function) or "" for function in functions]
        return [(text, [ROOT / path for path in NAMED_RESULTS.findall(text)]) for text in texts if FIGURE.search(text)]
    text = re.sub(r"`[^`]*`", "", page.read_text(encoding="utf-8"))
    rows = [line for line in text.splitlines() if line.startswith("|") and RESULTS.search(line)]
    rest = "\n".join(line for line in text.splitlines() if line not in rows)
    blocks = [*rows, *re.split(r"^#+ ", rest, flags=re.MULTILINE)]
    return [
        (RESULTS.sub("", block), [page.parent / target for target in RESULTS.findall(block)])
        for block in blocks
        if RESULTS.search(block)
    ]


def main() -> None:
    figures = [figure for page in [*PAGES, *RECIPES] for figure in figures_of(page)]
    for figure in figures:
        where = "; ".join(
            f"{file.name}: {command}" for file, command in zip(figure.files, figure.commands, strict=True)
        )
        print(f"{figure.page.relative_to(ROOT)}: {figure.text}: {where or 'NOWHERE'}")
    sys.exit(any(not figure.files for figure in figures))


if __name__ == "__main__":
    main()
