"""The public API: few names, all listed, all that their signatures need, quick to import."""

import inspect
import subprocess
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import noisystudent as ns

FUNCTIONS = [name for name in ns.__all__ if inspect.isfunction(getattr(ns, name))]
CLASSES = [name for name in ns.__all__ if inspect.isclass(getattr(ns, name))]
# A configuration is put together by `configure`, and settings are named in text: its sections need no names here.
OF_SECTIONS = {"Config", "Execution", "Selection"}


def test_there_are_few_names_and_all_are_listed() -> None:
    assert len(ns.__all__) <= 20
    assert ns.__all__ == sorted(ns.__all__)
    assert dir(ns) == sorted([*ns.__all__, "__version__"])
    assert set(FUNCTIONS) | set(CLASSES) == set(ns.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'predcit'"):
        ns.predcit  # noqa: B018


def classes_in(hint: Any) -> Iterator[type]:
    if isinstance(hint, types.GenericAlias) or typing.get_origin(hint) is not None:
        for argument in typing.get_args(hint):
            yield from classes_in(argument)
    elif isinstance(hint, type):
        yield hint


def signatures() -> Iterator[tuple[str, Any]]:
    for name in FUNCTIONS:
        yield name, getattr(ns, name)
    for name in CLASSES:
        for attribute, value in vars(getattr(ns, name)).items():
            if inspect.isfunction(value) and (not attribute.startswith("_") or attribute == "__init__"):
                yield f"{name}.{attribute}", value


@pytest.mark.parametrize(
    ("name", "function"), [pair for pair in signatures() if pair[0].split(".")[0] not in OF_SECTIONS]
)
def test_every_type_that_a_signature_needs_is_exported(name: str, function: Any) -> None:
    hints = typing.get_type_hints(function)
    ours = {
        found for hint in hints.values() for found in classes_in(hint) if found.__module__.startswith("noisystudent")
    }
    assert [found.__name__ for found in ours if getattr(ns, found.__name__, None) is not found] == []


@pytest.mark.parametrize(("name", "function"), list(signatures()))
def test_where_a_path_is_taken_so_is_its_text(name: str, function: Any) -> None:
    hints = typing.get_type_hints(function)
    hints.pop("return", None)
    for argument, hint in hints.items():
        found = set(classes_in(hint))
        assert str in found or Path not in found, f"{name}({argument}: {hint})"


@pytest.mark.parametrize("name", ns.__all__)
def test_every_name_is_explained(name: str) -> None:
    assert len(inspect.getdoc(getattr(ns, name)) or "") > 20


def test_importing_loads_nothing_slow() -> None:
    program = (
        "import sys, noisystudent; print(*sorted({'torch', 'numpy', 'pyarrow', 'pydantic', 'rich'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""
