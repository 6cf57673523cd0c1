"""From a folder of predictions to that of a selection, and what is refused on the way."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noisystudent.config import Execution, Selection
from noisystudent.errors import UserError
from noisystudent.pseudo.selecting import reassign, select


def predictions(folder: Path, teacher: bool = True) -> Path:
    folder.mkdir()
    table = {
        "id": ["a", "b", "c", "d"],
        "label": pa.array([0, 1, 1, 1], pa.int32()),
        "confidence": pa.array([0.9, 0.8, 0.6, 0.2], pa.float32()),
    }
    pq.write_table(pa.table(table), folder / "part-00000.parquet")
    if teacher:
        (folder / "teacher.json").write_text(json.dumps({"class_names": ["cat", "dog", "fox"], "model": "t"}))
    return folder


def test_select_writes_the_selection_and_its_summary(tmp_path: Path) -> None:
    folder = predictions(tmp_path / "predictions")
    summary = select(folder, tmp_path / "out", Selection(threshold=0.5, per_class=2), seed=3)
    rows = pq.read_table(tmp_path / "out" / "selection.parquet").to_pylist()
    assert [(row["id"], row["label"], row["copies"]) for row in rows] == [("a", 0, 2), ("b", 1, 1), ("c", 1, 1)]
    assert json.loads((tmp_path / "out" / "selection.json").read_text()) == summary
    assert [(row["name"], row["candidates"], row["kept"], row["rows"]) for row in summary["classes"]] == [
        ("cat", 1, 1, 2),
        ("dog", 3, 2, 2),
        ("fox", 0, 0, 0),
    ]
    assert (summary["threshold"], summary["per_class"], summary["seed"]) == (0.5, 2, 3)
    assert summary["teacher"]["model"] == "t"


def test_select_needs_no_more_than_a_table(tmp_path: Path) -> None:
    summary = select(predictions(tmp_path / "p", teacher=False), tmp_path / "out", Selection())
    assert [row["name"] for row in summary["classes"]] == ["0", "1"]


def test_a_selection_of_nothing_is_the_users_mistake_and_leaves_nothing(tmp_path: Path) -> None:
    folder = predictions(tmp_path / "p")
    with pytest.raises(UserError, match=r"reaches the threshold 0\.95"):
        select(folder, tmp_path / "out", Selection(threshold=0.95))
    assert not (tmp_path / "out").exists()
    with pytest.raises(UserError, match="has no predictions"):
        select(tmp_path, tmp_path / "out", Selection())


def test_a_selection_of_other_settings_is_not_replaced(tmp_path: Path) -> None:
    folder = predictions(tmp_path / "p")
    first = select(folder, tmp_path / "out", Selection(threshold=0.5))
    assert select(folder, tmp_path / "out", Selection(threshold=0.5)) == first
    with pytest.raises(UserError, match="holds another selection"):
        select(folder, tmp_path / "out", Selection(threshold=0.7))
    assert json.loads((tmp_path / "out" / "selection.json").read_text()) == first


def test_a_reassigned_selection_serves_a_student_and_names_its_teacher(tmp_path: Path) -> None:
    old, new = predictions(tmp_path / "old"), predictions(tmp_path / "new")
    table = pq.read_table(new / "part-00000.parquet").to_pydict()
    table |= {"label": pa.array([2, 1, 0, 1], pa.int32()), "confidence": pa.array([0.3, 0.4, 0.5, 0.9], pa.float32())}
    pq.write_table(pa.table(table), new / "part-00000.parquet")
    before = select(old, tmp_path / "selection", Selection(threshold=0.5, per_class=2), seed=3)
    summary = reassign(new, tmp_path / "selection", tmp_path / "out")
    rows = pq.read_table(tmp_path / "out" / "selection.parquet").to_pylist()
    assert [(row["id"], row["label"], row["copies"]) for row in rows] == [("a", 2, 2), ("b", 1, 1), ("c", 0, 1)]
    assert summary["predictions"] == str(new)
    assert {key: summary[key] for key in ("threshold", "per_class", "seed")} == {
        key: before[key] for key in ("threshold", "per_class", "seed")
    }
    assert json.loads((tmp_path / "out" / "selection.json").read_text()) == summary
    (new / "teacher.json").write_text(json.dumps({"class_names": ["dog", "cat", "fox"]}))
    with pytest.raises(UserError, match="in this order, and those of --predictions"):
        reassign(new, tmp_path / "selection", tmp_path / "other")


def test_predictions_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    folder = predictions(tmp_path / "p", teacher=False)
    pq.write_table(pa.table({"id": ["a"]}), folder / "part-00000.parquet")
    with pytest.raises(UserError, match="no column label, confidence; there are id"):
        select(folder, tmp_path / "out", Selection())
    (folder / "part-00000.parquet").write_bytes(b"no table")
    with pytest.raises(UserError, match=r"the predictions in .* cannot be read"):
        select(folder, tmp_path / "out", Selection())
    assert not (tmp_path / "out").exists()


def test_memory_and_the_folder_for_more_change_nothing_of_a_selection(tmp_path: Path) -> None:
    folder = predictions(tmp_path / "p")
    first = select(folder, tmp_path / "out", Selection(per_class=3))
    table = (tmp_path / "out" / "selection.parquet").read_bytes()
    small = Execution(table_memory_gib=0.1, spill_folder=str(tmp_path))
    assert select(folder, tmp_path / "out", Selection(per_class=3), execution=small) == first
    assert (tmp_path / "out" / "selection.parquet").read_bytes() == table
    assert reassign(folder, tmp_path / "out", tmp_path / "again", execution=small)["classes"] == first["classes"]
    with pytest.raises(UserError, match="spill_folder"):
        select(folder, tmp_path / "out", Selection(), execution=Execution(spill_folder=str(tmp_path / "nowhere")))
