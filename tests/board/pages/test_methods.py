"""Methods by area and collection, and the page of a method."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.store import Store
from noisystudent.board.charts.bars import bars

AddPaper = Callable[..., int]
EVIL = "<script>alert(1)</script>"


def number_of(change: Change, name: str) -> int:
    return int(change.connection.execute("SELECT id FROM method WHERE name = ?", (name,)).fetchone()["id"])


@pytest.fixture
def methods(store: Store, add_paper: AddPaper) -> Store:
    origin = add_paper("Dropout: a simple way", published="2014-06-01", methods=["Dropout"])
    for number, year in enumerate((2016, 2016, 2222)):
        add_paper(f"Uses it {number}", published=f"{year}-01-0{number + 1}", methods=["Dropout"])
    add_paper("Uses it undated", methods=["Dropout"])
    with store.changing("anna", "add") as change:
        dropout = number_of(change, "Dropout")
        change.edit(
            "method",
            dropout,
            full_name="Dropout of units",
            description="Leaves *units* out.",
            introduced_year=2014,
            paper_id=origin,
            code_snippet_url="https://code.example/dropout.py",
            source_title="The source",
            source_url="https://source.example/",
            num_papers=900,
        )
        general = change.insert(
            "collection", slug="regularization", name="Regularization", area="General", area_slug="general"
        )
        change.insert(
            "collection", slug="attention", name="Attention", area="Natural Language Processing", area_slug="nlp"
        )
        change.insert("method_collection", method_id=dropout, collection_id=general)
        change.insert("method", slug="adam", name="Adam", num_papers=1_000)
    return store


def listed(client: TestClient, query: str = "") -> list[str]:
    answer = client.get(f"/methods.json{query}")
    assert answer.status_code == 200
    return [each["name"] for each in answer.json()["methods"]]


@pytest.mark.usefixtures("methods")
def test_the_page_says_what_is_known(client: TestClient) -> None:
    html = client.get("/method/dropout").text
    for text in (
        "<h1>Dropout of units</h1>",
        "Leaves <em>units</em> out.",
        '<a href="/paper/dropout-a-simple-way">Dropout: a simple way</a>',
        'href="https://code.example/dropout.py">Code snippet</a>',
        'href="https://source.example/">The source</a>',
        '<a href="/methods?collection=regularization">Regularization</a>',
        "The first 3 of 5.",
        'aria-label="Papers by year: 2014: 1, 2015: 0, 2016: 2"',
    ):
        assert text in html, text
    found = client.get("/method/dropout.json").json()
    assert found["usage"] == {"2014": 1, "2015": 0, "2016": 2}
    assert [paper["slug"] for paper in found["papers"]] == ["uses-it-1", "uses-it-0", "dropout-a-simple-way"]


def test_usage_of_many_is_counted_from_the_index_and_is_the_same(
    client: TestClient, methods: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("noisystudent.board.queries.usage.MANY", 0)
    test_the_page_says_what_is_known(client)


@pytest.mark.usefixtures("methods")
def test_the_list_goes_by_area_and_collection(client: TestClient) -> None:
    assert listed(client) == ["Adam", "Dropout"]
    assert listed(client, "?area=general") == ["Dropout"]
    assert listed(client, "?collection=regularization") == ["Dropout"]
    assert listed(client, "?q=drop") == ["Dropout"]
    for query in ("?collection=attention", "?collection=none", "?area=none", "?q=zzz", "?q=drop&area=nlp"):
        assert listed(client, query) == [], query
    html = client.get("/methods").text
    assert html.index("<h2>General</h2>") < html.index("<h2>Natural Language Processing</h2>")
    assert (
        '<a class="tag" href="/methods?collection=regularization">Regularization <span class="muted">1</span></a>'
        in html
    )


def test_old_addresses_lead_on_and_unknown_ones_nowhere(client: TestClient, methods: Store) -> None:
    with methods.changing("anna", "alias") as change:
        change.connection.execute("INSERT INTO alias VALUES ('method', 'old', ?)", (number_of(change, "Adam"),))
    answer = client.get("/method/old", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (301, "/method/adam")
    assert client.get("/method/none").status_code == 404


def test_whatever_stands_in_a_row_is_shown_as_text(client: TestClient, store: Store) -> None:
    with store.changing("anna", "add") as change:
        columns = dict.fromkeys(("name", "full_name", "description", "paper_title", "source_title"), EVIL)
        addresses = dict.fromkeys(("paper_url", "source_url", "code_snippet_url"), "javascript:alert(1)")
        method = change.insert("method", slug="odd", **columns, **addresses)
        collection = change.insert("collection", slug="odd", name=EVIL, area=EVIL, area_slug='"><script>')
        change.insert("method_collection", method_id=method, collection_id=collection)
    for address in ("/method/odd", "/methods", "/methods?collection=odd", "/methods?q=script"):
        answer = client.get(address)
        assert answer.status_code == 200
        assert "<script" not in answer.text
        assert 'href="javascript' not in answer.text


def test_of_many_years_some_have_a_label() -> None:
    svg = bars(dict.fromkeys(range(1990, 2020), 1))
    assert svg.count("<rect") == 30
    assert svg.count("<text") == 20
    assert ">2019<" in svg
