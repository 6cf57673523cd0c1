"""Changing the catalogue: names are found before they are made, results are superseded, all of it has an event."""

from __future__ import annotations

import json
from typing import Any

import pytest

from noisystudent.board.catalogue.change import Change, Result, now
from noisystudent.board.catalogue.names import meant
from noisystudent.board.catalogue.store import Store
from noisystudent.board.curating import number_papers


def rows(store: Store, query: str) -> list[tuple[Any, ...]]:
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(query)]


def test_names_are_found_before_they_are_made(store: Store) -> None:
    for _ in range(2):
        with store.changing("anna", "add") as change:
            task, parent = change.task("Chess"), change.dataset("Games")
            part = change.dataset("Blitz", parent)
            change.metric(change.leaderboard(task, part), "Elo")
            change.author("Ada")
            change.model("M", None)
            change.area("Board games")
            change.repository("https://github.com/a/b")
            change.layer("Ours", licence="CC0-1.0")
    for table in ("task", "leaderboard", "metric", "author", "model", "area", "repository", "source"):
        assert rows(store, f"SELECT count(*) FROM {table}") == [(1,)], table
    assert rows(store, "SELECT slug FROM dataset ORDER BY id") == [("games",), ("games-blitz",)]
    assert rows(store, "SELECT slug FROM leaderboard") == [("chess-on-games-blitz",)]
    assert rows(store, "SELECT owner, name FROM repository") == [("a", "b")]


def test_two_names_of_one_slug_get_two_addresses(store: Store) -> None:
    with store.changing("anna", "add") as change:
        change.task("C++ Repair")
        change.task("C Repair")
    assert rows(store, "SELECT slug FROM task ORDER BY id") == [("c-repair",), ("c-repair-1",)]


def test_a_paper_is_found_by_each_of_its_addresses(store: Store) -> None:
    with store.changing("anna", "add") as change:
        paper = change.paper(title="Noisy Student", url="https://arxiv.org/abs/1911.04252v4")
        change.connection.execute("INSERT INTO alias VALUES ('paper', 'old-name', ?)", (paper,))
        for address in (
            "http://arxiv.org/pdf/1911.04252.pdf",
            "https://paperswithcode.com/paper/noisy-student",
            "https://paperswithcode.com/paper/old-name",
        ):
            assert change.paper(title="Another title", url=address) == paper
        assert change.paper(title="Noisy Student") == paper
        assert change.paper(title="Noisy Student", url="https://arxiv.org/abs/2000.00001") != paper  # another number


def test_a_result_takes_the_place_of_another(store: Store) -> None:
    with store.changing("anna", "add") as change:
        board = change.leaderboard(change.task("Chess"), change.dataset("Games"))
        old = change.add_result(Result(board, "M", {"Elo": "2000"}, external_id="x"))
    with store.changing("bert", "correct") as change:
        new = change.add_result(Result(board, "M", {"Elo": "2100 ± 10"}, external_id="x"), supersedes=old)
    assert rows(store, "SELECT id, supersedes, added_by, retired_by FROM result ORDER BY id") == [
        (old, None, 1, 2),
        (new, old, 2, None),
    ]
    assert rows(store, "SELECT raw, number, spread FROM value ORDER BY result_id") == [
        ("2000", 2000.0, None),
        ("2100 ± 10", 2100.0, 10.0),
    ]
    assert rows(store, "SELECT actor, action FROM event") == [("anna", "add"), ("bert", "correct")]
    assert json.loads(rows(store, "SELECT detail FROM event WHERE id = 2")[0][0])["counts"] == {"result": 1, "value": 1}


def test_what_a_curator_said_no_source_undoes(store: Store) -> None:
    with store.changing("anna", "add") as change:
        board = change.leaderboard(change.task("Chess"), change.dataset("Games"))
        metric = change.metric(board, "Elo", higher_is_better=True)
        change.direct(metric, False)
        change.metric(board, "Elo", higher_is_better=True)
    assert rows(store, "SELECT higher_is_better, direction_origin FROM metric") == [(0, "curated")]


def test_an_edit_is_kept_with_what_was_before_and_none_is_none(store: Store) -> None:
    with store.changing("anna", "add") as change:
        task = change.task("Chess")
    with store.changing("anna", "edit") as change:
        change.edit("task", task, description="Mate.")
        change.edit("task", task, description="Mate.")
    (detail,) = (json.loads(row[0]) for row in rows(store, "SELECT detail FROM event WHERE id = 2"))
    assert detail["changed"] == [
        {"table": "task", "id": task, "before": {"description": ""}, "after": {"description": "Mate."}}
    ]


def test_times_sort_as_texts() -> None:
    first, second = now(), now()
    assert first <= second
    assert first.endswith("Z")


@pytest.mark.parametrize("text", ["x'); DROP TABLE task; --", '"', "\\", "%", "\x00", "🂡" * 50])
def test_no_text_is_taken_for_sql(store: Store, text: str) -> None:
    with store.changing(text, text, text) as change:
        board = change.leaderboard(change.task(text), change.dataset(text))
        change.add_result(Result(board, text, {text: text}, paper=change.paper(title=text)))
    assert rows(store, "SELECT name FROM task") == [(text,)]
    assert rows(store, "SELECT raw FROM value") == [(text,)]


def test_a_change_alone_reads_the_number_of_the_next_event(store: Store) -> None:
    with store.reading() as connection:
        assert Change(connection).event == 1


def test_papers_whose_titles_share_a_slug_are_each_found_again(store: Store) -> None:
    with store.changing("anna", "add") as change:
        first = [change.paper(title=title) for title in ("On Nets", "On nets!", "On nets?", "On nets 2")]
        again = [change.paper(title=title) for title in ("On Nets", "On nets!", "On nets?", "On nets 2")]
        slugs = [row["slug"] for row in change.connection.execute("SELECT slug FROM paper ORDER BY id")]
    assert first == again
    assert slugs == ["on-nets", "on-nets-1", "on-nets-2", "on-nets-2-1"]


def test_a_clock_that_was_put_back_brings_no_event_out_of_order(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for time in ("2026-11-25T12:00:00.000000Z", "2026-11-25T11:00:00.000000Z", "2026-11-25T13:00:00.000000Z"):
        monkeypatch.setattr("noisystudent.board.catalogue.change.now", lambda time=time: time)
        with store.changing("anna", "add") as change:
            change.task(time)
    assert [at[11:13] for (at,) in rows(store, "SELECT at FROM event ORDER BY id")] == ["12", "12", "13"]


def test_papers_that_were_called_by_their_address_get_their_number(store: Store) -> None:
    with store.changing("anna", "add") as change:
        address = "http://arxiv.org/abs/2001.09694"
        change.insert("paper", slug="httparxivorgabs200109694", title=address, url_abs=address, arxiv_id="2001.09694")
        change.insert("paper", slug="home", title="https://home.example", url_abs="https://home.example")
    assert [number_papers(store, actor="anna") for _ in range(2)] == [1, 0]
    with store.reading() as connection:
        rows = connection.execute("SELECT title, slug, published FROM paper ORDER BY id").fetchall()
        assert [tuple(row) for row in rows] == [
            ("arXiv:2001.09694", "arxiv-2001-09694", "2020-01"),
            ("https://home.example", "home", None),
        ]
        assert meant(connection, "paper", "httparxivorgabs200109694") == 1
