"""The list of datasets, and the page of a dataset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.store import Store

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def datasets(store: Store, add_paper: Callable[..., int]) -> Store:
    paper = add_paper("ImageNet: a database", published="2009-06-20", introduced=["ImageNet"])
    add_paper("Of late", published="2222-01-01", used=["ImageNet"])
    with store.changing("anna", "add") as change:
        whole = change.dataset("ImageNet")
        change.edit(
            "dataset",
            whole,
            full_name="ImageNet Large Scale",
            homepage="https://image-net.org/",
            description="Pictures of **nouns**.",
            licence_name="Custom",
            licence_url="https://image-net.org/licence",
            modalities='["Images"]',
            languages='["English"]',
            variants='["ImageNet-1k"]',
            data_loaders='[{"url": "https://loader.example/", "repo": "a/loader", "frameworks": ["jax"]}]',
            paper_id=paper,
            num_papers=14_000,
        )
        part = change.dataset("ReaL", whole)
        task = change.task("Image Classification")
        change.insert("dataset_task", dataset_id=whole, task_id=task)
        board = change.leaderboard(task, part)
        change.metric(board, "Accuracy", higher_is_better=True)
        change.add_result(Result(board, "A model", {"Accuracy": "90.5"}))
        change.edit("dataset", change.dataset("SQuAD"), modalities='["Texts"]', languages='["English"]', num_papers=5)
        change.dataset("Nameless")
    return store


def listed(client: TestClient, query: str = "") -> list[str]:
    answer = client.get(f"/datasets.json{query}")
    assert answer.status_code == 200
    return [each["name"] for each in answer.json()["datasets"]]


@pytest.mark.usefixtures("datasets")
def test_the_page_says_what_is_known(client: TestClient) -> None:
    html = client.get("/dataset/imagenet").text
    for text in (
        "<h1>ImageNet</h1>",
        "ImageNet Large Scale",
        'href="https://image-net.org/">Homepage</a>',
        "Pictures of <strong>nouns</strong>",
        'href="https://image-net.org/licence">Custom</a>',
        "<dd>Images</dd>",
        "<dd>English</dd>",
        "<dd>ImageNet-1k</dd>",
        'href="https://loader.example/">a/loader</a> <span class="muted">jax</span>',
        '<a href="/dataset/imagenet-real">ReaL</a>',
        '<a href="/sota/image-classification-on-imagenet-real">Image Classification on ImageNet: ReaL</a>',
        "A model",
        "90.5",
        '<a href="/paper/imagenet-a-database">ImageNet: a database</a>',
        '<a href="/task/image-classification">Image Classification</a>',
        "The first 1 of 2.",
    ):
        assert text in html, text


@pytest.mark.usefixtures("datasets")
def test_a_part_names_its_whole(client: TestClient) -> None:
    html = client.get("/dataset/imagenet-real").text
    assert "<h1>ImageNet: ReaL</h1>" in html
    assert '/ <a href="/dataset/imagenet">ImageNet</a>' in html
    assert client.get("/dataset/imagenet-real.json").json()["whole"] == {"slug": "imagenet", "name": "ImageNet"}


@pytest.mark.usefixtures("datasets")
def test_the_list_has_the_most_used_first_and_filters(client: TestClient) -> None:
    assert listed(client) == ["ImageNet", "SQuAD", "Nameless"]
    assert listed(client, "?modality=Texts") == ["SQuAD"]
    assert listed(client, "?language=English") == ["ImageNet", "SQuAD"]
    assert listed(client, "?language=English&modality=Images&task=Image Classification") == ["ImageNet"]
    assert listed(client, "?task=image-classification") == ["ImageNet"]
    assert listed(client, "?q=real") == ["ImageNet: ReaL"]
    for query in ("?modality=Smells", "?task=no-such", "?q=zzz"):
        assert listed(client, query) == [], query
    html = client.get("/datasets?language=English").text
    assert "<option selected>English</option>" in html
    assert "<option>Texts</option>" in html


def test_pages_of_the_list(client: TestClient, store: Store) -> None:
    with store.changing("anna", "add") as change:
        for number in range(70):
            change.dataset(f"Data {number:02d}")
    assert len(listed(client)) == 50
    assert len(listed(client, "?page=2")) == 20
    assert 'href="/datasets?q=data&amp;page=2"' in client.get("/datasets?q=data").text


def test_old_addresses_lead_on_and_unknown_ones_nowhere(client: TestClient, datasets: Store) -> None:
    with datasets.changing("anna", "alias") as change:
        change.connection.execute(
            "INSERT INTO alias VALUES ('dataset', 'imagenet-1k', ?)", (change.dataset("ImageNet"),)
        )
    answer = client.get("/dataset/imagenet-1k.json", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (301, "/dataset/imagenet.json")
    assert client.get("/dataset/none").status_code == 404


@pytest.mark.parametrize(
    "columns",
    [
        dict.fromkeys(("full_name", "homepage", "description", "short_description", "warning", "licence_name"), EVIL),
        {"homepage": "javascript:alert(1)", "licence_url": "data:text/html,x", "paper_url": "javascript:alert(1)"},
        {"modalities": f'["{EVIL}"]', "languages": f'["{EVIL}", 5, null, {{}}]', "variants": '{"a": 1}'},
        {"data_loaders": f'[{{"url": "javascript:alert(1)", "repo": "{EVIL}", "frameworks": null}}, 7]'},
    ],
)
def test_whatever_stands_in_a_row_is_shown_as_text(client: TestClient, store: Store, columns: dict[str, Any]) -> None:
    with store.changing("anna", "add") as change:
        change.edit("dataset", change.dataset("Odd"), **columns)
    for address in ("/dataset/odd", "/datasets", "/datasets?q=odd"):
        answer = client.get(address)
        assert answer.status_code == 200
        assert "<script" not in answer.text.replace(
            '<script type="application/ld+json">', "", 1
        )  # data, which no browser runs
        assert 'href="javascript' not in answer.text
        assert 'href="data' not in answer.text
