"""The front page."""

from __future__ import annotations

from collections.abc import Callable

from starlette.testclient import TestClient

from noisystudent.board.catalogue.store import Store


def test_an_empty_catalogue_has_a_front_page(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "There are no results yet" in page.text
    assert client.get("/index.json").json()["counts"]["paper"] == 0


def test_the_busiest_leaderboards_with_who_leads(client: TestClient, add_results: Callable[..., list[int]]) -> None:
    rows = [
        {"model": f"m{number}", "values": {"Accuracy": str(70 + number)}, "published": f"202{number}-01-01"}
        for number in range(3)
    ]
    add_results(*rows, area="Computer Vision", note="the first ones")
    add_results({"model": "x", "values": {"Accuracy": "1"}}, dataset="CIFAR-10")
    data = client.get("/index.json").json()
    assert [board["slug"] for board in data["notable"]] == [
        "image-classification-on-imagenet",
        "image-classification-on-cifar-10",
    ]
    assert data["notable"][0]["model"] == "m2"
    assert data["counts"]["result"] == 4
    assert data["events"][0]["summary"].startswith("1 result, 1 leaderboard")
    page = client.get("/").text
    for text in (
        "Image Classification on ImageNet",
        "since 2022-01-01",
        "Computer Vision",
        "Paper of m2",
        "the first ones",
    ):
        assert text in page
    assert page.count('class="spark"') == 1


def test_papers_of_the_future_are_not_the_newest(client: TestClient, store: Store) -> None:
    with store.changing("anna", "add") as change:
        for title, published in (("Past", "2020-01-01"), ("Future", "2222-01-01"), ("Odd", "soon"), ("Undated", None)):
            change.paper(title=title, published=published)
    assert [paper["title"] for paper in client.get("/index.json").json()["papers"]] == ["Past"]
