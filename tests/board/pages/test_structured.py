"""JSON-LD in pages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from fastapi.testclient import TestClient

from noisystudent.board.catalogue.store import Store


def found(client: TestClient, path: str) -> list[dict[str, Any]]:
    return [
        json.loads(text)
        for text in re.findall(r'<script type="application/ld\+json">(.*?)</script>', client.get(path).text)
    ]


def test_a_paper(noisy_student: Store, browser_of: Callable[..., Any]) -> None:
    client = browser_of(noisy_student, address="https://board.example").client
    [paper] = found(client, "/paper/self-training-with-noisy-student-improves")
    assert (paper["@context"], paper["@type"]) == ("https://schema.org", "ScholarlyArticle")
    assert paper["url"] == "https://board.example/paper/self-training-with-noisy-student-improves"
    assert paper["identifier"] == "arXiv:1911.04252"
    assert paper["author"][0] == {"@type": "Person", "name": "Qizhe Xie"}
    assert (paper["datePublished"], paper["isPartOf"]["name"]) == ("2019-11-11", "CVPR")
    assert "https://arxiv.org/abs/1911.04252" in paper["sameAs"]


def test_a_part_of_a_data_set(store: Store, browser_of: Callable[..., Any]) -> None:
    with store.changing("anna", "add") as change:
        whole = change.dataset("GLUE")
        part = change.dataset("CoLA", whole)
        change.edit("dataset", part, homepage="https://glue.example", licence_name="MIT", languages='["English"]')
        change.edit("dataset", whole, homepage="javascript:alert(1)", description="Nine </script> tasks")
    client = browser_of(store).client
    [dataset] = found(client, "/dataset/glue-cola")
    assert dataset == {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "@id": "http://testserver/dataset/glue-cola",
        "url": "http://testserver/dataset/glue-cola",
        "name": "GLUE: CoLA",
        "description": "GLUE: CoLA: benchmarks and papers.",
        "sameAs": "https://glue.example",
        "license": "MIT",
        "inLanguage": ["English"],
        "isPartOf": {"@type": "Dataset", "@id": "http://testserver/dataset/glue", "name": "GLUE"},
    }
    [odd] = found(client, "/dataset/glue")
    assert odd["description"] == "Nine </script> tasks"
    assert "sameAs" not in odd


def test_other_pages_have_none(noisy_student: Store, browser_of: Callable[..., Any]) -> None:
    assert found(browser_of(noisy_student).client, "/tasks") == []


def test_the_address_with_an_arxiv_number_leads_to_the_paper(
    noisy_student: Store, browser_of: Callable[..., Any]
) -> None:
    client = browser_of(noisy_student).client
    for number in ("1911.04252", "1911.04252v2"):
        answer = client.get(f"/paper/{number}", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (
            301,
            "/paper/self-training-with-noisy-student-improves",
        )
        for address in (f"/api/v1/papers/{number}", f"/api/v1/papers/{number}/", f"/api/v1/papers/{number}/results/"):
            assert client.get(address).status_code == 200, address
    assert client.get("/api/v1/papers/1911.04252").json()["id"] == "self-training-with-noisy-student-improves"
