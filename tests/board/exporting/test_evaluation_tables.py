"""Evaluation tables go out as they came in: the same bytes for the same catalogue, also after another import."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from made_up_tables import tasks

from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.store import Store
from noisystudent.board.exporting import evaluation_tables
from noisystudent.board.importing import import_file
from noisystudent.errors import UserError

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # stores wait for the disk at the end of each change
Export = Callable[..., bytes]


def small(path: Path) -> bool:
    return path.name != "example_json_format.json"


def test_real_files_come_back_identical(catalogue_files: Path, tmp_path: Path, exported: Export) -> None:
    files = [
        *(catalogue_files / "sota-extractor").glob("*.json"),
        *(catalogue_files / "opencodepapers").glob("svhn*.json"),
    ]
    for file in filter(small, files):
        first, second = (Store(tmp_path / f"{file.stem}{number}.db", create=True) for number in (1, 2))
        import_file(first, file, actor="anna")
        written = tmp_path / "export.json"
        written.write_bytes(exported(first, "evaluation-tables"))
        assert import_file(first, written, actor="anna")["counts"] == {}
        assert import_file(second, written, actor="anna")["lost"] == {}
        assert exported(first, "evaluation-tables") == written.read_bytes()
        assert exported(second, "evaluation-tables") == written.read_bytes()


@pytest.fixture(scope="module")
def new_store(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Store]:
    """A new store, copied from one that was made once."""
    empty = Store(tmp_path_factory.mktemp("empty") / "board.db", create=True).path

    def make(path: Path) -> Store:
        shutil.copy(empty, path)
        return Store(path)

    return make


# An address alone is no paper's, until another row has it with a title.
ADDRESS_FIRST = [
    {
        "task": "A",
        "datasets": [
            {
                "dataset": "D",
                "sota": {
                    "rows": [
                        {"model_name": "M", "paper_url": "https://example.org/a"},
                        {"model_name": "N", "paper_url": "https://example.org/a", "paper_title": "T"},
                    ]
                },
            }
        ],
    }
]
CIRCLE = [
    {"task": "A", "subtasks": [{"task": "B", "subtasks": [{"task": "A"}]}]},
    {
        "task": "C",
        "subtasks": [
            {"task": "B", "datasets": [{"dataset": "D", "sota": {"rows": [{"model_name": "M"}, {"model_name": "M"}]}}]}
        ],
    },
]


@settings(max_examples=40)
@given(document=st.lists(tasks(3), max_size=3))
@example(document=CIRCLE)
@example(document=ADDRESS_FIRST)
def test_whatever_is_read_comes_back_identical(
    new_store: Callable[[Path], Store], exported: Export, document: list[dict[str, Any]]
) -> None:
    with TemporaryDirectory(dir=MEMORY) as name:
        folder = Path(name)
        first, second = new_store(folder / "first.db"), new_store(folder / "second.db")
        (folder / "given.json").write_text(json.dumps(document))
        try:
            import_file(first, folder / "given.json", actor="anna")
        except UserError as error:  # none of its tasks has a name
            if "nothing in it has a place" not in str(error):
                raise
            return
        written = exported(first, "evaluation-tables")
        (folder / "export.json").write_bytes(written)
        lost = import_file(second, folder / "export.json", actor="anna")["lost"]
        assert lost.keys() <= {"leaderboard address"}  # two leaderboards that claim one address go on to do so
        assert exported(second, "evaluation-tables") == written
        assert import_file(first, folder / "given.json", actor="anna")["counts"] == {}
        assert exported(first, "evaluation-tables") == written


def test_the_nesting(store: Store, exported: Export) -> None:
    with store.changing("anna", "add") as change:
        parent, task = change.task("Vision"), change.task("Classification")
        change.insert("task_parent", task_id=task, parent_id=parent)
        dataset = change.dataset("ImageNet")
        board = change.leaderboard(task, change.dataset("V2", dataset))
        change.metric(board, "Accuracy", higher_is_better=True, origin="curated")
        change.metric(board, "Vibes")
        change.add_result(Result(board, "B7", {"Accuracy": "88.4%"}, extra_data=True, paper_date="2019-11-11"))
        change.add_result(Result(board, "Measured", {"Accuracy": "88.3"}, kind="run"))
        change.retire_result(change.add_result(Result(board, "Gone", {"Accuracy": "1"})))
    (found,) = json.loads(exported(store, "evaluation-tables"))
    empty = {"metrics": [], "rows": []}
    row = {
        "model_name": "B7", "paper_title": "", "paper_url": "", "paper_date": "2019-11-11", "code_links": [], "model_links": [],
        "metrics": {"Accuracy": "88.4%"}, "uses_additional_data": True,
    }  # fmt: skip
    nothing = {"description": "", "dataset_links": [], "dataset_citations": []}
    sota = {"metrics": ["Accuracy", "Vibes"], "metric_directions": {"Accuracy": "higher"}, "rows": [row]}
    part = {"subdataset": "V2", **nothing, "sota": sota, "subdatasets": []}
    assert (found["task"], found["datasets"], len(found["subtasks"])) == ("Vision", [], 1)
    assert found["subtasks"][0] == {
        "task": "Classification", "description": "", "categories": [], "synonyms": [], "source_link": None, "subtasks": [],
        "datasets": [
            {"dataset": "ImageNet", **nothing, "sota": empty, "subdatasets": [part]}
        ],
    }  # fmt: skip


def test_a_task_stands_under_each_parent(store: Store, exported: Export) -> None:
    with store.changing("anna", "add") as change:
        child = change.task("Child")
        change.leaderboard(child, change.dataset("D"))
        for name in ("P", "Q"):
            change.insert("task_parent", task_id=child, parent_id=change.task(name))
    found = json.loads(exported(store, "evaluation-tables"))
    assert [task["task"] for task in found] == ["P", "Q"]
    assert found[0]["subtasks"] == found[1]["subtasks"]
    assert found[0]["subtasks"][0]["datasets"][0]["dataset"] == "D"


def test_parents_of_parents_do_not_multiply(store: Store, exported: Export, tmp_path: Path) -> None:
    """Two tasks on each of 14 levels, both under both of the level above: the last ones have 8,192 places."""
    with store.changing("anna", "add") as change:
        levels = [[change.task(f"{level} {side}") for side in "ab"] for level in range(14)]
        for above, below in pairwise(levels):
            for task in below:
                for parent in above:
                    change.insert("task_parent", task_id=task, parent_id=parent)
        change.leaderboard(levels[-1][0], change.dataset("D"))
    written = exported(store, "evaluation-tables")
    (tmp_path / "export.json").write_bytes(written)
    second = Store(tmp_path / "second.db", create=True)
    import_file(second, tmp_path / "export.json", actor="anna")
    assert exported(second, "evaluation-tables") == written
    assert len(written) < evaluation_tables.MOST_PLACES * 28 * 1000


def test_an_empty_catalogue(store: Store, exported: Export) -> None:
    assert exported(store, "evaluation-tables") == b"[]\n"
