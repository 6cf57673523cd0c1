"""What `board check` finds, and that it finds nothing where there is nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from noisystudent.board import seed
from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.check import EXAMPLES, check
from noisystudent.board.catalogue.store import Store


def kinds(store: Store) -> dict[str, int]:
    counts: dict[str, int] = check(store)["counts"]
    return counts


def by_force(store: Store, *statements: str) -> None:
    """Change the file as no change of ours would."""
    with closing(store.connect()) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        for statement in statements:
            connection.execute(statement)


def add(store: Store, *results: Result, **more: Any) -> None:
    with store.changing("anna", "add") as change:
        for result in results:
            change.add_result(result, **more)


def test_what_a_board_begins_with_is_as_it_should_be(store: Store) -> None:
    seed.load(store, actor="operator")
    assert check(store) == {"ok": True, "counts": {}, "findings": []}


def test_looking_changes_nothing(imagenet: Store) -> None:
    with closing(sqlite3.connect(imagenet.path)) as connection:
        before = list(connection.iterdump())
    check(imagenet)
    with closing(sqlite3.connect(imagenet.path)) as connection:
        assert list(connection.iterdump()) == before


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE paper_author SET author_id = 99", "lost reference"),
        ("UPDATE leaderboard SET best_result_id = 99", "lost reference"),
        ("INSERT INTO alias VALUES ('paper', 'gone', 99)", "lost reference"),
        ("INSERT INTO alias VALUES ('nothing', 'gone', 1)", "lost reference"),
        ("INSERT INTO run (result_id) VALUES (1)", "lost reference"),
        ("INSERT INTO paper_search (paper_search) VALUES ('delete-all')", "damaged search index"),
    ],
)
def test_damage_is_an_error(imagenet: Store, statement: str, kind: str) -> None:
    with imagenet.changing("anna", "authors") as change:
        change.replace_rows("paper_author", {"paper_id": 1}, [{"position": 0, "author_id": change.author("Ada")}])
    assert check(imagenet)["ok"]
    by_force(imagenet, statement)
    found = check(imagenet)
    assert found["counts"] == {kind: 1}
    assert not found["ok"]
    assert found["findings"][0]["remedy"]


def test_a_damaged_page_is_an_error_and_no_traceback(imagenet: Store) -> None:
    with imagenet.changing("anna", "add") as change:
        for number in range(2000):
            change.paper(title=f"Paper {number} " + "long " * 20)
    with closing(imagenet.connect()) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = bytearray(imagenet.path.read_bytes())
    middle = len(raw) // 2 // 4096 * 4096
    raw[middle : middle + 8192] = b"\xff" * 8192
    imagenet.path.write_bytes(raw)
    found = check(Store(imagenet.path))
    assert not found["ok"]
    assert set(found["counts"]) <= {"damaged file", "damaged search index", "lost reference"}
    assert "damaged file" in found["counts"]


@pytest.mark.parametrize(
    ("metric", "raw", "impossible"),
    [
        ("Top 1 Accuracy", "100.1%", True),
        ("Top 1 Accuracy", "-1%", True),
        ("Percentage error", "101", True),
        ("Percentage error", "-0.5", True),
        ("Top 1 Accuracy", "100%", False),
        ("mCE", "120", False),  # of AlexNet's errors: it may be more than all of them
        ("GFLOPs", "585", False),
        ("Elo", "2800", False),
    ],
)
def test_impossible_values(imagenet: Store, metric: str, raw: str, impossible: bool) -> None:
    add(imagenet, Result(1, "New", {metric: raw}))
    assert ("impossible value" in kinds(imagenet)) == impossible
    assert check(imagenet)["ok"]  # a source may be wrong: that is no damage


def test_values_that_cannot_be_ranked_with_the_others(imagenet: Store) -> None:
    assert "mixed units" not in kinds(imagenet)
    add(imagenet, Result(1, "Fraction", {"Top 1 Accuracy": "0.91"}))
    finding = next(one for one in check(imagenet)["findings"] if one["kind"] == "mixed units")
    assert "0.91" in finding["message"]
    assert finding["where"] == "/sota/image-classification-on-imagenet, Top 1 Accuracy"
    assert check(imagenet)["ok"]  # for a curator to judge


def test_duplicates(imagenet: Store) -> None:
    add(imagenet, Result(1, "RESNET", {"Top 1 Accuracy": "76.1 %"}))
    with imagenet.changing("anna", "add") as change:
        change.insert("paper", slug="twin", title="Twin", arxiv_id="1911.04252")
        change.task("image-classification")
        change.author("Ada")
        change.author("ADA")
    messages = [one["where"] for one in check(imagenet)["findings"] if one["kind"] == "duplicate"]
    assert messages == ["/sota/image-classification-on-imagenet, resnet"]
    pairs = [(one["where"], one["remedy"]) for one in check(imagenet)["findings"] if one["kind"] == "twins"]
    assert [where.split(" and ")[1] for where, _ in pairs] == [
        "/task/image-classification",
        "/paper/self-training-with-noisy-student",
        "/author/ada",
    ]
    assert pairs[0][1].startswith("noisystudent board merge task image-classification-1 image-classification")


def test_a_run_beside_its_claim_is_no_duplicate(imagenet: Store) -> None:
    with imagenet.changing("anna", "submit run") as change:
        run = change.add_result(Result(1, "NoisyStudent", {"Top 1 Accuracy": "88.4%"}, paper=1, kind="run"))
        change.insert("run", result_id=run, claim_id=2)
    assert kinds(imagenet) == {}


def test_directions_that_nobody_knows_and_those_that_the_rows_doubt(store: Store) -> None:
    with store.changing("anna", "add") as change:
        unknown = change.leaderboard(change.task("Chess"), change.dataset("Games"))
        doubtful = change.leaderboard(change.task("Chess"), change.dataset("Blitz"))
        none = change.leaderboard(change.task("Chess"), change.dataset("Bullet"))
        for number in range(6):
            change.add_result(Result(unknown, f"M{number}", {"Vibes": str(number % 2)}, in_order=True))
            change.add_result(Result(doubtful, f"M{number}", {"Score": str(number)}, in_order=True))  # the best last
            change.add_result(Result(none, f"M{number}", {"Backbone": str(number)}, in_order=True))
    found = check(store)
    assert found["counts"] == {"direction unknown": 2, "direction doubtful": 1}
    assert [(one["remedy"], one["message"]) for one in found["findings"]] == [
        (
            "noisystudent board direction chess-on-blitz 'Score' higher|lower",
            "higher Score counts as better (known name), but the order of the rows says otherwise",
        ),
        (
            "noisystudent board direction chess-on-bullet 'Backbone' higher|lower",
            "Backbone: it tells how a result came about, and nothing is ranked",
        ),
        (
            "noisystudent board direction chess-on-games 'Vibes' higher|lower",
            "Vibes: nobody knows whether higher is better, and nothing is ranked",
        ),
    ]
    with store.changing("carla", "directions") as change:
        change.direct(1, True)
        change.direct(2, False)
        change.direct(3, False)
    assert kinds(store) == {}


def test_the_opinion_on_a_direction_is_independent_of_where_it_comes_from(store: Store) -> None:
    with store.changing("anna", "add") as change:
        by_order = change.leaderboard(change.task("Chess"), change.dataset("Order"))
        by_year = change.leaderboard(change.task("Chess"), change.dataset("Years"))
        said = change.leaderboard(change.task("Chess"), change.dataset("Said"))
        change.metric(said, "Accuracy", higher_is_better=False)
        for number in range(6):
            value, day = str(number), f"201{number}-01-01"
            change.add_result(Result(by_order, f"M{number}", {"Vibes": value}, in_order=True))
            change.add_result(Result(by_year, f"M{number}", {"Accuracy": value}, in_order=True, paper_date=day))
        change.add_result(Result(said, "M", {"Accuracy": "9"}))
    (finding,) = check(store)["findings"]  # nothing else knows of Vibes; the years are with the name, against the order
    assert (finding["where"], finding["message"]) == (
        "/sota/chess-on-said",
        "lower Accuracy counts as better (given), but its name says otherwise",
    )


def test_dates_that_have_not_come(imagenet: Store) -> None:
    with imagenet.changing("anna", "add") as change:
        change.paper(title="Late", published="2222-01-01")
    (finding,) = check(imagenet)["findings"]
    assert (finding["kind"], finding["where"]) == ("date in the future", "/paper/late")


def test_results_without_a_value(imagenet: Store) -> None:
    add(imagenet, Result(1, "Empty", {}))
    assert kinds(imagenet) == {"result without a value": 1}


def test_of_many_the_first_are_named_and_all_are_counted(imagenet: Store) -> None:
    with imagenet.changing("anna", "add") as change:
        for number in range(EXAMPLES + 5):
            change.paper(title=f"Late {number}", published="2222-01-01")
    found = check(imagenet)
    assert found["counts"] == {"date in the future": EXAMPLES + 5}
    assert len(found["findings"]) == EXAMPLES


def test_what_was_taken_back_is_not_looked_at(imagenet: Store) -> None:
    add(imagenet, Result(1, "Wrong", {"Top 1 Accuracy": "884%"}))
    with imagenet.changing("carla", "retire") as change:
        change.retire_result(change.connection.execute("SELECT max(id) FROM result").fetchone()[0])
    assert check(imagenet)["ok"]
