"""Files that come in parts: what is in the history, what others do between two parts, what a kill leaves."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from noisystudent.board.catalogue.change import Change, Result
from noisystudent.board.catalogue.check import check
from noisystudent.board.catalogue.history import restore, taken_back_by
from noisystudent.board.catalogue.removal import remove
from noisystudent.board.catalogue.store import Store
from noisystudent.board.exporting import FORMATS
from noisystudent.board.importing import import_file, parts
from noisystudent.board.submitting.submissions import approve, submit
from noisystudent.errors import RunError, UserError
from noisystudent.stopping import Stopped

SITE = "https://paperswithcode.com"
Import = Callable[..., dict[str, Any]]
Rows = Callable[..., list[dict[str, Any]]]
InParts = Callable[..., None]
Exported = Callable[..., bytes]


def paper(number: int, **more: Any) -> dict[str, Any]:
    """A paper of a file that leans on those before it: authors, tasks, methods and proceedings come again."""
    return {
        "paper_url": f"{SITE}/paper/p-{number}",
        "arxiv_id": f"2001.{number:05}",
        "title": f"Paper {number}",
        "abstract": f"gradient descent {number}",
        "authors": [f"Author {number % 3}", f"Author {number}"],
        "tasks": ["Parsing", f"Task {number % 2}"],
        "date": f"2020-01-{number + 1:02}",
        "proceeding": f"NeurIPS {2018 + number % 2} 12",
        "methods": [{"name": f"Method {number % 2}", "full_name": f"Method {number % 2}", "description": "It is one."}],
        **more,
    }


def table(task: str, dataset: str, *rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    sota = {"metrics": ["Accuracy"], "rows": list(rows)}
    address = {
        "title": "Papers with Code Leaderboard URL",
        "url": f"{SITE}/sota/{more.pop('slug', f'{task}-{dataset}').lower()}",
    }
    return {"task": task, "datasets": [{"dataset": dataset, "dataset_links": [address], "sota": sota}], **more}


def row(model: str, value: str, paper: int = 0) -> dict[str, Any]:
    return {
        "model_name": model,
        "metrics": {"Accuracy": value},
        "paper_title": f"Paper {paper}",
        "paper_url": f"{SITE}/paper/p-{paper}",
        "paper_date": "2020-01-01",
    }


FILES: dict[str, list[dict[str, Any]]] = {
    "papers": [*(paper(number) for number in range(4)), paper(1, abstract="comes again"), paper(4, authors=[])],
    "tables": [
        table("Parsing", "PTB", row("A", "90.1"), row("B", "80"), description="first", subtasks=[{"task": "Chunking"}]),
        table("Tagging", "PTB", row("A", "97.5", 1), row("A", "97.5", 1), categories=["Natural Language Processing"]),
        table("Parsing", "PTB", row("A", "91.5"), row("C", "70", 7), description="second", synonyms=["Syntax"]),
        {"task": "Chunking", "subtasks": [{"task": "Parsing"}, {"task": "Tagging"}]},
        table("Tagging", "Brown", row("A", "97.5", 1), slug="pos-tagging-on-brown"),
    ],
}


def catalogue(store: Store, exported: Exported) -> dict[str, bytes]:
    """All that a catalogue gives to others."""
    return {format: exported(store, format) for format in FORMATS if format not in ("csv", "bibtex")}


def whole(store: Store) -> None:
    """That nothing is damaged, in the search index neither."""
    with store.reading() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert check(store)["ok"]


# Cutting


def test_a_part_ends_where_the_next_object_would_be_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file.json"
    small, large = {"a": ""}, {"a": "x" * 5_000}
    file.write_text(json.dumps([small, small, small, large, small, {"a": [small] * 3}]))
    monkeypatch.setattr(parts, "LARGEST", 2_100)
    assert [[fields.where[5:] for fields in part.items] for part in parts.cut(file)] == [
        ["1", "2"],
        ["3"],
        ["4"],
        ["5"],
        ["6"],
    ]


def test_rows_of_parquet_are_cut_like_the_same_objects_of_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    objects = [{"name": "x" * (number % 7), "parts": [{"of": number}] * (number % 3)} for number in range(50)]
    (tmp_path / "file.json").write_text(json.dumps(objects))
    pq.write_table(pa.Table.from_pylist(objects), tmp_path / "file.parquet")
    monkeypatch.setattr(parts, "LARGEST", 10_000)
    cuts = [[len(part.items) for part in parts.cut(tmp_path / name)] for name in ("file.json", "file.parquet")]
    assert cuts[0] == cuts[1]
    assert len(cuts[0]) > 5


def test_between_two_parts_there_is_time_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, slept = [0.0], list[float]()
    monkeypatch.setattr(parts.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(parts.time, "sleep", slept.append)

    def read() -> Any:
        for seconds in (0.0, 0.02, 5.0):
            clock[0] += seconds  # reading takes it, which counts
            yield parts.Part()

    for _ in parts.at_intervals(read()):
        clock[0] += 7  # the change
    assert slept == [0.0, pytest.approx(parts.PAUSE - 0.02), 0.0]


# The history


def test_each_part_is_an_event_and_all_are_one_import(
    imported: Import, in_parts: InParts, rows: Rows, store: Store
) -> None:
    imported([{"task": "Before"}])
    in_parts()
    report = imported([{"task": "A"}, {"task": ""}, {"task": "B", "categories": 7}])

    found = rows("SELECT id, note, detail FROM event WHERE id > 1")
    assert [(event["id"], event["note"]) for event in found] == [
        (2, "tasks.json, part 1 of 3"),
        (3, "tasks.json, part 2 of 3"),
        (4, "tasks.json, part 3 of 3"),
    ]
    details = [json.loads(event["detail"]) for event in found]
    assert [detail["report"]["import"] for detail in details] == [2, 2, 2]
    assert [detail["counts"].get("task") for detail in details] == [1, None, 1]
    assert [list(detail["report"]["lost"]) for detail in details] == [[], ["task"], ["categories"]]
    assert report == {
        "file": "tasks.json",
        "format": "evaluation tables",
        "event": 4,
        "counts": {"task": 2},
        "lost": {kind: lost for detail in details for kind, lost in detail["report"]["lost"].items()},
        "already there": {},
        "doubtful": {"count": 0, "examples": []},
    }


def test_an_import_in_parts_is_taken_back_whole(
    imported: Import, in_parts: InParts, store: Store, exported: Exported
) -> None:
    with store.changing("anna", "add") as change:
        board = change.leaderboard(change.task("Parsing"), change.dataset("PTB"))
        change.add_result(Result(board, "Kept", {"Accuracy": "50"}))
    before = exported(store, "evaluation-tables")
    in_parts()
    tables = [table("Parsing", "PTB", row("A", "60")), table("Parsing", "PTB", row("A", "61")), table("Chess", "Games")]
    last = imported(tables)["event"]
    with store.reading() as connection:
        parts = [row["id"] for row in connection.execute("SELECT id FROM event WHERE action = 'import' ORDER BY id")]
    assert (len(parts), parts[-1]) == (3, last)

    undone = restore(store, parts[1], actor="bert")  # any part stands for all

    assert exported(store, "evaluation-tables") == before
    with store.reading() as connection:
        assert [taken_back_by(connection, part) for part in parts] == [undone] * 3
    with pytest.raises(UserError, match=f"taken back already, by event {undone}"):
        restore(store, parts[0], actor="bert")
    again = restore(store, undone, actor="bert")
    with store.reading() as connection:
        assert [taken_back_by(connection, part) for part in parts] == [None] * 3
        assert again > undone


def test_an_unknown_key_is_told_once_of_a_file(imported: Import, in_parts: InParts) -> None:
    in_parts()
    lost = imported([paper(number, stars=5) for number in range(3)])["lost"]
    assert lost["unknown key"]["count"] == 1


# What ends it


def failing(store: Store, monkeypatch: pytest.MonkeyPatch, error: BaseException, part: int) -> None:
    """A change whose note says that it is this part fails at its end."""
    finish = Change.finish

    def run(self: Change, actor: str, action: str, note: str) -> None:
        if f"part {part} " in note:
            raise error
        finish(self, actor, action, note)

    monkeypatch.setattr(Change, "finish", run)


def test_what_ends_it_says_what_is_there(
    imported: Import, in_parts: InParts, store: Store, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    in_parts()
    failing(store, monkeypatch, full, part=3)
    tasks = [{"task": name} for name in "ABCD"]
    with pytest.raises(RunError) as failed:
        imported(tasks)
    assert str(failed.value) == (
        "the disk is full; parts 1 to 2 of the 4 of tasks.json are in the catalogue. Free some space and do the same again "
        "(database or disk is full)"
    )
    failing(store, monkeypatch, Stopped("stopped", 15), part=4)
    with pytest.raises(RunError, match="parts 1 to 2 "):  # the same again goes on, which fails at the same place
        imported(tasks)
    monkeypatch.undo()
    in_parts()
    failing(store, monkeypatch, Stopped("stopped", 15), part=4)
    with pytest.raises(Stopped, match=r"^stopped: parts 1 to 3 of the 4 of tasks\.json are in the catalogue$"):
        imported(tasks)
    assert [task["name"] for task in rows("SELECT name FROM task ORDER BY id")] == ["A", "B", "C"]


def test_a_file_that_changes_under_an_import_ends_it(
    imported: Import, in_parts: InParts, tmp_path: Path, rows: Rows
) -> None:
    def spoil(number: int) -> None:
        if number == 2:
            (tmp_path / "tasks.json").write_text('[{"task": "A"}, {"task": "B"}, oops')

    in_parts(spoil)
    with pytest.raises(
        UserError, match=r"item \d+: .*; parts 1 to \d of the 30 of tasks\.json are in the catalogue, and the"
    ):
        imported([{"task": f"Task {number}", "description": "x" * 100_000} for number in range(30)])


# A kill

KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from noisystudent.board import importing
from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.store import Store
from noisystudent.board.importing import parts

folder, file, kills = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
parts.LARGEST = 1
finish, pause, changes = Change.finish, importing.at_intervals, 0

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def run(at, middle):
    def spaced(cut):
        for number, part in enumerate(cut, 1):
            if number == at and not middle:
                die()
            yield part
    def finishing(self, *arguments):
        global changes
        changes += 1
        if changes == at and middle:
            die()
        finish(self, *arguments)
    importing.at_intervals, Change.finish = spaced, finishing
    store = Store(folder / f"{at}-{middle}.db")
    importing.import_file(store, file, actor="anna")

for at in range(1, kills + 1):
    for middle in (False, True):
        shutil.copy(folder / "before.db", folder / f"{at}-{middle}.db")
        child = os.fork()
        if not child:
            try:
                run(at, middle)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL, (at, middle)
"""


