"""What search engines ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from noisystudent.board.catalogue.store import Store
from noisystudent.board.pages import sitemap

NAMESPACE = {"s": sitemap.SITEMAPS}


def addresses(text: str) -> list[str]:
    return [str(each.text) for each in ElementTree.fromstring(text).iterfind(".//s:loc", NAMESPACE)]


def test_every_entry_has_its_address_and_each_can_be_read(
    noisy_student: Store, browser_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitemap, "PART", 2)
    client = browser_of(noisy_student).client
    files = addresses(client.get("/sitemap.xml").text)
    assert len(files) == len(set(files)) > 5
    found = [address for file in files for address in addresses(client.get(file).text)]
    assert {"http://testserver/sota/image-classification-on-imagenet", "http://testserver/method/randaugment"} <= set(
        found
    )
    with noisy_student.reading() as connection:
        kept = {kind: f"SELECT count(*) FROM {kind} WHERE {condition}" for kind, condition in sitemap.KINDS.items()}
        assert len(found) == sum(connection.execute(query).fetchone()[0] for query in kept.values())
    for address in found:
        assert client.get(address, follow_redirects=False).status_code == 200, address


def test_an_empty_catalogue_has_an_empty_one(store: Store, browser_of: Callable[..., Any]) -> None:
    client = browser_of(store).client
    assert addresses(client.get("/sitemap.xml").text) == []


@pytest.mark.parametrize("path", ["event-0", "paper--1", "paper-1000000", f"paper-{'9' * 40}"])
def test_what_is_no_sitemap_is_not_there(store: Store, browser_of: Callable[..., Any], path: str) -> None:
    assert browser_of(store).client.get(f"/sitemap/{path}.xml").status_code == 404


def test_robots_are_told_where_to_look(store: Store, browser_of: Callable[..., Any]) -> None:
    client = browser_of(store, address="https://board.example").client
    text = client.get("/robots.txt").text
    assert text.startswith("User-agent: *\nDisallow: /api/\n")
    assert text.endswith("Sitemap: https://board.example/sitemap.xml\n")
