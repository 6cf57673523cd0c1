from pathlib import Path

import pyarrow as pa
import pytest

from noisystudent.errors import UserError
from noisystudent.evaluation.cells import Cells


def test_a_cell_is_made_once(tmp_path: Path) -> None:
    made: list[int] = []

    def make() -> pa.Table:
        made.append(1)
        return pa.table({"id": ["a"]})

    for _ in range(2):
        cells = Cells(tmp_path / "cells", {"model": "m"})
        assert cells.table("snow-1", make).equals(pa.table({"id": ["a"]}))
        assert cells.done("snow-1")
    assert made == [1]
    assert not cells.done("snow-2")


def test_nothing_is_kept_without_a_folder() -> None:
    made: list[int] = []
    cells = Cells(None, {})
    for _ in range(2):
        cells.table("a", lambda: made.append(1) or pa.table({"id": ["a"]}))
    assert len(made) == 2
    assert not cells.done("a")


def test_cells_of_something_else_are_refused(tmp_path: Path) -> None:
    Cells(tmp_path, {"model": "m", "seed": 0})
    Cells(tmp_path, {"model": "m", "seed": 0})
    with pytest.raises(UserError, match="give another --out"):
        Cells(tmp_path, {"model": "m", "seed": 1})


def test_a_cell_that_fails_leaves_nothing(tmp_path: Path) -> None:
    cells = Cells(tmp_path, {})

    def fail() -> pa.Table:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        cells.table("a", fail)
    assert not cells.done("a")
    assert [path.name for path in tmp_path.iterdir()] == ["identity.json"]