@pytest.mark.parametrize("kind", FILES)
def test_killed_at_any_moment_and_given_again_it_ends_the_same(
    kind: str, tmp_path: Path, in_parts: InParts, exported: Exported
) -> None:
    file, before = tmp_path / f"{kind}.json", tmp_path / "before.db"
    links = tmp_path / "links.json"  # makes stubs of papers, one with the arXiv number alone
    slugs = {2: "p-2", 3: "guessed"}
    links.write_text(
        json.dumps(
            [
                {
                    "paper_url": f"{SITE}/paper/{slug}",
                    "paper_title": f"Paper {number}",
                    "paper_arxiv_id": f"2001.{number:05}",
                    "repo_url": "https://github.com/a/b",
                }
                for number, slug in slugs.items()
            ]
        )
    )
    import_file(Store(before, create=True), links, actor="anna")
    file.write_text(json.dumps(FILES[kind]))
    shutil.copy(before, tmp_path / "undisturbed.db")
    undisturbed = Store(tmp_path / "undisturbed.db")
    in_parts()
    report = import_file(undisturbed, file, actor="anna")
    assert report["event"] == 1 + len(FILES[kind])
    expected = catalogue(undisturbed, exported)

    count = len(FILES[kind])
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(file), str(count)]
    subprocess.run(command, check=True, timeout=300)
    for at in range(1, count + 1):
        for middle in (False, True):
            store = Store(tmp_path / f"{at}-{middle}.db")
            with store.reading() as connection:
                assert connection.execute("SELECT max(id) FROM event").fetchone()[0] == at, (at, middle)
            whole(store)
            import_file(store, file, actor="anna")
            assert catalogue(store, exported) == expected, (at, middle)
            whole(store)


