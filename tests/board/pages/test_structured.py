"""JSON-LD in pages.

Where NOISYSTUDENT_CROISSANT names a Python that has mlcroissant (1.1.1 of PyPI, an environment of its own), it judges those of data sets.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from noisystudent.board import seed
from noisystudent.board.catalogue.store import Store

VALIDATE = """
import json, sys
import mlcroissant
for path in sys.argv[1:]:
    try:
        issues = mlcroissant.Dataset(jsonld=json.load(open(path))).metadata.ctx.issues
        print(json.dumps([path, sorted(issues.errors), sorted(issues.warnings)]))
    except mlcroissant.ValidationError as error:
        print(json.dumps([path, [str(error)], []]))
"""


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
    context = dataset.pop("@context")
    assert (context["@vocab"], context["citeAs"]) == ("https://schema.org/", "cr:citeAs")
    assert dataset == {
        "conformsTo": "http://mlcommons.org/croissant/1.0",
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


@pytest.fixture
def odd(store: Store, add_paper: Callable[..., int]) -> Store:
    """Data sets as nobody would describe them."""
    seed.load(store, actor="anna")
    paper = add_paper('On {CoLA} & "co" \\', published="2020-02-30")
    with store.changing("anna", "add") as change:
        for number, about in enumerate(
            [
                {},
                {"description": 'Two\n\nlines, "two" </script> \u2028', "homepage": "https://odd.example/%22"},
                {"introduced_date": "2020-13-45", "licence_name": "CC 'BY'", "languages": '["English", "Klingon"]'},
                {"introduced_date": "2020", "licence_url": "https://licence.example/", "modalities": '["Images", ""]'},
                {"introduced_date": "0000-01-01", "paper_title": "Not\nhere", "full_name": "Odd"},
                {"introduced_date": "2020-02", "paper_id": paper, "licence_url": "javascript:alert(1)"},
            ]
        ):
            dataset = change.dataset(f"Odd {number}: \"quoted\" & '日本' <b>", change.dataset("Whole"))
            if about:
                change.edit("dataset", dataset, **about)
    return store


def test_only_a_day_is_a_day_and_the_paper_is_cited(odd: Store, browser_of: Callable[..., Any]) -> None:
    client = browser_of(odd).client
    of_odd = {page["name"][7:12]: page for page in datasets(odd, client) if "Odd" in page["name"]}
    days = [page.get("datePublished") for _, page in sorted(of_odd.items())]
    assert days == [None, None, None, "2020", None, "2020-02"]
    assert of_odd["Odd 5"]["citeAs"].startswith("@misc{on-cola-co,")
    assert of_odd["Odd 4"]["citeAs"] == "Not\nhere"


def test_the_validator_of_croissant_finds_no_error(odd: Store, browser_of: Callable[..., Any], tmp_path: Path) -> None:
    python = os.environ.get("NOISYSTUDENT_CROISSANT")
    if not python:
        pytest.skip("NOISYSTUDENT_CROISSANT is not set")
    pages = datasets(odd, browser_of(odd).client)
    for number, page in enumerate(pages):
        (tmp_path / f"{number}.json").write_text(json.dumps(page))
    files = [str(tmp_path / f"{number}.json") for number in range(len(pages))]
    done = subprocess.run([python, "-c", VALIDATE, *files], capture_output=True, text=True, check=True)
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(reports) == len(pages) > 10
    assert [report for report in reports if report[1]] == []
    warned = [warning for report in reports for warning in report[2]]
    assert [warning for warning in warned if "recommended, but does not exist" not in warning] == []  # nobody says it


def datasets(store: Store, client: TestClient) -> list[dict[str, Any]]:
    """What the page of each data set says."""
    with store.reading() as connection:
        slugs = [row["slug"] for row in connection.execute("SELECT slug FROM dataset ORDER BY slug")]
    return [page for slug in slugs for page in found(client, f"/dataset/{slug}")]


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
