"""Which addresses a page has, and how much is kept of pages."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from noisystudent.board import app as module
from noisystudent.board.app import create_app
from noisystudent.board.catalogue.store import Store
from noisystudent.board.web.site import Site


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("/papers?utm_source=x", "/papers"),
        ("/papers.json?fbclid=x&q=noisy+student", "/papers.json?q=noisy+student"),
        ("/?a=1&a=2", "/"),
        ("/sota/image-classification-on-imagenet?x=1&metric=Top+1+Accuracy&code=yes", None),
        ("/tasks?%0d%0aSet-Cookie:a=b", "/tasks"),
    ],
)
def test_what_a_page_does_not_know_is_taken_off_its_address(
    client: TestClient, imagenet: Store, asked: str, leads_to: str | None
) -> None:
    answer = client.get(asked, follow_redirects=False)
    assert answer.status_code == 302
    expected = leads_to or "/sota/image-classification-on-imagenet?code=yes&metric=Top+1+Accuracy"
    assert answer.headers["location"] == expected
    assert client.get(expected).status_code == 200


def test_every_page_takes_what_it_knows(client: TestClient, imagenet: Store) -> None:
    for asked in (
        "/papers?q=a&task=b&venue=c&year=2020&code=&page=1",
        "/search?q=a&page=1",
        "/datasets?language=English",
    ):
        assert client.get(asked, follow_redirects=False).status_code == 200
    every = "metric=&extra=with&code=yes&parameters=1M&year_from=2000&year_to=2030&tag=&as_of=2030-01-01&chart=&columns=all&page=1&at="
    assert client.get(f"/sota/image-classification-on-imagenet?{every}", follow_redirects=False).status_code == 200


def test_one_reader_fills_no_memory(imagenet: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGES_KEPT", 200_000)
    client = TestClient(create_app(Site(imagenet.path)))
    for number in range(100):
        assert client.get(f"/papers?q={number}").status_code == 200
        assert client.get("/papers?q=same", headers={"Host": f"host{number}.example"}).status_code == 200
    pages = client.app.state.pages  # type: ignore[attr-defined]
    assert 10_000 < pages.size <= 200_000


def test_the_same_page_is_made_once(imagenet: Store) -> None:
    client = TestClient(create_app(Site(imagenet.path)))
    for query in ("?q=a&year=2020", "?year=2020&q=a", "?q=b&year=2020&q=a", "?q=a&year=2020&x=1"):
        client.get(f"/papers{query}")
    assert len(client.app.state.pages) == 1  # type: ignore[attr-defined]
