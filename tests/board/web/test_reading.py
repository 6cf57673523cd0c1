"""Reads of pages, files and the API: said once, until the catalogue or the day is another; and what an address names."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from noisystudent.board.catalogue.names import meant
from noisystudent.board.catalogue.store import Store

PAGE, FILE, API = "/papers", "/export/methods.json.gz", "/api/v1/papers/"


@pytest.mark.parametrize("path", [PAGE, "/papers.json", "/feeds/newest.atom", FILE, API])
def test_what_its_reader_has_is_not_sent_again_until_something_changes(
    client: TestClient, imagenet: Store, path: str
) -> None:
    first = client.get(path)
    assert (first.status_code, first.headers["cache-control"]) == (200, "no-cache")
    having = {"If-None-Match": f'"other", {first.headers["etag"]}'}
    again = client.get(path, headers=having)
    assert (again.status_code, again.content) == (304, b"")
    assert [again.headers[name] for name in ("etag", "cache-control")] == [first.headers["etag"], "no-cache"]
    with imagenet.changing("anna", "add") as change:
        change.task("Another")
    assert client.get(path, headers=having).status_code == 200


def test_a_day_later_lists_may_end_elsewhere_and_files_are_the_same(
    client: TestClient, imagenet: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    had = {path: {"If-None-Match": client.get(path).headers["etag"]} for path in (PAGE, FILE, API)}
    for room in ("web.view", "api.operations"):
        monkeypatch.setattr(f"noisystudent.board.{room}.today", lambda: "2222-02-22")
    assert [client.get(path, headers=having).status_code for path, having in had.items()] == [200, 304, 200]


def test_each_address_has_a_tag_of_its_own(client: TestClient, imagenet: Store) -> None:
    paths = (PAGE, "/papers.json", "/papers?q=a", API, f"{API}?page=1", FILE, "/export/datasets.json.gz")
    assert len({client.get(path).headers["etag"] for path in paths}) == len(paths)


def test_the_api_refuses_what_it_does_not_know_by_name(client: TestClient, imagenet: Store) -> None:
    answer = client.get(f"{API}?q=noisy&unknown=1", follow_redirects=False)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("there is no parameter unknown here; there are ")


@pytest.mark.parametrize(
    ("kind", "old", "leads_to"),
    [
        ("task", "/task/old", "/task/image-classification"),
        ("task", "/feeds/task/old.atom", "/feeds/task/image-classification.atom"),
        ("area", "/area/old.json?page=1", "/area/computer-vision.json?page=1"),
        ("area", "/feeds/area/Computer%20Vision.atom", "/feeds/area/computer-vision.atom"),
    ],
)
def test_what_means_an_entry_leads_to_it(
    client: TestClient, imagenet: Store, kind: str, old: str, leads_to: str
) -> None:
    with imagenet.changing("anna", "rename") as change:
        change.area("Computer Vision")
        number = meant(change.connection, kind, {"task": "Image Classification", "area": "Computer Vision"}[kind])
        change.insert("alias", kind=kind, old="old", id=number)
    answer = client.get(old, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (301, leads_to)
    assert client.get(leads_to).status_code == 200


@pytest.mark.parametrize(
    "path", ["/task/Nothing", "/task/Nothing.json", "/feeds/task/Nothing.atom", "/api/v1/tasks/Nothing/"]
)
def test_what_means_none_is_said_in_one_sentence(client: TestClient, imagenet: Store, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "here is no task 'Nothing'" in answer.text.replace("&#39;", "'")
