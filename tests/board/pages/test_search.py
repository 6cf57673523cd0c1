"""The page of the search."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from noisystudent.board.catalogue.store import Store

AddPaper = Callable[..., int]
HERE = "/paper/self-training-with-noisy-student-improves"


@pytest.mark.usefixtures("noisy_student")
def test_finds_papers_tasks_datasets_and_methods_with_counts(client: TestClient) -> None:
    with_image = client.get("/search.json", params={"q": "image"}).json()
    assert [each["name"] for each in with_image["names"]["task"]["found"]] == ["Image Classification"]
    assert with_image["names"]["dataset"] == {"count": 1, "found": [{"slug": "imagenet", "name": "ImageNet"}]}
    assert client.get("/search.json?q=randaug").json()["names"]["method"]["count"] == 1
    html = client.get("/search", params={"q": "noisy student"}).text
    assert 'Papers <span class="muted">1</span>' in html
    assert f'<a href="{HERE}">' in html
    assert 'value="noisy student"' in html


@pytest.mark.usefixtures("noisy_student")
@pytest.mark.parametrize(
    "text",
    [
        "1911.04252",
        "arXiv:1911.04252v2",
        "https://arxiv.org/pdf/1911.04252.pdf",
        "self-training-with-noisy-student-improves",
        "https://paperswithcode.com/paper/self-training-with-noisy-student-improves",
    ],
)
def test_what_names_a_paper_leads_there(client: TestClient, text: str) -> None:
    for ending in ("", ".json"):
        answer = client.get(f"/search{ending}", params={"q": text}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (302, HERE + ending)


def test_one_word_is_searched_for_though_a_paper_has_it_as_slug(client: TestClient, add_paper: AddPaper) -> None:
    add_paper("Dropout")
    assert client.get("/search?q=dropout", follow_redirects=False).status_code == 200


def test_results_are_on_pages(client: TestClient, store: Store) -> None:
    with store.changing("anna", "add") as change:
        for number in range(45):
            change.insert("paper", slug=f"p{number}", title=f"Nets {number}", published="2020-01-01")
    pages = [client.get(f"/search.json?q=nets&page={page}").json()["papers"] for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [20, 20, 5]
    assert len({paper["slug"] for page in pages for paper in page}) == 45
    assert client.get("/search.json?q=nets&page=4").status_code == 404
    assert 'href="/search?q=nets&amp;page=2"' in client.get("/search?q=nets").text


def test_nothing_is_an_answer(client: TestClient) -> None:
    assert "No paper has all of these words." in client.get("/search?q=zzz").text
    assert client.get("/search").status_code == 200
    assert client.get("/search?q=+").status_code == 200


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=40)
    | st.lists(st.sampled_from(['"', "NEAR(", "*", "^", "title:", "AND", ")", "noisy", "\0", "😀", "//["])).map(
        " ".join
    )
)
@example("noisy" * 2_000)
@example('" OR 1=1 --')
@example("http://[")
def test_nothing_that_is_typed_breaks_a_page(client: TestClient, noisy_student: Store, text: str) -> None:
    for address in ("/search", "/search.json", "/papers", "/datasets", "/methods"):
        answer = client.get(address, params={"q": text}, follow_redirects=False)
        assert answer.status_code in (200, 302), (address, text)
        assert "<script" not in answer.text


def test_leaderboards_models_and_authors_are_found(client: TestClient, noisy_student: Store) -> None:
    with noisy_student.changing("anna", "add") as change:
        change.insert("paper_author", paper_id=1, position=90, author_id=change.author("Ada <b>Lovelace"))
    found = client.get("/search.json", params={"q": "imagenet classification"}).json()
    assert found["leaderboards"][0]["slug"] == "image-classification-on-imagenet"
    assert client.get("/search.json", params={"q": "lovelace"}).json()["authors"][0]["name"] == "Ada <b>Lovelace"
    page = client.get("/search", params={"q": "lovelace"}).text
    assert "Ada &lt;b&gt;Lovelace</a>" in page
    with noisy_student.reading() as connection:
        model = connection.execute("SELECT name FROM model WHERE name <> '' LIMIT 1").fetchone()["name"]
    assert client.get("/search.json", params={"q": model}).json()["models"][0]["name"] == model


def test_a_slip_is_said(client: TestClient, add_paper: AddPaper) -> None:
    add_paper("Noisy nets")
    page = client.get("/search", params={"q": "niosy"}).text
    assert "Nothing has these very words" in page
    assert "Noisy nets" in page
