"""How many rows there are is kept, and is what counting them gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from noisystudent.board import seed
from noisystudent.board.catalogue import hiding, history
from noisystudent.board.catalogue.store import Store
from noisystudent.board.exporting.export_file import export_file
from noisystudent.board.importing import import_file
from noisystudent.board.queries.sizes import KEPT, number_of


def assert_counted(store: Store, *, unveiled: bool = False) -> dict[str, int]:
    with store.reading(unveiled=unveiled) as connection:
        counted = {kind: connection.execute(f"SELECT count(*) FROM {kind}").fetchone()[0] for kind in KEPT}
        assert {kind: number_of(connection, kind) for kind in KEPT} == counted
        return counted


def test_what_is_kept_is_what_counting_gives(store: Store, tmp_path: Path) -> None:
    assert set(assert_counted(store).values()) == {0}
    seed.load(store, actor="anna")
    before = assert_counted(store)
    assert min(before.values()) > 0
    export_file(store, "papers-with-abstracts", tmp_path / "papers.json")
    other = Store(tmp_path / "other.db", create=True)
    event = import_file(other, tmp_path / "papers.json", actor="anna")["event"]
    assert assert_counted(other)["paper"] == before["paper"]
    history.restore(other, event, actor="anna", whole=True)
    assert assert_counted(other)["paper"] == 0


def test_what_is_hidden_is_not_counted(store: Store) -> None:
    seed.load(store, actor="anna")
    before = assert_counted(store)
    with store.reading() as connection:
        paper = connection.execute(
            "SELECT slug FROM paper WHERE id IN (SELECT paper_id FROM paper_author) ORDER BY id"
        ).fetchone()
    hiding.hide(store, "paper", paper["slug"], actor="carla")
    after = assert_counted(store)
    assert (after["paper"], after["author"] < before["author"]) == (before["paper"] - 1, True)
    assert assert_counted(store, unveiled=True) == before
    hiding.show(store, "paper", paper["slug"], actor="carla")
    assert assert_counted(store) == before


def test_every_list_of_a_whole_table_says_what_is_kept(store: Store, browser_of: Any) -> None:
    with store.noting() as connection:
        connection.execute("UPDATE size SET rows = 77")
    client = browser_of(store).client
    for path in ("papers/", "search/", "papers/search/", "authors/", "repositories/", "datasets/", "methods/"):
        assert client.get(f"/api/v1/{path}?items_per_page=1").json()["count"] == 77, path
    assert client.get("/papers.json").json()["total"] == 77
    assert {client.get("/index.json").json()["counts"][kind] for kind in KEPT} == {77}
