"""An import that is taken back whole leaves the catalogue as if it had never come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from noisystudent.board.catalogue import history
from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.check import check
from noisystudent.board.catalogue.store import Store
from noisystudent.errors import UserError

Import = Callable[..., dict[str, Any]]
Rows = Callable[..., list[dict[str, Any]]]
FORMATS = ("evaluation-tables", "papers-with-abstracts", "datasets", "methods", "links-between-papers-and-code")
SITE = "https://paperswithcode.com"


def tables(*models: str, task: str = "Parsing", metric: str = "F1") -> list[dict[str, Any]]:
    rows = [
        {
            "model_name": model,
            "metrics": {metric: str(90 + n)},
            "paper_title": f"On {model}",
            "paper_url": f"{SITE}/paper/{model.lower()}",
        }
        for n, model in enumerate(models)
    ]
    below = {"task": f"{task} of speech", "datasets": [{"dataset": "Switchboard", "sota": {"metrics": [], "rows": []}}]}
    sota = {"metrics": [metric], "rows": rows}
    return [{"task": task, "categories": ["Text"], "subtasks": [below], "datasets": [{"dataset": "PTB", "sota": sota}]}]


PAPER = {
    "paper_url": f"{SITE}/paper/deep",
    "title": "Deep",
    "abstract": "Text.",
    "authors": ["Ada"],
    "tasks": ["Rowing"],
    "proceeding": "X 2020 1",
}


@pytest.fixture
def state(store: Store, exported: Callable[..., bytes], rows: Rows) -> Callable[[], Any]:
    """All that readers see, as files and as counts of rows."""

    def run() -> Any:
        counted = ("task", "dataset", "paper", "leaderboard", "metric", "model", "author", "area", "venue", "result")
        counts = {table: rows(f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in counted}
        return [exported(store, format) for format in FORMATS], counts

    return run


@pytest.mark.parametrize("between", [False, True])
def test_nothing_of_it_is_left(imported: Import, store: Store, state: Callable[[], Any], between: bool) -> None:
    imported(tables("A", "B"))
    before = state()
    wrong = [imported(tables("A", "C", task="Rowing", metric="Speed (FPS)")), imported([PAPER], "papers.json")]
    if between:  # what was made since stays, and keeps what it needs
        with store.changing("anna", "add") as change:
            change.task("Chess")
    for report in reversed(wrong):
        history.restore(store, report["event"], actor="carla", whole=True)
    files, counts = state()
    assert counts == {**before[1], "task": before[1]["task"] + between}
    assert between or files == before[0]
    assert check(store)["ok"]
    with pytest.raises(UserError, match="took an import out whole"):
        history.restore(store, wrong[0]["event"] + 3 + between, actor="carla")
    imported(tables("A", "C", task="Rowing", metric="Speed (FPS)"))  # it can come again
    assert state()[1]["result"] == counts["result"] + 2


def test_what_others_use_stays(imported: Import, store: Store, rows: Rows) -> None:
    event = imported(tables("A", "B"))["event"]
    with store.changing("anna", "correct") as change:
        change.add_result(Result(1, "A", {"F1": "95"}, paper=1), supersedes=1)
    history.restore(store, event, actor="carla", whole=True)
    assert rows(
        "SELECT m.name, v.raw FROM result r JOIN model m ON m.id = r.model_id JOIN value v ON v.result_id = r.id WHERE retired_by IS NULL"
    ) == [{"name": "A", "raw": "95"}]
    assert [row["slug"] for row in rows("SELECT slug FROM leaderboard")] == ["parsing-on-ptb"]
    assert [row["title"] for row in rows("SELECT title FROM paper")] == ["On A"]
    assert check(store)["counts"] == {}


def test_an_import_in_parts_goes_as_one(
    imported: Import, in_parts: Callable[..., None], store: Store, state: Callable[[], Any]
) -> None:
    before = state()
    in_parts()
    report = imported([*tables("A", "B"), *tables("C", task="Rowing"), *tables("D", task="Chess")])
    history.restore(store, report["event"], actor="carla", whole=True)
    assert state() == before


def test_what_was_put_in_its_place_comes_back(imported: Import, store: Store, rows: Rows) -> None:
    first = tables("A")
    imported(first)
    first[0]["datasets"][0]["sota"]["rows"][0]["metrics"]["F1"] = "12"
    event = imported(first)["event"]
    history.restore(store, event, actor="carla", whole=True)
    assert rows("SELECT v.raw FROM value v JOIN result r ON r.id = v.result_id WHERE r.retired_by IS NULL") == [
        {"raw": "90"}
    ]


def test_only_an_import_goes_whole(store: Store) -> None:
    with store.changing("anna", "add") as change:
        change.task("Chess")
    with pytest.raises(UserError, match="no import"):
        history.restore(store, 1, actor="carla", whole=True)
