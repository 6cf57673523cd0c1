"""Two entries that are one become one, and two again when that is taken back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from noisystudent.board.catalogue import history
from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.check import check
from noisystudent.board.catalogue.merging import merge_entries as merge
from noisystudent.board.catalogue.names import meant
from noisystudent.board.catalogue.store import Store
from noisystudent.board.catalogue.twins import twins
from noisystudent.board.importing import import_file
from noisystudent.board.importing.bulk import numbers_of_names
from noisystudent.errors import UserError

ALL = (
    "task",
    "dataset",
    "paper",
    "method",
    "leaderboard",
    "metric",
    "model",
    "author",
    "paper_task",
    "paper_author",
    "task_parent",
    "value",
    "other_name",
)
RESULTS = "SELECT id, leaderboard_id, model_id, paper_id FROM result WHERE retired_by IS NULL"


def state(store: Store) -> dict[str, list[Any]]:
    """All rows that a merging touches, but for the numbers of events and copies of results."""
    with store.reading() as connection:
        found = {}
        for table in ALL:
            where = " WHERE result_id IN (SELECT id FROM result WHERE retired_by IS NULL)" if table == "value" else ""
            rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table}{where}")]
            copied = ("best_result_id", "result_id")  # a result that comes back is a copy of it
            found[table] = sorted(str({name: row[name] for name in row if name not in copied}) for row in rows)
        return found


def rows(store: Store, query: str) -> list[tuple[Any, ...]]:
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(query)]


@pytest.fixture
def library(store: Store) -> Store:
    """AMR parsing twice, each with a table on the same data set; the second has more."""
    with store.changing("anna", "add") as change:
        first, second = change.task("Amr-Parsing"), change.task("AMR parsing")
        ptb, other = change.dataset("LDC"), change.dataset("Bio")
        below, above = change.task("Biomedical AMR"), change.task("Semantic parsing")
        change.insert("task_parent", task_id=below, parent_id=first)
        change.insert("task_parent", task_id=second, parent_id=above)
        paper = change.paper(title="CAMR", url="https://aclanthology.org/S16-1181")
        change.insert("paper_task", paper_id=paper, task_id=first, published="2016-01-01")
        old, new = change.leaderboard(first, ptb), change.leaderboard(second, ptb)
        change.edit("task", first, description="Graphs of meaning.")
        change.add_result(Result(old, "CAMR", {"Smatch": "67.0"}, paper=paper))
        change.add_result(Result(old, "JAMR", {"Smatch": "62.0", "F1": "60"}, paper=paper))
        change.add_result(Result(new, "CAMR", {"smatch": "67.0"}, paper=paper))
        change.add_result(Result(new, "SPRING", {"smatch": "83.0"}))
        change.add_result(Result(new, "BART", {"smatch": "80.0"}))
        change.add_result(Result(change.leaderboard(first, other), "CAMR", {"Smatch": "50"}))
    return store


def test_one_task_of_two(library: Store) -> None:
    before = state(library)
    event = merge(library, "task", "Amr-Parsing", "amr-parsing-1", actor="carla")
    assert rows(library, "SELECT name, slug, description FROM task WHERE name LIKE 'AMR%'") == [
        ("AMR parsing", "amr-parsing", "Graphs of meaning.")  # the address without a number, and what it lacked
    ]
    boards = "SELECT slug, result_count FROM leaderboard ORDER BY slug"
    assert rows(library, boards) == [("amr-parsing-on-bio", 1), ("amr-parsing-on-ldc", 4)]
    ranked = (
        "SELECT m.name, v.raw, v.rank FROM value v JOIN metric k ON k.id = v.metric_id JOIN result r ON r.id = v.result_id "
        "JOIN model m ON m.id = r.model_id WHERE k.name = 'smatch' AND r.retired_by IS NULL ORDER BY v.rank"
    )
    assert rows(library, ranked) == [
        ("SPRING", "83.0", 1),
        ("BART", "80.0", 2),
        ("CAMR", "67.0", 3),  # it was on both
        ("JAMR", "62.0", 4),
    ]
    with library.reading() as connection:
        for old in ("amr-parsing", "amr-parsing-1", "Amr-Parsing", "amr parsing"):
            assert meant(connection, "task", old) == 2
        assert meant(connection, "leaderboard", "amr-parsing-1-on-ldc") == meant(
            connection, "leaderboard", "amr-parsing-on-ldc"
        )
        assert {row[0] for row in connection.execute("SELECT parent_id FROM task_parent")} == {2, 4}
        assert connection.execute("SELECT task_id FROM paper_task").fetchone()[0] == 2
    assert check(library)["ok"]
    history.restore(library, event, actor="carla")
    assert state(library) == before
    assert rows(library, boards) == [("amr-parsing-1-on-ldc", 3), ("amr-parsing-on-bio", 1), ("amr-parsing-on-ldc", 2)]
    assert check(library)["ok"]


def test_a_file_that_calls_it_by_its_old_name_makes_no_new_one(library: Store) -> None:
    merge(library, "task", "amr-parsing", "amr-parsing-1", actor="carla")
    with library.changing("anna", "import") as change:
        assert change.task("Amr-Parsing") == change.task("AMR-PARSING") == 2


def test_data_sets_with_their_parts(store: Store) -> None:
    with store.changing("anna", "add") as change:
        task = change.task("Parsing")
        first, second = change.dataset("Treebank"), change.dataset("Tree Bank")
        for whole in (first, second):
            for part in ("dev", "Test" if whole == first else "test"):
                board = change.leaderboard(task, change.dataset(part, whole))
                change.add_result(Result(board, f"M{whole}", {"F1": "9"}))
    before = state(store)
    event = merge(store, "dataset", "Treebank", "Tree Bank", actor="carla")
    assert rows(store, "SELECT shown FROM dataset_shown ORDER BY shown") == [
        ("Tree Bank",),
        ("Tree Bank: dev",),
        ("Tree Bank: test",),
    ]
    assert rows(store, "SELECT result_count FROM leaderboard") == [(2,), (2,)]
    with pytest.raises(UserError, match="a part of another"):
        merge(store, "dataset", "tree-bank-dev", "tree-bank", actor="carla")
    history.restore(store, event, actor="carla")
    assert state(store) == before


def test_papers_with_results_models_and_authors(store: Store) -> None:
    with store.changing("anna", "add") as change:
        board = change.leaderboard(change.task("Parsing"), change.dataset("PTB"))
        stub = change.paper(title="arXiv:1911.04252", url="https://arxiv.org/abs/1911.04252")
        paper = change.paper(title="Noisy Student", url="https://openreview.net/x")
        assert stub is not None
        assert paper is not None
        change.insert("paper_author", paper_id=stub, position=0, author_id=change.author("Ada"))
        first = change.add_result(Result(board, "NS", {"F1": "88"}, paper=stub))
        change.add_result(Result(board, "NS", {"F1": "88"}, paper=paper))
        change.add_result(Result(board, "NS large", {"F1": "89"}, paper=stub))
        change.retire_result(first)
        change.add_result(Result(board, "NS", {"F1": "87"}, paper=stub))
    before = state(store)
    event = merge(store, "paper", "1911.04252", "Noisy Student", actor="carla")
    assert rows(store, "SELECT title, arxiv_id, url_abs FROM paper") == [
        ("Noisy Student", "1911.04252", "https://openreview.net/x")
    ]
    said = (
        "SELECT m.name, v.raw FROM result r JOIN model m ON m.id = r.model_id JOIN value v ON v.result_id = r.id "
        "WHERE r.retired_by IS NULL AND r.paper_id = 2 ORDER BY v.raw"
    )
    assert rows(store, said) == [("NS", "87"), ("NS", "88"), ("NS large", "89")]
    assert rows(store, "SELECT a.name FROM paper_author JOIN author a ON a.id = author_id") == [("Ada",)]
    with store.changing("anna", "import") as change:
        assert change.find_paper(url="https://arxiv.org/abs/1911.04252v3") == paper
    history.restore(store, event, actor="carla")
    assert state(store) == before


def test_what_cannot_be_one_is_refused(library: Store) -> None:
    for gone, kept, said in (
        ("amr-parsing", "Amr-Parsing", "one task already"),
        ("nothing", "nix", "there is no task 'nothing'"),
    ):
        with pytest.raises(UserError, match=said):
            merge(library, "task", gone, kept, actor="carla")
    with pytest.raises(UserError, match="cannot be merged"):
        merge(library, "venue", "a", "b", actor="carla")


def test_a_task_that_comes_under_its_own_is_left_under_none_of_them(store: Store) -> None:
    with store.changing("anna", "add") as change:
        top, middle, low = change.task("A"), change.task("B"), change.task("C")
        change.insert("task_parent", task_id=middle, parent_id=top)
        change.insert("task_parent", task_id=low, parent_id=middle)
    merge(store, "task", "a", "c", actor="carla")
    assert rows(store, "SELECT task_id, parent_id FROM task_parent") == [(middle, low)]


def test_twins_are_proposed_with_the_one_that_has_more(library: Store, add_paper: Callable[..., int]) -> None:
    with library.changing("anna", "add") as change:
        change.dataset("bio")
        change.dataset("B-io")
        change.paper(title="On graphs", url="https://arxiv.org/abs/2001.00001")
        change.insert("paper", slug="x", title="x", arxiv_id="2001.00001")
        change.insert("paper", slug="camr-1", title="camr")
        for number in (1, 2):  # two papers of one title
            change.insert("paper", slug=f"s{number}", title="Survey", arxiv_id=f"2002.0000{number}")
    with library.reading() as connection:
        found = [(pair.kind, pair.gone, pair.kept) for pair in twins(connection)]
    assert found == [
        ("task", "amr-parsing-1", "amr-parsing"),  # as many results: the older one
        ("dataset", "b-io", "bio"),
        ("paper", "x", "on-graphs"),
        ("paper", "camr-1", "camr"),
    ]
    assert check(library)["counts"]["twins"] == 4


def written(store: Store, *papers: tuple[str, ...]) -> None:
    """Papers, each by these authors."""
    with store.changing("anna", "add") as change:
        for names in papers:
            title = " and ".join(names)  # of which several may be alike
            paper = change.insert("paper", slug=change.free_slug("paper", title), title=title)
            rows = [{"position": place, "author_id": change.author(name)} for place, name in enumerate(names)]
            change.replace_rows("paper_author", {"paper_id": paper}, rows)


def test_authors_of_one_name_in_other_spellings_are_proposed(store: Store) -> None:
    written(store, ("J. Smith",), ("J. Smith", "Wei Li"), ("J Smith",), ("j. smith",), ("José Núñez",), ("Jose Nunez",))
    written(store, ("J.R.R. Tolkien",), ("J. R. R. Tolkien",), ("JRR Tolkien",), ("O'Brien, Ann",), ("O’Brien Ann",))
    written(store, ("А. Иванов",), ("А Иванов",), ("Jean-Luc Marc",), ("Jean Luc Marc",))
    others = (
        ("K. Smith",),
        ("Weili",),
        ("Sren Kay",),
        ("Søren Kay",),
        ("Author 1",),
        ("Author 2",),
        ("L. I. Wei",),
        ("Li Wei",),
    )
    written(store, *others, ("A. Wang", "A Wang"))  # two who wrote a paper together are two
    with store.reading() as connection:
        pairs = [pair for pair in twins(connection) if pair.kind == "author"]
        kept: dict[str, set[str]] = {}
        for pair in pairs:
            kept.setdefault(pair.names[1], set()).add(pair.names[0])
        assert kept == {
            "J. Smith": {"J Smith", "j. smith"},
            "José Núñez": {"Jose Nunez"},
            "J.R.R. Tolkien": {"J. R. R. Tolkien", "JRR Tolkien"},
            "O'Brien, Ann": {"O’Brien Ann"},
            "А. Иванов": {"А Иванов"},
            "Jean-Luc Marc": {"Jean Luc Marc"},
        }
        for text, name in (("j r r tolkien", "J. R. R. Tolkien"), ("jose NÚÑEZ", "José Núñez"), ("Kay, Søren", None)):
            assert meant(connection, "author", text) == (meant(connection, "author", name) if name else None)
    told = [one["remedy"] for one in check(store)["findings"] if one["where"].startswith("/author/")]
    assert len(told) == len(pairs)
    assert "noisystudent board merge author j-smith-1 j-smith, if they are" in told


def test_an_author_becomes_another_and_two_again(store: Store) -> None:
    written(store, ("Ada", "J. Smith"), ("J Smith",), ("J Smith", "Bob"))
    before = state(store)
    event = merge(store, "author", "J Smith", "j-smith", actor="carla", note="the same person")
    of_papers = "SELECT p.title, a.name FROM paper_author l JOIN paper p ON p.id = l.paper_id JOIN author a ON a.id = l.author_id"
    assert rows(store, f"{of_papers} ORDER BY p.id, l.position") == [
        ("Ada and J. Smith", "Ada"),
        ("Ada and J. Smith", "J. Smith"),
        ("J Smith", "J. Smith"),
        ("J Smith and Bob", "J. Smith"),
        ("J Smith and Bob", "Bob"),
    ]
    with store.changing("anna", "import") as change:  # a file that still has the old name makes nobody new
        kept = meant(change.connection, "author", "J. Smith")
        assert [meant(change.connection, "author", text) for text in ("j-smith-1", "/author/j-smith-1", "J Smith")] == [
            kept
        ] * 3
        assert change.author("J Smith") == kept
        assert numbers_of_names(change, "author", ["J Smith", "Ada"])["J Smith"] == kept
    history.restore(store, event, actor="carla")
    assert state(store) == before


def test_what_others_corrected_since_stays_when_a_merging_of_authors_is_taken_back(store: Store) -> None:
    written(store, ("J. Smith",), ("J Smith",), ("J Smith", "Bob"))
    event = merge(store, "author", "J Smith", "J. Smith", actor="carla")
    with store.changing("anna", "correct") as change:
        change.replace_rows("paper_author", {"paper_id": 2}, [{"position": 0, "author_id": change.author("Eve")}])
    history.restore(store, event, actor="carla")
    names = "SELECT l.paper_id, a.name FROM paper_author l JOIN author a ON a.id = l.author_id ORDER BY l.paper_id, l.position"
    assert rows(store, names) == [(1, "J. Smith"), (2, "Eve"), (3, "J Smith"), (3, "Bob")]


def test_two_authors_of_one_paper_are_not_made_one(store: Store) -> None:
    written(store, ("A. Wang", "A Wang"))
    with pytest.raises(UserError, match=r"are two people: 'A\. Wang and A Wang'; correct its authors first"):
        merge(store, "author", "A Wang", "A. Wang", actor="carla")


def test_nobody_is_called_as_who_was_taken_out_with_an_import(store: Store, tmp_path: Path) -> None:
    papers = [
        {"title": name, "abstract": "a", "paper_url": f"https://x.org/paper/{place}", "authors": [name]}
        for place, name in enumerate(("J. Smith", "J Smith"))
    ]
    (tmp_path / "papers.json").write_text(json.dumps(papers))
    event = import_file(store, tmp_path / "papers.json", actor="anna")["event"]
    merge(store, "author", "J Smith", "J. Smith", actor="carla")
    history.restore(store, event, actor="carla", whole=True)
    assert rows(store, "SELECT name FROM author") == []
    with store.changing("anna", "add") as change:
        change.author("Somebody else")
        number = change.author("J Smith")
    assert rows(store, f"SELECT name FROM author WHERE id = {number}") == [("J Smith",)]