# Others meanwhile


@pytest.mark.parametrize("kind", FILES)
def test_two_imports_of_a_file_at_once_are_one(
    kind: str, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exported: Exported
) -> None:
    monkeypatch.setattr(parts, "LARGEST", 1)
    monkeypatch.setattr(parts, "PAUSE", 0.01)
    file, failures = tmp_path / f"{kind}.json", list[BaseException]()
    file.write_text(json.dumps(FILES[kind]))
    alone = Store(tmp_path / "alone.db", create=True)
    import_file(alone, file, actor="anna")
    start = threading.Barrier(2)

    def bring_in(actor: str) -> None:
        try:
            start.wait()
            import_file(Store(store.path), file, actor=actor)
        except BaseException as error:
            failures.append(error)

    both = [threading.Thread(target=bring_in, args=(actor,)) for actor in ("anna", "otto")]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert failures == []
    assert catalogue(store, exported) == catalogue(alone, exported)
    whole(store)


def test_what_is_approved_between_two_parts_gets_no_twin(
    imported: Import, in_parts: InParts, store: Store, rows: Rows
) -> None:
    result = {"task": "Tagging", "dataset": "PTB", "model": "A", "metrics": {"Accuracy": "97.5"}, "paper": "p-1"}
    proposed: dict[int, tuple[str, dict[str, Any]]] = {
        2: ("result", result),
        3: ("paper", {"title": "Paper 7", "abstract": "Of seven.", "url_abs": "https://x.org/7"}),
        5: ("dataset", {"name": "Brown"}),
        6: ("task", {"name": "Semantics"}),
    }

    def approved(number: int) -> None:
        if number in proposed:
            kind, payload = proposed[number]
            approve(store, submit(store, kind, payload, submitter="otto")[0], actor="carla")

    imported([paper(1)], "papers.json")
    in_parts(approved)
    imported([*FILES["tables"], {"task": "Semantics", "description": "Of meaning."}])

    assert rows("SELECT name FROM task GROUP BY name HAVING count(*) > 1") == []
    assert rows("SELECT name FROM dataset GROUP BY name HAVING count(*) > 1") == []
    assert rows("SELECT title FROM paper GROUP BY title HAVING count(*) > 1") == []
    assert rows("SELECT description FROM task WHERE name = 'Semantics'") == [{"description": "Of meaning."}]
    of_tagging = (
        "SELECT m.name, v.raw FROM result r JOIN model m ON m.id = r.model_id JOIN value v ON v.result_id = r.id "
        "JOIN leaderboard l ON l.id = r.leaderboard_id JOIN task t ON t.id = l.task_id JOIN dataset d ON d.id = l.dataset_id "
        "WHERE r.retired_by IS NULL AND t.name = 'Tagging' AND d.name = 'PTB'"
    )
    assert (
        rows(of_tagging) == [{"name": "A", "raw": "97.5"}] * 2
    )  # the file has it twice, and the approved one is one of them
    whole(store)


