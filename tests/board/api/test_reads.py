"""Every read: what it answers, page by page, filtered, and when nothing has changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.store import Store
from noisystudent.board.submitting import tokens

NOISY, LATE, UNDATED = (
    "self-training-with-noisy-student",
    "a-paper-of-the-far-future",
    "student-without-a-date",
)
TABLE = "image-classification-on-imagenet"
GOOGLE, SOMEBODY = "https://github.com/google-research/noisystudent", "https://github.com/somebody/noisy"

LISTS: list[tuple[str, list[str]]] = [
    ("papers/", [LATE, NOISY, UNDATED]),
    ("papers/?q=student", [UNDATED, NOISY]),
    ("papers/?q=teacher+noisy", [NOISY]),
    ("papers/?title=teacher", []),
    ("papers/?title=noisy&abstract=teacher", [NOISY]),
    ("papers/?arxiv_id=1911.04252", [NOISY]),
    ("papers/?arxiv_id=1911.04252v4&q=student", [NOISY]),
    ("papers/?arxiv_id=1911.0425", []),
    ("papers/?q=%3F%21", []),
    ("papers/?q=", [LATE, NOISY, UNDATED]),
    (f"papers/{NOISY}/datasets/", ["imagenet"]),
    (f"papers/{NOISY}/repositories/", [GOOGLE, SOMEBODY]),
    (f"papers/{NOISY}/tasks/", ["image-classification"]),
    (f"papers/{NOISY}/methods/", ["noisy-student"]),
    (f"papers/{NOISY}/results/", ["2", "3"]),
    ("repositories/", [GOOGLE, SOMEBODY]),
    ("repositories/?q=100%25", [SOMEBODY]),
    ("repositories/?q=100_", []),
    ("repositories/?owner=somebody&name=noisy", [SOMEBODY]),
    ("repositories/?stars=100", [SOMEBODY]),
    ("repositories/?framework=tf", [GOOGLE]),
    ("repositories/somebody", [SOMEBODY]),
    ("repositories/somebody/noisy/papers/", [NOISY]),
    ("authors/", ["qizhe-xie", "quoc-v-le"]),
    ("authors/?q=XIE", ["qizhe-xie"]),
    ("authors/?full_name=v.+le", ["quoc-v-le"]),
    ("authors/qizhe-xie/papers/", [UNDATED, LATE, NOISY]),
    ("conferences/?ordering=name", ["cvpr"]),
    ("conferences/?q=cv&name=pr", ["cvpr"]),
    ("conferences/cvpr/proceedings/", ["cvpr-2020-6"]),
    ("conferences/cvpr/proceedings/cvpr-2020-6/papers/", [NOISY]),
    ("areas/", ["computer-vision"]),
    ("areas/?q=vis&name=comp", ["computer-vision"]),
    ("areas/computer-vision/tasks/", ["image-classification"]),
    ("tasks/", ["fine-grained-image-classification", "image-classification", "vision"]),
    ("tasks/?q=fine-grained", ["fine-grained-image-classification"]),
    ("tasks/?name=vi", ["vision"]),
    ("tasks/image-classification/parents/", ["vision"]),
    ("tasks/image-classification/children/", ["fine-grained-image-classification"]),
    ("tasks/image-classification/papers/", [UNDATED, LATE, NOISY]),
    ("tasks/image-classification/evaluations/", [TABLE]),
    ("datasets/", ["cifar-10", "imagenet"]),
    ("datasets/?q=large+scale", ["imagenet"]),
    ("datasets/?name=large+scale", []),
    ("datasets/?full_name=Large", ["imagenet"]),
    ("datasets/imagenet/evaluations/", ["fine-grained-image-classification-on-imagenet", TABLE]),
    ("methods/", ["noisy-student"]),
    ("methods/?name=training", []),
    ("methods/?q=training&name=noisy&full_name=student+tr", ["noisy-student"]),
    ("evaluations/", ["fine-grained-image-classification-on-imagenet", TABLE]),
    (f"evaluations/{TABLE}/metrics/", ["1", "2", "3"]),
    (f"evaluations/{TABLE}/results/", ["2", "3", "1", "4"]),
]


def ids(page: dict[str, Any]) -> list[str]:
    return [item.get("id") or item["url"] for item in page["results"]]


def test_every_list_has_its_rows_in_order_on_each_page(library: TestClient) -> None:
    for path, expected in LISTS:
        whole = library.get(path).json()
        assert (path, ids(whole), whole["count"]) == (path, expected, len(expected))
        assert whole["next"] is None
        assert whole["previous"] is None
        walked, url = [], f"{path}{'&' if '?' in path else '?'}items_per_page=1"
        while url:
            page = library.get(url).json()
            walked += ids(page)
            url = page["next"]
        assert (path, walked) == (path, expected)


def test_pages_name_their_neighbours_absolutely_and_keep_the_filter(library: TestClient) -> None:
    page = library.get("papers/", params={"q": "student", "items_per_page": 1, "page": 2}).json()
    assert page["previous"] == "http://testserver/api/v1/papers/?q=student&items_per_page=1&page=1"
    assert page["next"] is None


@pytest.mark.parametrize(
    "path",
    [
        *("papers/x/", "papers/x/tasks/", "repositories/x", "repositories/x/y/", "repositories/x/y/papers/"),
        *("authors/x/", "authors/x/papers/", "conferences/x/", "conferences/cvpr/proceedings/x/"),
        *("conferences/x/proceedings/", "areas/x/", "areas/x/tasks/", "tasks/x/", "tasks/x/children/"),
        *("datasets/x/", "datasets/x/evaluations/", "methods/x/", "evaluations/x/", "evaluations/x/metrics/"),
        *(f"evaluations/{TABLE}/metrics/99/", f"evaluations/{TABLE}/results/99/", "papers/?page=2", "nothing/"),
        *(f"evaluations/{TABLE}/metrics/{'9' * 30}/", f"evaluations/{TABLE}/results/{'9' * 30}/"),
        "evaluations/fine-grained-image-classification-on-imagenet/results/1/",
    ],
)
def test_what_is_not_there_is_404_with_a_reason(library: TestClient, path: str) -> None:
    answer = library.get(path)
    assert answer.status_code == 404
    assert list(answer.json()) == ["detail", "message"]
    assert answer.json()["detail"] == answer.json()["message"] != ""


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("papers/?page=0", "page:"),
        ("papers/?page=x", "page:"),
        ("papers/?items_per_page=501", "items_per_page:"),
        ("papers/?page=99999999999999999999", "page:"),
        (f"papers/?q={'x' * 201}", "q:"),
        ("repositories/?stars=many", "stars:"),
        (f"evaluations/{TABLE}/results/?min=Nothing=1", "'Nothing'"),
        (f"evaluations/{TABLE}/results/?min=GFLOPs", "METRIC=NUMBER"),
        (f"evaluations/{TABLE}/results/?max=GFLOPs=few", "METRIC=NUMBER"),
        (f"evaluations/{TABLE}/results/?require=Nothing", "'Nothing'"),
        (f"evaluations/{TABLE}/results/?sort=Nothing", "'Nothing'"),
        (f"evaluations/{TABLE}/results/?has_code=perhaps", "has_code:"),
        ("papers/?ordering=colour", "ordering: there is no 'colour' here; there are published, title, id"),
        (
            "papers/?vintage=2019&ORDERING=id",
            "there is no parameter ORDERING, vintage here; there are abstract, arxiv_id,",
        ),
        ("tasks/x/?format=json", "there is no parameter format here; it has none"),
        (f"evaluations/{TABLE}/results/?ordering=id", "there is no parameter ordering here"),
    ],
)
def test_a_wrong_parameter_is_422_and_named(library: TestClient, path: str, why: str) -> None:
    answer = library.get(path)
    assert answer.status_code == 422
    assert why in answer.json()["detail"]


def test_a_paper_has_all_the_old_fields(library: TestClient) -> None:
    assert library.get(f"papers/{NOISY}/").json() == {
        "id": NOISY,
        "arxiv_id": "1911.04252",
        "nips_id": None,
        "openreview_id": None,
        "url_abs": "https://arxiv.org/abs/1911.04252",
        "url_pdf": "https://arxiv.org/pdf/1911.04252",
        "title": "Self-training with Noisy Student",
        "abstract": "Labels out of a teacher.",
        "authors": ["Qizhe Xie", "Quoc V. Le"],
        "published": "2019-11-11",
        "conference": "cvpr",
        "conference_url_abs": None,
        "conference_url_pdf": None,
        "proceeding": "cvpr-2020-6",
        "repositories": None,
        "methods": None,
        "predecessor_papers": [],
        "successor_papers": [],
    }
    assert library.get(f"papers/{UNDATED}/").json()["published"] is None  # "some day" is no date
    assert library.get(f"papers/{LATE}/").json()["published"] == "2222-02-22"


def test_an_old_slug_leads_to_what_it_means_now(reader: TestClient, store: Store) -> None:
    with store.changing("test", "rename") as change:
        change.insert("alias", kind="paper", old="self-training-old", id=1)
    assert reader.get("papers/self-training-old/").json()["id"] == NOISY


def test_the_search_gives_a_paper_with_its_best_code(library: TestClient) -> None:
    page = library.get("search/", params={"q": "student"}).json()
    assert [(found["paper"]["id"], found["is_official"]) for found in page["results"]] == [
        (UNDATED, False),
        (NOISY, True),
    ]
    assert page["results"][0]["repository"] is None
    assert page["results"][1]["repository"]["url"] == GOOGLE


def test_a_result_has_its_raw_values_and_ranks(library: TestClient) -> None:
    best = library.get(f"evaluations/{TABLE}/results/").json()["results"][0]
    assert best["metrics"] == {"Top 1 Accuracy": "88.4%", "GFLOPs": "37"}
    assert (best["rank"], best["best_rank"], best["best_metric"]) == (1, 1, "Top 1 Accuracy")
    assert (best["methodology"], best["paper"], best["date"]) == ("NoisyStudent", NOISY, "2019-11-11")
    assert (best["uses_additional_data"], best["extra_data"]) == (True, True)
    assert best["code"] == [GOOGLE, SOMEBODY]
    alone = library.get(f"evaluations/{TABLE}/results/1/").json()
    assert (alone["paper"], alone["uses_additional_data"], alone["extra_data"], alone["code"]) == (
        None,
        False,
        None,
        [],
    )


def test_a_direction_that_is_not_known_is_no_loss_and_says_so(library: TestClient) -> None:
    accuracy, cost, vibes = library.get(f"evaluations/{TABLE}/metrics/").json()["results"]
    assert (accuracy["is_loss"], accuracy["higher_is_better"], accuracy["unit"]) == (False, True, "%")
    assert (cost["is_loss"], cost["higher_is_better"]) == (True, False)
    assert (vibes["is_loss"], vibes["higher_is_better"], vibes["direction_origin"]) == (False, None, "unknown")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("require=GFLOPs", ["2"]),
        ("require=GFLOPs&require=Vibes", []),
        ("min=Top 1 Accuracy=70", ["2", "3"]),
        ("max=Top 1 Accuracy=70", ["1"]),  # 0.99 beside percentages cannot be compared
        ("min=Top 1 Accuracy=70&max=Top 1 Accuracy=80", ["3"]),
        ("uses_additional_data=true", ["2"]),
        ("uses_additional_data=false", ["3", "1", "4"]),
        ("has_code=true", ["2", "3"]),
        ("has_code=false", ["1", "4"]),
        ("sort=GFLOPs", ["2", "1", "3", "4"]),
    ],
)
def test_results_are_filtered_and_the_filters_echoed(library: TestClient, query: str, expected: list[str]) -> None:
    page = library.get(f"evaluations/{TABLE}/results/?{query}").json()
    assert (ids(page), page["count"]) == (expected, len(expected))
    assert any(value not in (None, [], {}) for value in page["applied_filters"].values())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("year=2019", 1),
        ("year=1999", 0),
        ("has_code=true&year=2019", 1),
        ("has_code=false&year=2019", 0),
        ("task=image-classification&year=2019", 1),
        ("q=noisy&task=Image Classification&year=2019", 1),
        ("q=nothing&year=2019", 0),
    ],
)
def test_papers_of_a_year_with_code_of_a_task(library: TestClient, query: str, expected: int) -> None:
    assert library.get(f"papers/?{query}").json()["count"] == expected


@pytest.mark.parametrize("text", ["1911.04252", "https://arxiv.org/abs/1911.04252v2", "Qizhe Xie"])
def test_a_paper_is_found_by_its_number_its_address_and_its_author(library: TestClient, text: str) -> None:
    found = library.get("search/", params={"q": text}).json()["results"]
    assert "1911.04252" in [each["paper"]["arxiv_id"] for each in found]


def test_bounds_are_on_the_scale_of_their_column(reader: TestClient, store: Store) -> None:
    with store.changing("anna", "add") as change:
        board = change.leaderboard(change.task("Inference"), change.dataset("SNLI"))
        for size in ("220k", "2.8m", "15m"):
            change.add_result(Result(board, size, {"Parameters": size}))
    for query, expected in (("max=Parameters=1m", ["220k"]), ("min=Parameters=2.8", ["2.8m", "15m"])):
        found = reader.get(f"evaluations/inference-on-snli/results/?{query}").json()["results"]
        assert [result["methodology"] for result in found] == expected


def test_no_filter_is_echoed_as_none(library: TestClient) -> None:
    applied = library.get(f"evaluations/{TABLE}/results/").json()["applied_filters"]
    assert applied == {
        "require": [],
        "min": {},
        "max": {},
        "uses_additional_data": None,
        "has_code": None,
        "verified": None,
        "sort": None,
    }


def test_nothing_is_sent_again_while_nothing_has_changed(reader: TestClient, store: Store) -> None:
    first = reader.get("tasks/")
    tag = first.headers["etag"]
    again = reader.get("tasks/", headers={"If-None-Match": f'"x", {tag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert reader.get("tasks/?page=1", headers={"If-None-Match": tag}).status_code == 200
    with store.changing("test", "add") as change:
        change.task("Another")
    anew = reader.get("tasks/", headers={"If-None-Match": tag})
    assert (anew.status_code, anew.json()["count"]) == (200, first.json()["count"] + 1)


def test_counts_follow_the_catalogue(reader: TestClient, store: Store) -> None:
    path = f"evaluations/{TABLE}/results/?min=Top 1 Accuracy=70"
    before = reader.get(path).json()["count"]
    with store.changing("test", "add") as change:
        change.add_result(Result(1, "New", {"Top 1 Accuracy": "89"}))
    assert reader.get(path).json()["count"] == before + 1


def test_head_answers_as_get_without_a_body(library: TestClient) -> None:
    got, head = library.get("papers/"), library.head("papers/")
    assert (head.status_code, head.headers["etag"]) == (200, got.headers["etag"])


def test_other_sites_may_read_but_not_write(library: TestClient) -> None:
    origin = {"Origin": "https://example.org"}
    for path, status in (("papers/", 200), ("papers/x/", 404), ("papers/?page=0", 422)):
        answer = library.get(path, headers=origin)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, "*")
        assert "access-control-allow-credentials" not in answer.headers
    asked = {**origin, "Access-Control-Request-Method": "GET"}
    assert library.options("papers/", headers=asked).status_code == 200
    for method, header in (("POST", "content-type"), ("GET", "authorization")):
        asked = {**origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": header}
        assert library.options("tasks/", headers=asked).status_code == 400
    assert "access-control-allow-origin" not in library.get("http://testserver/tasks", headers=origin).headers


def test_every_operation_is_documented_once(library: TestClient) -> None:
    document = library.get("openapi.json").json()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert all(operation["description"] and operation["tags"] for operation in operations)


def test_the_overview_lists_every_address_and_its_examples_work(library: TestClient) -> None:
    page = library.get("")
    assert page.status_code == 200
    assert "<script" not in page.text
    assert " style=" not in page.text
    document = library.get("openapi.json").json()
    for path in document["paths"]:
        assert f"<code>{path}</code>" in page.text
    data = library.get("index.json").json()
    examples = [operation["example"] for group in data["groups"] for operation in group["operations"]]
    followed = [example for example in examples if example]
    readable = [path for path, operations in document["paths"].items() if "get" in operations]
    without = ("/submissions/", "/organizations/{")  # those are their submitters' own; of these there are none
    assert len(followed) == sum(not any(part in path for part in without) for path in readable)
    for example in followed:
        assert (example, library.get(f"http://testserver{example}").status_code) == (example, 200)


def test_the_examples_of_bodies_are_valid(library: TestClient) -> None:
    commands = [
        operation["command"]
        for group in library.get("index.json").json()["groups"]
        for operation in group["operations"]
        if operation["method"] in ("POST", "PATCH") and group["name"] != "submissions"
    ]
    assert len(commands) == 12
    for command in commands:
        assert json.loads(command.split(" -d '")[1].removesuffix("'"))


def test_a_token_that_reads_is_not_needed_and_not_looked_at(reader: TestClient, store: Store) -> None:
    tokens.make(store, "somebody", ["submit"])
    assert reader.get("papers/", headers={"Authorization": "Token nonsense"}).status_code == 200


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("papers/?ordering=title", "title"),
        ("papers/?ordering=published", "published"),
        ("papers/?q=self&ordering=title", "title"),
        ("papers/?has_code=false&ordering=title", "title"),
        ("tasks/?ordering=name", "name"),
        ("datasets/?ordering=name", "name"),
        ("methods/?ordering=name", "name"),
        ("authors/?ordering=name", "full_name"),
        ("evaluations/?ordering=id", "id"),
        ("repositories/?ordering=stars", "stars"),
    ],
)
def test_an_order_is_kept_from_both_ends(library: TestClient, path: str, key: str) -> None:
    def keys(address: str) -> list[Any]:
        """Without what is not said, or is no date."""
        return [row[key] for row in library.get(address).json()["results"] if row[key] is not None]

    there = keys(path)
    assert there == sorted(there, key=lambda text: text.lower() if isinstance(text, str) else text)
    assert there
    assert keys(path.replace("ordering=", "ordering=-")) == there[::-1]


def test_the_size_of_a_page_has_two_names(library: TestClient) -> None:
    sizes = [len(library.get(f"tasks/?{name}=2").json()["results"]) for name in ("items_per_page", "page_size")]
    assert sizes == [2, 2]
    assert library.get("tasks/?page_size=501").status_code == 422
