"""What readers are shown of an entry is the same at every door, and costs no view that is written out."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from noisystudent.board.app import create_app
from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.store import Store
from noisystudent.board.exporting import leaderboard_csv
from noisystudent.board.queries import additions, datasets, leaderboards, papers, standings
from noisystudent.board.submitting.differences import difference_of
from noisystudent.board.submitting.payloads import read
from noisystudent.board.web.site import Site

BOARD = "semantic-segmentation-on-cityscapes-val"
NAME = "Semantic Segmentation on Cityscapes: val"


@pytest.fixture
def parts(store: Store) -> Store:
    """A leaderboard on a part of a dataset, with a claim of a paper that has another title since."""
    with store.changing("anna", "add") as change:
        part = change.dataset("val", change.dataset("Cityscapes"))
        board = change.leaderboard(change.task("Semantic Segmentation"), part)
        paper = change.paper(title="Old title", url="https://arxiv.org/abs/2001.00001", published="2020-01-02")
        change.metric(board, "mIoU", higher_is_better=True)
        result = Result(board, "Net", {"mIoU": "80.1"}, paper=paper, paper_title="Old title", kind="claim")
        change.add_result(result)
        change.edit("paper", paper, title="New title")
    return store


def summary(kind: str, **payload: Any) -> Callable[[Store, TestClient], str]:
    def of(store: Store, client: TestClient) -> str:
        with store.reading() as connection:
            return difference_of(connection, kind, read(kind, payload)).summary  # type: ignore[arg-type]

    return of


def page(address: str) -> Callable[[Store, TestClient], str]:
    def of(store: Store, client: TestClient) -> str:
        answer = client.get(address)
        assert answer.status_code == 200
        return answer.text

    return of


def csv(store: Store, client: TestClient) -> str:
    stream = io.BytesIO()
    with store.reading() as connection:
        leaderboard_csv.write(connection, stream, of=1)
    return stream.getvalue().decode()


NAMING: dict[str, Callable[[Store, TestClient], str]] = {
    "page": page(f"/sota/{BOARD}"),
    "history": page(f"/history/{BOARD}"),
    "paper": page("/paper/old-title"),
    "feed": page(f"/feeds/sota/{BOARD}.atom"),
    "list": page("/sota?q=cityscapes"),
    "result": summary("result", leaderboard=BOARD, model="Other", metrics={"mIoU": "81"}),
    "result, by task and dataset": summary(
        "result", task="Semantic Segmentation", dataset="cityscapes-val", model="Other", metrics={"mIoU": "81"}
    ),
    "direction": summary("direction", leaderboard=BOARD, metric="mIoU", higher_is_better=False),
}
TITLED = {name: NAMING[name] for name in ("page", "paper", "feed", "list")} | {"csv": csv}


@pytest.mark.parametrize("door", NAMING)
def test_a_part_of_a_dataset_is_named_with_the_whole(door: str, parts: Store) -> None:
    with TestClient(create_app(Site(parts.path))) as client:
        text = NAMING[door](parts, client)
    assert NAME in text or ("Cityscapes: val" in text and door in ("paper", "list"))


@pytest.mark.parametrize("door", TITLED)
def test_a_paper_is_called_as_it_is_called_now(door: str, parts: Store) -> None:
    with TestClient(create_app(Site(parts.path))) as client:
        text = TITLED[door](parts, client)
    assert "New title" in text
    assert "Old title" not in text


def test_no_view_is_written_out_to_read_a_row_of_it(parts: Store) -> None:
    asked: list[str] = []
    connection = parts.connect()
    connection.set_trace_callback(asked.append)
    leaderboards.listed(connection, leaderboards.Choice(words=("city",), no_area=True), limit=10)
    leaderboards.count(connection, leaderboards.Choice(area=1))
    leaderboards.find(connection, BOARD)
    leaderboards.record_line(connection, BOARD, "2027-01-01")
    (metric,) = leaderboards.metrics_of(connection, 1)
    found = standings.standings(connection, 1, metric, 1)
    found.only(standings.Filters(True, True, 1e9, 2020, 2021, "CNN")).part(0, 10)
    found.points()
    papers.results_of(connection, 1, 10)
    datasets.listed(connection, datasets.DatasetChoice(), limit=10)
    datasets.find(connection, "cityscapes-val")
    datasets.leaderboards_of(connection, 1, 10)
    additions.newest_additions(connection, 1, 5)
    connection.set_trace_callback(None)
    assert len(asked) >= 10
    plans = {query: [row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")] for query in asked}
    connection.close()
    written_out = ("MATERIALIZE", "CO-ROUTINE", "AUTOMATIC")
    assert {
        query: plan for query, plan in plans.items() if any(word in step for step in plan for word in written_out)
    } == {}