def without(store: Store, *gone: tuple[str, str]) -> None:
    """What curators may do between two parts: rows go, by table and slug, with what hangs on them."""
    with store.changing("carla", "remove") as change:
        for table, slug in gone:
            change.connection.execute(f"DELETE FROM {table} WHERE slug = ?", (slug,))


def test_papers_lean_on_no_row_of_the_part_before(
    imported: Import, in_parts: InParts, store: Store, rows: Rows
) -> None:
    def disturb(number: int) -> None:
        if number == 2:
            without(store, ("paper", "p-1"), ("method", "method-1"), ("proceeding", "neurips-2019-12"))
            with store.changing("carla", "add") as change:  # in its place
                venue = change.connection.execute("SELECT id FROM venue").fetchone()["id"]
                change.insert("proceeding", slug="other", name="Other", venue_id=venue)
        with store.changing("carla", "add") as change:  # which takes the next number
            change.insert("paper", slug=f"mine-{number}", title="Mine", abstract=f"mine {number}")

    in_parts(disturb)
    report = imported([paper(1), paper(3), paper(5)])

    assert report["lost"] == {}
    query = (
        "SELECT p.title, m.name AS method, c.name AS proceeding FROM paper p LEFT JOIN paper_method x ON x.paper_id = p.id "
        "LEFT JOIN method m ON m.id = x.method_id LEFT JOIN proceeding c ON c.id = p.proceeding_id WHERE p.slug LIKE 'p-%' ORDER BY p.id"
    )
    assert rows(query) == [
        {"title": f"Paper {number}", "method": "Method 1", "proceeding": "NeurIPS 2019 12"} for number in (3, 5)
    ]
    assert len(rows("SELECT rowid FROM paper_search WHERE paper_search MATCH 'mine OR descent'")) == 5
    whole(store)


