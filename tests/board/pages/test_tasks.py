"""Areas and tasks: the tree with several parents and circles, and what a task's page has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.testclient import TestClient

from noisystudent.board.catalogue.store import Store


def names(branches: list[dict[str, Any]]) -> list[Any]:
    return [
        (branch["name"], names(branch["subtasks"])) if branch["subtasks"] else branch["name"] for branch in branches
    ]


def grow(store: Store, pairs: list[tuple[str, str]]) -> None:
    """Tasks of one area, from pairs of a parent and a task."""
    with store.changing("anna", "add") as change:
        area = change.area("Vision")
        for pair in pairs:
            parent, task = (change.task(name) for name in pair)
            for number in (parent, task):
                change.connection.execute("INSERT OR IGNORE INTO task_area VALUES (?, ?)", (number, area))
            change.connection.execute("INSERT INTO task_parent (task_id, parent_id) VALUES (?, ?)", (task, parent))


def test_a_task_of_two_parents_stands_under_both(client: TestClient, store: Store) -> None:
    grow(store, [("A", "C"), ("B", "C"), ("C", "D")])
    assert names(client.get("/area/vision.json").json()["tasks"]) == [("A", [("C", ["D"])]), ("B", [("C", ["D"])])]
    assert client.get("/area/vision").text.count("/task/d") == 2


def test_a_circle_is_cut_and_loses_no_task(client: TestClient, store: Store) -> None:
    grow(store, [("A", "B"), ("B", "C"), ("C", "A"), ("Root", "Leaf")])
    assert names(client.get("/area/vision.json").json()["tasks"]) == [("Root", ["Leaf"]), ("A", [("B", ["C"])])]
    assert client.get("/area/vision").status_code == 200


def test_a_task_has_all_that_stands_under_it(
    client: TestClient, store: Store, add_results: Callable[..., list[int]]
) -> None:
    add_results({"model": "m", "values": {"Accuracy": "90"}, "published": "2020-02-03"}, area="Vision")
    with store.changing("anna", "describe") as change:
        task, child = change.task("Image Classification"), change.task("Fine-Grained Classification")
        above = change.task("Recognition")
        change.edit(
            "task", task, description="**What** is it?", link_title="Wikipedia", link_url="https://en.wikipedia.org/x"
        )
        for table, row in (
            ("task_parent", (child, task)),
            ("task_parent", (task, above)),
            ("task_synonym", (task, "Image Recognition")),
        ):
            change.connection.execute(f"INSERT INTO {table} VALUES (?, ?)", row)
        change.connection.execute("INSERT INTO dataset_task VALUES (?, ?)", (change.dataset("CIFAR-10"), task))
        change.connection.execute("INSERT INTO paper_task VALUES (1, ?, '2020-02-03')", (task,))
        change.connection.execute("INSERT INTO alias VALUES ('task', 'old', ?)", (task,))
    data = client.get("/task/image-classification.json").json()
    assert [each["name"] for each in data["parents"]] == ["Recognition"]
    assert [each["name"] for each in data["subtasks"]] == ["Fine-Grained Classification"]
    assert data["synonyms"] == ["Image Recognition"]
    assert [each["name"] for each in data["datasets"]] == ["CIFAR-10", "ImageNet"]
    assert [each["title"] for each in data["papers"]] == ["Paper of m"]
    assert data["leaderboards"][0]["model"] == "m"
    page = client.get("/task/image-classification").text
    for text in (
        "<strong>What</strong>",
        "https://en.wikipedia.org/x",
        "/feeds/task/image-classification.atom",
        "/area/vision",
    ):
        assert text in page
    answer = client.get("/task/old", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (301, "/task/image-classification")


def test_tasks_by_area_the_busiest_first(
    client: TestClient, store: Store, add_results: Callable[..., list[int]]
) -> None:
    add_results({"model": "m", "values": {"Accuracy": "90"}}, task="Busy", area="Vision")
    grow(store, [("Aloof", "Busy")])
    with store.changing("anna", "add") as change:
        change.task("Homeless")
    data = client.get("/tasks.json").json()
    assert [task["name"] for task in data["areas"][0]["top"]] == ["Busy", "Aloof"]
    assert [task["name"] for task in data["without"]] == ["Homeless"]
    assert "Homeless" in client.get("/tasks").text


def test_what_is_not_there_is_missing(client: TestClient) -> None:
    for path in ("/task/none", "/area/none", "/task/none.json"):
        assert client.get(path).status_code == 404
    assert client.get("/area/none?page=0").status_code == 422
