"""Whether a test that a page names is there."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).parents[2]


@functools.cache
def tests_of(file: Path) -> frozenset[str]:
    """The names of the tests of a file, those within classes too."""
    if not file.is_file():
        return frozenset()
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    functions = (node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def is_there(name: str) -> bool:
    """Of `tests/pseudo/test_select.py::test_name`.

    Example:
        >>> is_there("tests/test_docs.py::test_nothing_of_the_kind")
        False
    """
    file, _, test = name.partition("::")
    return test in tests_of(ROOT / file)