def test_the_number_of_a_paper_that_went_is_not_given_again(
    imported: Import, in_parts: InParts, store: Store, rows: Rows
) -> None:
    in_parts(lambda number: without(store, ("paper", "p-1"), ("task", "task-1")))
    imported([paper(0), paper(1), paper(3)])
    assert rows("SELECT id, slug FROM paper") == [{"id": 1, "slug": "p-0"}, {"id": 3, "slug": "p-3"}]
    assert rows("SELECT id, name FROM task WHERE name = 'Task 1'") == [{"id": 4, "name": "Task 1"}]


def test_methods_lean_on_no_row_of_the_part_before(
    imported: Import, in_parts: InParts, store: Store, rows: Rows
) -> None:
    def method(name: str) -> dict[str, Any]:
        collection = {"area": "General", "area_id": "general", "collection": "All"}
        url = f"{SITE}/method/{name.lower()}"
        return {"url": url, "name": name, "full_name": f"The {name}", "collections": [collection]}

    in_parts(lambda number: number == 2 and without(store, ("method", "a"), ("collection", "all")))
    report = imported([method("A"), method("B"), method("A")])
    assert report["lost"]["method"]["count"] == 1
    query = "SELECT m.slug, c.name FROM method m JOIN method_collection ON m.id = method_id JOIN collection c ON c.id = collection_id"
    assert rows(query) == [{"slug": "b", "name": "All"}]


def test_datasets_lean_on_no_row_of_the_part_before(
    imported: Import, in_parts: InParts, store: Store, rows: Rows
) -> None:
    def dataset(name: str, task: str) -> dict[str, Any]:
        tasks = [{"task": task, "url": f"{SITE}/task/{task.lower()}"}]
        return {"url": f"{SITE}/dataset/{name.lower()}", "name": name, "homepage": "https://x.org", "tasks": tasks}

    in_parts(lambda number: number == 2 and without(store, ("dataset", "a"), ("task", "parsing")))
    report = imported([dataset("A", "Parsing"), dataset("B", "Parsing"), dataset("A", "Parsing")])
    assert report["lost"]["dataset"]["count"] == 1
    query = "SELECT d.slug, t.name FROM dataset d JOIN dataset_task ON d.id = dataset_id JOIN task t ON t.id = task_id"
    assert rows(query) == [{"slug": "b", "name": "Parsing"}]


