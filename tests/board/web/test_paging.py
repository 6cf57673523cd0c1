"""The pages of lists: what is on each, and that there is none behind the last."""

from __future__ import annotations

import pytest
from fastapi import HTTPException
from starlette.testclient import TestClient

from noisystudent.board.catalogue.store import Store
from noisystudent.board.web.paging import Paging


@pytest.mark.parametrize(("count", "pages"), [(0, 0), (1, 1), (50, 1), (51, 2), (100, 2)])
def test_how_many_pages_there_are(count: int, pages: int) -> None:
    assert Paging(1, 50).pages(count) == pages
    if pages:
        assert Paging(pages, 50).pages(count) == pages
    behind = Paging(max(pages, 1) + 1, 50)
    with pytest.raises(HTTPException, match=f"there is no page {behind.number}: {count} items at 50 a page"):
        behind.pages(count)


@pytest.mark.parametrize(
    "path",
    [
        "/papers",
        "/datasets.json",
        "/methods",
        "/search?q=student",
        "/sota",
        "/area/computer-vision",
        "/author/qizhe-xie",
        "/history/image-classification-on-imagenet",
        "/api/v1/papers/",
        "/api/v1/search/?q=student",
        "/api/v1/papers/?q=%3F",
    ],
)
def test_no_list_has_a_page_behind_its_last(client: TestClient, imagenet: Store, path: str) -> None:
    with imagenet.changing("anna", "add") as change:
        change.area("Computer Vision")
        change.author("Qizhe Xie")

    def at(page: int) -> str:
        return f"{path}{'&' if '?' in path else '?'}page={page}"

    assert client.get(at(1)).status_code == 200
    answer = client.get(at(2))
    assert answer.status_code == 404
    assert "here is no page 2" in answer.text or (path == "/papers" and "There is no such page" in answer.text)
    assert [client.get(at(page)).status_code for page in (0, -1, 1_000_001)] == [422] * 3
