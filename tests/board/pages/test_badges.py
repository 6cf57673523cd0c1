"""Badges: today's rank, in an image of ours and in the JSON of shields.io."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from noisystudent.board.catalogue.store import Store
from noisystudent.board.pages.badges import PLACED, draw

BOARD = "image-classification-on-imagenet"


@pytest.fixture
def two_papers(add_results: Callable[..., list[int]]) -> None:
    add_results(
        {"model": "first", "values": {"Accuracy": "90"}, "published": "2021-01-01"},
        {"model": "second", "values": {"Accuracy": "80"}, "published": "2020-01-01"},
        {"model": "range", "values": {"Accuracy": "70 ~ 80"}, "published": "2020-01-01"},
    )


@pytest.mark.usefixtures("two_papers")
@pytest.mark.parametrize(
    ("paper", "label"),
    [("paper-of-first", "State of the art"), ("paper-of-second", "Ranked #2"), ("paper-of-range", "No rank")],
)
def test_the_rank_of_today(client: TestClient, paper: str, label: str) -> None:
    answer = client.get(f"/badge/{BOARD}/{paper}.svg")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    root = ElementTree.fromstring(answer.content)
    assert root.get("aria-label") == f"{label}: Image Classification on ImageNet"
    said = client.get(f"/badge/{paper}/{BOARD}").json()
    assert said.keys() == {"schemaVersion", "label", "message", "color"}
    assert (said["schemaVersion"], said["label"], said["message"]) == (1, label, "Image Classification on ImageNet")


@pytest.mark.usefixtures("two_papers")
def test_a_badge_follows_the_leaderboard(client: TestClient, add_results: Callable[..., list[int]]) -> None:
    add_results({"model": "third", "values": {"Accuracy": "95"}})
    assert client.get(f"/badge/paper-of-first/{BOARD}").json()["label"] == "Ranked #2"


@pytest.mark.usefixtures("two_papers")
def test_old_names_still_have_their_badge(client: TestClient, store: Store) -> None:
    with store.changing("carla", "rename") as change:
        change.connection.execute("INSERT INTO alias VALUES ('leaderboard', 'old', 1), ('paper', 'old', 1)")
    assert client.get("/badge/old/old.svg").status_code == 200
    assert client.get("/badge/old/old").json()["label"] == "State of the art"


@pytest.mark.usefixtures("two_papers")
@pytest.mark.parametrize("path", [f"/badge/{BOARD}/none.svg", "/badge/none/paper-of-first.svg", f"/badge/none/{BOARD}"])
def test_what_is_not_there_has_no_badge(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


@given(st.text(), st.text())
def test_any_text_gives_a_well_formed_image(label: str, message: str) -> None:
    ElementTree.fromstring(draw(label, message, PLACED))
