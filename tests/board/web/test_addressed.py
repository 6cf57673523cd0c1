"""A site with an address of its own: no request's Host gets into what others are told."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from noisystudent.board.app import create_app
from noisystudent.board.catalogue.store import Store
from noisystudent.board.web.site import Site

ADDRESS = "https://board.example.org"


@pytest.mark.parametrize(
    "path", ["/tasks/", "/api/v1/repositories/x/", "/api/v1/repositories/x/?page=1", "/papers?odd=1", "/static"]
)
def test_redirects_lead_to_the_site(imagenet: Store, path: str) -> None:
    client = TestClient(create_app(Site(imagenet.path, address=ADDRESS)))
    answer = client.get(path, headers={"Host": "evil.example"}, follow_redirects=False)
    assert 300 <= answer.status_code < 400
    assert re.match(rf"{ADDRESS}/|/[^/]", answer.headers["location"])


def test_links_and_cookies_are_the_sites(imagenet: Store) -> None:
    client = TestClient(create_app(Site(imagenet.path, address=ADDRESS)))
    page = client.get("/submit/task", headers={"Host": "evil.example"})
    assert "evil.example" not in page.text
    assert f'href="{ADDRESS}/submit/task"' in page.text
    assert "__Host-visitor" in page.headers["set-cookie"]
    listed = client.get("/api/v1/tasks/?items_per_page=1", headers={"Host": "evil.example"}).text
    assert "evil.example" not in listed


def test_without_an_address_it_is_the_requests(imagenet: Store) -> None:
    client = TestClient(create_app(Site(imagenet.path)), base_url="http://one.example")
    assert 'href="http://one.example/tasks"' in client.get("/tasks").text
