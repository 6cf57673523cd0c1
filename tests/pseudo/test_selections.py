"""The folder of a selection is read as it was written; what is missing is named."""

from pathlib import Path

import pyarrow as pa
import pytest

from noisystudent.config import Selection
from noisystudent.errors import UserError
from noisystudent.pseudo.select import choose
from noisystudent.pseudo.selections import read_selection, read_summary, summary_of, write_selection

PREDICTIONS = pa.table({"id": ["a", "b", "ü\n"], "label": [0, 0, 1], "confidence": [0.9, 0.2, 0.8]})


def test_a_selection_is_read_as_it_was_written(tmp_path: Path) -> None:
    selected = choose(PREDICTIONS, Selection(threshold=0.3), classes=2, seed=0)
    summary = summary_of(selected, ["cat", "dog"], teacher={"model": "t"}, predictions="../p", threshold=0.3, seed=0)
    write_selection(tmp_path / "s", selected, summary)
    saved = read_selection(tmp_path / "s")
    assert saved.summary == summary == read_summary(tmp_path / "s")
    assert saved.table.equals(selected.table)
    assert [(row["name"], row["kept"]) for row in saved.summary["classes"]] == [("cat", 1), ("dog", 1)]
    assert read_selection(tmp_path / "s").digest == saved.digest


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    assert read_summary(tmp_path) is None
    with pytest.raises(UserError, match=r"has no selection\.json and no selection\.parquet: `noisystudent select`"):
        read_selection(tmp_path)
