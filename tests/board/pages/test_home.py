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
    assert data["events"][0]["summary"].startswith("4 results, 2 leaderboards")
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


def test_who_was_overtaken_this_month(client: TestClient, add_results: Callable[..., list[int]]) -> None:
    add_results({"model": "old", "values": {"Accuracy": "80"}}, note="at first nobody is overtaken")
    assert client.get("/index.json").json()["moved"] == []
    add_results({"model": "equal", "values": {"Accuracy": "80"}, "published": "2001-01-01"})
    add_results({"model": "worse", "values": {"Accuracy": "70"}})
    assert client.get("/index.json").json()["moved"] == []
    add_results({"model": "new", "values": {"Accuracy": "90"}})
    (moved,) = client.get("/index.json").json()["moved"]
    assert (moved["model"], moved["value"], moved["before"]["value"]) == ("new", "90", "80")
    assert "Leaderboards that had a leader and got a new one since" in client.get("/").text


def test_what_trends_by_one_rule(client: TestClient, store: Store, add_results: Callable[..., list[int]]) -> None:
    rows = [
        {"model": f"m{number}", "values": {"Accuracy": str(70 + number)}, "published": f"20{10 + number}-01-01"}
        for number in range(5)
    ]
    add_results(*rows)
    add_results(*rows, dataset="CIFAR-10")
    add_results(*rows[:4], dataset="Too few")
    with store.changing("anna", "add") as change:
        for title, published, stars in (
            ("Starred", "2013-06-01", 5_000),
            ("Unknown", "2013-06-01", None),
            ("Old", "2012-06-01", 9_000),
            ("No day", "2014-02-30", None),
        ):
            paper, code = (
                change.paper(title=title, published=published),
                change.repository(f"https://github.com/a/{title}"),
            )
            change.edit("repository", code, stars=stars)
            change.insert("paper_repository", paper_id=paper, repository_id=code)
    trending = client.get("/index.json").json()["trending"]
    expected = [("Paper of m4", 2), ("Paper of m3", 2), ("Starred", 0)]
    assert [(paper["title"], paper["leaderboards"]) for paper in trending] == expected
    assert "of their code a day" in client.get("/").text
    of_api = client.get("/api/v1/papers/trending/").json()["results"]
    assert [paper["title"] for paper in of_api] == [title for title, _ in expected]
    in_order = client.get("/api/v1/papers/?order_by=trending").json()["results"]
    assert [paper["title"] for paper in in_order][:3] == [title for title, _ in expected]


def test_imports_of_a_day_are_one_change(client: TestClient, store: Store) -> None:
    """The parts of an import are one, told with the counts of all; so are imports of several files in a row."""
    for file, parts in (("a.json", 1), ("b.json", 3)):
        first = 0
        for part in range(parts):
            with store.changing("anna", "import", f"{file} {part}") as change:
                change.paper(title=f"{file} {part}")
                if first:
                    change.report["import"] = first
                first = first or change.event
    with store.changing("carla", "correct") as change:
        change.paper(title="another")
    events = client.get("/index.json").json()["events"]
    assert [(event["action"], event["number"], event["summary"]) for event in events] == [
        ("correct", 1, "1 paper"),
        ("import", 2, "4 papers"),
    ]
    assert events[1]["notes"] == ["b.json 2", "a.json 0"]
    assert "2 notes" in client.get("/").text