def test_links_lean_on_no_row_of_the_part_before(imported: Import, in_parts: InParts, store: Store, rows: Rows) -> None:
    link = {"paper_url": f"{SITE}/paper/p-1", "paper_title": "P", "repo_url": "https://github.com/a/b"}

    def disturb(number: int) -> None:
        if number == 2:
            without(store, ("paper", "p-1"))
            with store.changing("carla", "replace") as change:
                change.connection.execute("DELETE FROM repository")
                assert change.repository("https://github.com/other/one") == 1

    in_parts(disturb)
    imported([link, link])
    query = "SELECT p.slug, r.url FROM paper_repository JOIN paper p ON p.id = paper_id JOIN repository r ON r.id = repository_id"
    assert rows(query) == [{"slug": "p-1", "url": "https://github.com/a/b"}]


def test_evaluation_tables_lean_on_no_row_of_the_part_before(
    imported: Import, in_parts: InParts, store: Store, rows: Rows
) -> None:
    def disturb(number: int) -> None:
        if number == 2:  # the leaderboard of part 1 goes, and that of part 4 is made
            with store.changing("carla", "replace") as change:
                for kind in ("leaderboard", "task", "dataset"):
                    remove(change, kind, 1)
                change.leaderboard(change.task("Tagging"), change.dataset("Brown"))
        if number == 3:
            with store.changing("carla", "circle") as change:
                change.insert("task_parent", task_id=change.task("Parsing"), parent_id=change.task("Chess"))

    in_parts(disturb)
    report = imported(
        [
            table("Parsing", "PTB", description="first"),
            table("Parsing", "PTB", description="second"),
            {"task": "Parsing", "subtasks": [{"task": "Chess"}]},
            table("Tagging", "Brown", slug="tags"),
        ]
    )
    query = (
        "SELECT t.name, t.description, l.slug FROM task t LEFT JOIN leaderboard l ON l.task_id = t.id ORDER BY t.name"
    )
    assert rows(query) == [
        {"name": "Chess", "description": "", "slug": None},
        {"name": "Parsing", "description": "second", "slug": "parsing-ptb"},
        {"name": "Tagging", "description": "", "slug": "tagging-on-brown"},  # it was not made by the import
    ]
    assert rows("SELECT old FROM alias WHERE kind = 'leaderboard'") == [{"old": "tags"}]
    assert list(report["lost"]) == ["parent"]


def test_what_one_part_said_of_a_model_is_no_mistake_that_the_next_corrects(
    imported: Import, in_parts: InParts, rows: Rows, store: Store
) -> None:
    def others(number: int) -> None:
        with store.changing("carla", "add") as change:  # of the same layer, but not of this import
            change.layer("PWC Archive")
            board = change.leaderboard(change.task("Tagging"), change.dataset("PTB"))
            change.add_result(Result(board, "Old", {"Accuracy": str(number)}))

    tables = [table("Parsing", "PTB", row("A", "90.1")), table("Parsing", "PTB", row("A", "91.5"))]
    standing = (
        "SELECT v.raw FROM result r JOIN value v ON v.result_id = r.id JOIN model m ON m.id = r.model_id "
        "WHERE retired_by IS NULL AND m.name = ? ORDER BY r.id"
    )
    in_parts(others)
    imported([*tables, table("Tagging", "PTB", {"model_name": "Old", "metrics": {"Accuracy": "7"}})])
    assert [row["raw"] for row in rows(standing, "A")] == ["90.1", "91.5"]
    assert [row["raw"] for row in rows(standing, "Old")] == ["2", "3", "7"]
    again = imported([*tables, table("Parsing", "PTB", row("A", "92"))])
    assert again["counts"]["result"] == 1
    assert [row["raw"] for row in rows(standing, "A")] == ["90.1", "91.5", "92"]
