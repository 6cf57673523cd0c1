"""What the site says about itself."""

from __future__ import annotations

from collections.abc import Callable

from starlette.testclient import TestClient

from noisystudent.board.catalogue.store import Store


def test_names_every_layer_with_its_licence_and_counts(client: TestClient, noisy_student: Store) -> None:
    sources = {source["name"]: source for source in client.get("/about.json").json()["sources"]}
    assert sources["PWC Archive"]["licence"] == "CC-BY-SA 4.0"
    assert sources["PWC Archive"]["counts"]["paper"] == 1
    assert sources[""]["counts"]["paper"] == 4
    html = client.get("/about").text
    assert 'href="https://archive.example/">PWC Archive</a>' in html
    assert "<td>CC-BY-SA 4.0</td>" in html


def test_what_was_retired_is_counted_nowhere(
    client: TestClient, store: Store, add_results: Callable[..., list[int]]
) -> None:
    first, _ = add_results({"model": "A", "values": {"Acc": "1"}}, {"model": "B", "values": {"Acc": "2"}})
    with store.changing("anna", "take off") as change:
        change.retire_result(first)
    for page in ("/about.json", "/index.json"):
        assert client.get(page).json()["counts"]["result"] == 1
    sources = client.get("/about.json").json()["sources"]
    assert [source["counts"]["result"] for source in sources if "result" in source["counts"]] == [1]


def test_says_how_old_the_newest_change_is(client: TestClient, noisy_student: Store) -> None:
    newest = client.get("/about.json").json()["newest"]
    assert newest["action"] == "claim"
    assert newest["at"][:10] in client.get("/about").text


def test_counts_directions_by_where_they_come_from(client: TestClient, add_results: Callable[..., list[int]]) -> None:
    add_results({"model": "A", "values": {"Accuracy": "1"}}, metrics={"Accuracy": True, "Vibes": None})
    assert client.get("/about.json").json()["directions"] == {"given": 1, "unknown": 1}


def test_an_empty_catalogue_has_the_page_too(client: TestClient) -> None:
    assert "Nothing is in it yet." in client.get("/about").text


def test_every_file_that_it_offers_is_there(client: TestClient, noisy_student: Store) -> None:
    for name in client.get("/about.json").json()["files"]:
        assert f'href="/export/{name}"' in client.get("/about").text
        assert client.get(f"/export/{name}").status_code == 200
