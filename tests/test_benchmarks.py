"""The benchmarks begin: what they import of the package is there. (What they measure takes too long for a test.)"""

import importlib
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.parametrize("name", sorted(file.stem for file in FOLDER.glob("*.py")))
def test_a_benchmark_can_be_imported(name: str) -> None:
    importlib.import_module(name)
