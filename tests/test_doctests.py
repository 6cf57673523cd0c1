"""The examples of every module run as they are written."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import noisystudent

# Examples that need the reader's own files; all others are run.
NEED_FILES = {
    "noisystudent.data.decoding.decode",
    "noisystudent.data.digits.write_digits",
    "noisystudent.data.images.ImageSet",
    "noisystudent.data.on_device.OnDevice",
    "noisystudent.data.shards.ShardCache",
    "noisystudent.data.sources.read_source",
    "noisystudent.exporting.forms.export",
    "noisystudent.report.headline.headline",
    "noisystudent.report.html.write_report",
    "noisystudent.report.predictions.opened",
    "noisystudent.report.run_reader.read_run",
}

ROOT = Path(noisystudent.__file__).parent
MODULES = sorted(module.name for module in pkgutil.walk_packages([str(ROOT)], "noisystudent."))


def test_no_module_is_left_out() -> None:
    files = {".".join(("noisystudent", *path.relative_to(ROOT).with_suffix("").parts)) for path in ROOT.rglob("*.py")}
    packages = {name.removesuffix(".__init__") for name in files}
    assert set(MODULES) | {"noisystudent"} == packages


@pytest.mark.parametrize("name", ["noisystudent", *MODULES])
def test_examples_are_true(name: str) -> None:
    module = importlib.import_module(name)
    tests = doctest.DocTestFinder(exclude_empty=True).find(module)
    skipped = {test.name for test in tests for example in test.examples if example.options.get(doctest.SKIP)}
    assert skipped <= NEED_FILES
    results = doctest.testmod(module)
    assert results.failed == 0
