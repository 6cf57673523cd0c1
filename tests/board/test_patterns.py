"""No text stops the board: every pattern of it, on texts that make one that tries again and again run for hours."""

from __future__ import annotations

import ast
import importlib
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import noisystudent.board

ROOT = Path(noisystudent.board.__file__).parent
LENGTH = 30_000  # with the square of it, one text takes seconds and a pattern minutes; with itself, milliseconds
SECONDS = 10.0  # of computing, not of the clock
BLANKS = [" ", "\n", "\t", " \n"]
OTHERS = ["1", "1,111", "a", "a.", "/", "-", "%", "(", "<!--", "---\n", "_", "é", "\\", "0 ", "a/a", "1e1", "§"]


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every pattern of the board: those that are compiled once, and those that stand in a call."""
    for file in sorted(ROOT.rglob("*.py")):
        where = str(file.relative_to(ROOT))
        name = ".".join(("noisystudent.board", *file.relative_to(ROOT).with_suffix("").parts))
        for found in ast.walk(ast.parse(file.read_text())):
            if not (isinstance(found, ast.Call) and isinstance(found.func, ast.Attribute)):
                continue
            if (
                not (isinstance(found.func.value, ast.Name) and found.func.value.id == "re")
                or found.func.attr == "compile"
            ):
                continue
            assert isinstance(found.args[0], ast.Constant), f"{where}, line {found.lineno}: compile it once"
            yield f"{where}:{found.lineno}", re.compile(found.args[0].value, re.IGNORECASE)
        module = importlib.import_module(name.removesuffix(".__init__"))
        for called, value in vars(module).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                yield f"{where}:{called}", value


def pumped(pattern: re.Pattern[str]) -> Iterator[str]:
    """Texts of one piece again and again, between what a match may begin with and what none ends with."""
    words = re.findall(r"[A-Za-z]{2,}[:.]?|[^\w\s]{1,4}", pattern.pattern)
    for piece in dict.fromkeys([*BLANKS, *OTHERS, *words, *(word + " " for word in words)]):
        long = piece * (LENGTH // len(piece))
        for start in ("", "1", "params (", "---\n"):
            yield f"{start}{long}!x"


@pytest.mark.parametrize(("where", "pattern"), [pytest.param(*each, id=each[0]) for each in patterns()])
def test_no_pattern_tries_again(where: str, pattern: re.Pattern[str]) -> None:
    def stop(*_: object) -> None:
        raise AssertionError(f"{where} is not linear")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        for text in pumped(pattern):
            pattern.match(text)
            pattern.fullmatch(text)
            pattern.sub("", text)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
