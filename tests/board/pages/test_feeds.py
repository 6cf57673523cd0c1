"""Feeds: valid Atom, with ids that stay and times that are right."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from xml.etree import ElementTree

import pytest
from starlette.testclient import TestClient

from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.store import Store

ATOM = {"a": "http://www.w3.org/2005/Atom"}
HOSTILE = "a < b & \"c\" \x0b😀 ]]> 'd'"


def feed_of(client: TestClient, path: str) -> ElementTree.Element:
    """The feed, once it is known to have what Atom asks for."""
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/atom+xml")
    feed = ElementTree.fromstring(answer.content)
    for node in (feed, *feed.findall("a:entry", ATOM)):
        assert all(node.findtext(f"a:{name}", "", ATOM) for name in ("id", "title", "updated"))
        assert datetime.fromisoformat(node.findtext("a:updated", "", ATOM)).tzinfo is not None
    assert feed.findtext("a:author/a:name", "", ATOM)
    ids = [entry.findtext("a:id", "", ATOM) for entry in feed.findall("a:entry", ATOM)]
    assert len(ids) == len(set(ids))
    assert feed.find("a:link[@rel='self']", ATOM) is not None
    return feed


def titles(feed: ElementTree.Element) -> list[str]:
    return [entry.findtext("a:title", "", ATOM) for entry in feed.findall("a:entry", ATOM)]


@pytest.fixture
def papers(store: Store) -> None:
    with store.changing("anna", "add") as change:
        task, area = change.task("Image Classification"), change.area("Computer Vision")
        change.connection.execute("INSERT INTO task_area VALUES (?, ?)", (task, area))
        for title, published in (
            ("Old", "2019-01-01"),
            ("New", "2021-01-01"),
            ("Future", "2222-01-01"),
            ("Odd", "2020"),
            (HOSTILE, "2020-01-01"),
        ):
            paper = change.paper(title=title, published=published)
            change.connection.execute("INSERT INTO paper_task VALUES (?, ?, ?)", (paper, task, published))


@pytest.mark.usefixtures("papers")
@pytest.mark.parametrize(
    "path", ["/feeds/newest.atom", "/feeds/area/computer-vision.atom", "/feeds/task/image-classification.atom"]
)
def test_newest_papers(client: TestClient, path: str) -> None:
    feed = feed_of(client, path)
    assert titles(feed) == ["New", HOSTILE.replace("\x0b", ""), "Old"]
    first = feed.find("a:entry", ATOM)
    assert first is not None
    assert first.findtext("a:id", "", ATOM) == "http://testserver/paper/new"
    assert first.findtext("a:updated", "", ATOM) == "2021-01-01T00:00:00Z"
    assert feed.findtext("a:updated", "", ATOM) == "2021-01-01T00:00:00Z"


def test_results_and_records(client: TestClient, store: Store, add_results: Callable[..., list[int]]) -> None:
    add_results({"model": "first", "values": {"Accuracy": "80"}}, {"model": "worse", "values": {"Accuracy": "70"}})
    add_results({"model": "better", "values": {"Accuracy": "90"}, "paper_title": HOSTILE})
    add_results({"model": "level", "values": {"Accuracy": "90"}})
    (gone,) = add_results({"model": "mistaken", "values": {"Accuracy": "99"}})
    with store.changing("carla", "retire") as change:
        change.retire_result(gone)
        change.add_result(Result(1, "ours", {"Accuracy": "91"}, kind="run"))
    feed = feed_of(client, "/feeds/sota/image-classification-on-imagenet.atom")
    assert titles(feed) == [
        "Measured: ours: 91 Accuracy",
        "New result: level: 90 Accuracy",
        "New record: better: 90 Accuracy",
        "New record: first: 80 Accuracy",
        "New result: worse: 70 Accuracy",
    ]
    at = store.connect().execute("SELECT max(at) FROM event").fetchone()[0]
    assert feed.findtext("a:updated", "", ATOM) == at


def test_empty_and_missing_feeds(client: TestClient) -> None:
    assert titles(feed_of(client, "/feeds/newest.atom")) == []
    for path in ("/feeds/sota/none.atom", "/feeds/area/none.atom", "/feeds/task/none.atom"):
        assert client.get(path).status_code == 404
