"""Pages of authors and venues."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from noisystudent.board.catalogue.store import Store

AddPaper = Callable[..., int]


@pytest.mark.usefixtures("noisy_student")
def test_an_author_has_all_papers_the_undated_last(client: TestClient, add_paper: AddPaper) -> None:
    add_paper("Undated", authors=["Qizhe Xie", "Qizhe Xie"])
    found = client.get("/author/qizhe-xie.json").json()
    assert [paper["slug"] for paper in found["papers"]] == [
        "from-the-future",
        "one-task-in-common",
        "self-training-with-noisy-student-improves",
        "undated",
    ]
    assert found["total"] == 4
    html = client.get("/author/qizhe-xie").text
    assert "<h1>Qizhe Xie</h1>" in html
    assert '<a href="/paper/undated">Undated</a>' in html


def test_many_papers_are_on_pages(client: TestClient, store: Store) -> None:
    with store.changing("anna", "add") as change:
        author = change.author("Busy <b>Bee</b>")
        for number in range(60):
            paper = change.insert("paper", slug=f"p{number}", title="P")
            change.insert("paper_author", paper_id=paper, position=0, author_id=author)
    slug = "busy-bbeeb"
    assert len(client.get(f"/author/{slug}.json?page=2").json()["papers"]) == 10
    html = client.get(f"/author/{slug}").text
    assert f'href="/author/{slug}?page=2"' in html
    assert "<b>Bee</b>" not in html


def test_old_addresses_lead_on_and_unknown_ones_nowhere(client: TestClient, noisy_student: Store) -> None:
    with noisy_student.changing("anna", "alias") as change:
        change.connection.execute("INSERT INTO alias VALUES ('author', 'q-xie', ?)", (change.author("Qizhe Xie"),))
    answer = client.get("/author/q-xie", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (301, "/author/qizhe-xie")
    assert client.get("/author/none").status_code == 404
    assert client.get("/venue/none").status_code == 404


@pytest.mark.usefixtures("noisy_student")
def test_a_venue_has_its_proceedings_and_newest_papers(client: TestClient) -> None:
    html = client.get("/venue/cvpr").text
    assert 'CVPR 2020 6 <span class="muted">1</span>' in html
    assert '<a href="/paper/self-training-with-noisy-student-improves">' in html
    assert '<a href="/papers?venue=cvpr">' in html
    assert client.get("/venue/cvpr.json").json()["total"] == 1
