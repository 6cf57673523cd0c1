"""Mirroring a table: made, merged by external id, and the same again changes nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noisystudent.board.catalogue.store import Store
from noisystudent.board.submitting import tokens
from noisystudent.errors import UserError

ADDRESS = "rpc/evaluation-synchronize/"
# As the README of the published client shows it: names for ids, an arXiv address for a paper, an empty one for none.
BODY: dict[str, Any] = {
    "task": "Image Classification",
    "dataset": "CIFAR-10",
    "description": "A *competition*.",
    "mirror_url": "https://competition.example/",
    "external_id": "competition-1",
    "metrics": [{"name": "Wrongs", "is_loss": True}, {"name": "Top 5 Accuracy", "description": "of five"}],
    "results": [
        {
            "metrics": {"Wrongs": "4.5", "Top 5 Accuracy": "95"},
            "paper": "",
            "methodology": "Unpublished",
            "external_id": "entry-1",
            "evaluated_on": "2020-11-20",
            "external_source_url": "https://competition.example/entries/1",
        },
        {
            "metrics": {"Wrongs": 2, "Top 5 Accuracy": None},
            "paper": "https://arxiv.org/abs/1911.04252",
            "methodology": "NoisyStudent",
            "uses_additional_data": True,
            "external_id": "entry-2",
            "evaluated_on": "2020-09-20",
        },
        {"metrics": {"Wrongs": 3}, "paper": "https://arxiv.org/abs/2001.00001", "methodology": "Elsewhere"},
    ],
}


def test_a_table_is_made_ranked_and_linked(curator: TestClient) -> None:
    table = curator.post(ADDRESS, json=BODY).json()
    assert (table["id"], table["task"], table["dataset"]) == (
        "image-classification-on-cifar-10",
        "image-classification",
        "cifar-10",
    )
    assert (table["mirror_url"], table["external_id"]) == ("https://competition.example/", "competition-1")
    wrongs, top_5 = table["metrics"]
    assert (wrongs["name"], wrongs["is_loss"], wrongs["direction_origin"]) == ("Wrongs", True, "given")
    assert (top_5["is_loss"], top_5["direction_origin"]) == (False, "known name")  # not said, so found out
    assert [(row["external_id"], row["rank"]) for row in table["results"]] == [
        ("entry-1", 3),
        ("entry-2", 1),
        (None, 2),
    ]
    rows = curator.get(f"evaluations/{table['id']}/results/").json()["results"]
    linked, unknown, unpublished = rows
    assert (linked["paper"], linked["code"][0], linked["date"]) == (
        "self-training-with-noisy-student",
        "https://github.com/google-research/noisystudent",
        "2020-09-20",
    )
    assert (unknown["paper"], unknown["paper_url"]) == (None, "https://arxiv.org/abs/2001.00001")
    assert unpublished["external_source_url"] == "https://competition.example/entries/1"


def test_the_same_call_again_changes_nothing(curator: TestClient, events: Callable[[], int]) -> None:
    first, after = curator.post(ADDRESS, json=BODY), events()
    tag = curator.get("evaluations/").headers["etag"]
    again = curator.post(ADDRESS, json=BODY)
    assert (again.status_code, again.json(), events()) == (200, first.json(), after)
    assert curator.get("evaluations/", headers={"If-None-Match": tag}).status_code == 304


def test_only_what_differs_is_changed(curator: TestClient, store: Store, events: Callable[[], int]) -> None:
    first = curator.post(ADDRESS, json=BODY).json()
    changed = copy.deepcopy(BODY)
    changed["results"] = changed["results"][:1]
    changed["results"][0]["metrics"]["Wrongs"] = "1.5"
    second = curator.post(ADDRESS, json=changed).json()
    assert (second["results"][0]["rank"], second["results"][0]["metrics"]["Wrongs"]) == (1, "1.5")
    assert second["results"][0]["id"] != first["results"][0]["id"]
    assert curator.get(f"evaluations/{first['id']}/results/").json()["count"] == 1  # the mirror dropped the others
    event = events()
    with store.reading() as connection:
        row = connection.execute("SELECT * FROM result WHERE id = ?", (second["results"][0]["id"],)).fetchone()
        added = connection.execute("SELECT count(*) FROM result WHERE added_by = ?", (event,)).fetchone()[0]
    assert (row["supersedes"], added) == (int(first["results"][0]["id"]), 1)


def test_a_row_without_an_id_is_known_by_model_and_paper(curator: TestClient) -> None:
    curator.post(ADDRESS, json=BODY)
    changed = copy.deepcopy(BODY)
    changed["results"][2]["metrics"] = {"Wrongs": 2.5}
    table = curator.post(ADDRESS, json=changed).json()
    assert curator.get(f"evaluations/{table['id']}/results/").json()["count"] == 3


def test_a_paper_that_came_later_is_linked_by_the_next_call(curator: TestClient, store: Store) -> None:
    curator.post(ADDRESS, json=BODY)
    with store.changing("test", "add paper") as change:
        change.paper(title="It came later", url="https://arxiv.org/abs/2001.00001")
    table = curator.post(ADDRESS, json=BODY).json()
    assert [row["paper"] for row in table["results"]] == [None, "self-training-with-noisy-student", "it-came-later"]


def test_the_first_metric_of_the_call_ranks_the_table(curator: TestClient) -> None:
    table = curator.post(ADDRESS, json=BODY).json()
    body = {"task": "Image Classification", "dataset": "CIFAR-10", "metrics": [{"name": "Top 5 Accuracy"}]}
    assert [metric["name"] for metric in curator.post(ADDRESS, json=body).json()["metrics"]] == [
        "Top 5 Accuracy",
        "Wrongs",
    ]
    best = curator.get(f"evaluations/{table['id']}/results/").json()["results"][0]
    assert (best["methodology"], best["rank"]) == ("Unpublished", 1)


def test_a_curators_direction_stays(curator: TestClient, events: Callable[[], int]) -> None:
    table = curator.post(ADDRESS, json=BODY).json()
    curator.patch(f"evaluations/{table['id']}/metrics/{table['metrics'][0]['id']}/", json={"is_loss": False})
    before = events()
    again = curator.post(ADDRESS, json=BODY).json()
    assert (again["metrics"][0]["is_loss"], again["metrics"][0]["direction_origin"]) == (False, "curated")
    assert events() == before


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"task": "Nothing"}, "'Nothing'"),
        ({"dataset": "Nothing"}, "'Nothing'"),
        ({"mirror_url": "ftp://x"}, "mirror_url"),
        ({"metrics": [{"name": "A"}, {"name": "A"}]}, "metrics: two are the same"),
        ({"results": [{"methodology": "M", "metrics": {"B": 1}}]}, "'B'"),
        ({"results": [{"methodology": "M", "metrics": {"Wrongs": 1}}] * 2}, "external_id"),
        ({"results": [{"methodology": "M", "metrics": {"Wrongs": 1}, "external_id": "same"}] * 2}, "external_id"),
    ],
)
def test_a_call_that_is_wrong_changes_nothing(
    curator: TestClient, events: Callable[[], int], change: dict[str, Any], why: str
) -> None:
    before = events()
    answer = curator.post(ADDRESS, json=BODY | change)
    assert answer.status_code == 422
    assert why in answer.json()["detail"]
    assert events() == before
    assert curator.get("evaluations/image-classification-on-cifar-10/").status_code == 404


ROW = st.fixed_dictionaries(
    {
        "methodology": st.sampled_from(["A", "B"]),
        "metrics": st.dictionaries(st.sampled_from(["x", "y"]), st.integers(), min_size=1),
    },
    optional={
        "external_id": st.sampled_from(["1", "2", ""]),
        "paper": st.sampled_from(["", "1911.04252", "https://example.org/unknown"]),
        "uses_additional_data": st.booleans(),
        "evaluated_on": st.sampled_from(["2020-01-01", ""]),
    },
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=st.lists(st.lists(ROW, max_size=4), min_size=1, max_size=3))
def test_whatever_came_before_the_second_of_two_same_calls_changes_nothing(
    curator: TestClient, events: Callable[[], int], calls: list[list[dict[str, Any]]]
) -> None:
    for rows in calls:
        body = {
            "task": "vision",
            "dataset": "cifar-10",
            "metrics": [{"name": "x", "is_loss": True}, {"name": "y"}],
            "results": rows,
        }
        first = curator.post(ADDRESS, json=body)
        after = events()
        second = curator.post(ADDRESS, json=body)
        assert first.status_code in (200, 422)  # two rows may be the same
        assert (second.status_code, second.json(), events()) == (first.status_code, first.json(), after)


def models(curator: TestClient, table: str = "image-classification-on-cifar-10") -> set[str]:
    return {row["methodology"] for row in curator.get(f"evaluations/{table}/results/").json()["results"]}


def test_what_a_mirror_names_no_more_is_retired(curator: TestClient, events: Callable[[], int]) -> None:
    curator.post(ADDRESS, json=BODY)
    one_more = {"metrics": {"Wrongs": "9"}, "methodology": "Of somebody else", "external_id": "other"}
    curator.post(ADDRESS, json={"task": BODY["task"], "dataset": BODY["dataset"], "results": [one_more]})
    assert models(curator) == {"Unpublished", "NoisyStudent", "Elsewhere", "Of somebody else"}
    fewer = {**BODY, "results": BODY["results"][:1]}
    assert curator.post(ADDRESS, json=fewer).status_code == 200
    assert models(curator) == {"Unpublished", "Of somebody else"}
    after = events()
    curator.post(ADDRESS, json=fewer)
    assert events() == after
    curator.post(ADDRESS, json=BODY)
    assert models(curator) == {"Unpublished", "NoisyStudent", "Elsewhere", "Of somebody else"}


@pytest.mark.parametrize(
    "change", [{"results": []}, {"external_id": "another"}, {"external_id": None, "mirror_url": None}]
)
def test_who_does_not_say_that_it_is_the_mirror_or_names_no_row_retires_none(
    curator: TestClient, change: dict[str, Any]
) -> None:
    curator.post(ADDRESS, json=BODY)
    assert curator.post(ADDRESS, json={**BODY, "results": BODY["results"][:1], **change}).status_code == 200
    assert models(curator) == {"Unpublished", "NoisyStudent", "Elsewhere"}


# Values that cannot be


def percents(*values: str, sure: bool = False) -> dict[str, Any]:
    """A mirror with rows of one accuracy."""
    rows = [
        {"metrics": {"Top 5 Accuracy": value}, "methodology": f"Net {number}", "external_id": str(number)}
        for number, value in enumerate(values)
    ]
    return {
        **{key: BODY[key] for key in ("task", "dataset", "external_id")},
        "metrics": [{"name": "Top 5 Accuracy"}],
        "results": [{**row, "sure": sure} for row in rows] if sure else rows,
    }


def test_odd_values_are_asked_about_whatever_the_order_of_rows(curator: TestClient, events: Callable[[], int]) -> None:
    before = events()
    for values in (("0.913", "91", "92", "93"), ("91", "92", "93", "0.913")):
        answer = curator.post(ADDRESS, json=percents(*values))
        said = f"Net {values.index('0.913')}: Top 5 Accuracy is 0.913 among values around 92: is 91.3 meant?"
        assert (answer.status_code, said in answer.json()["detail"]) == (422, True)
    assert events() == before  # nothing of it came in


def test_a_row_that_is_sure_comes_in_and_is_asked_about_no_more(curator: TestClient) -> None:
    assert curator.post(ADDRESS, json=percents("0.913", "91", "92", "93", sure=True)).status_code == 200
    assert curator.post(ADDRESS, json=percents("0.913", "91", "92", "94")).status_code == 200
    assert curator.post(ADDRESS, json=percents("0.914", "91", "92", "94")).status_code == 422


def test_a_token_that_is_sure_insists_for_a_client_that_cannot(curator: TestClient, store: Store) -> None:
    sure = {"Authorization": f"Token {tokens.make(store, 'mirror', ['curate', 'sure'])}"}
    body = percents("0.913", "91", "92", "93")
    assert curator.post(ADDRESS, json=body).status_code == 422
    assert curator.post(ADDRESS, json=body, headers=sure).status_code == 200
    row = {"metrics": {"Top 1 Accuracy": "123.4%"}, "methodology": "Odd"}
    results = "evaluations/image-classification-on-imagenet/results/"
    assert curator.post(results, json=row).status_code == 422
    assert curator.post(results, json=row, headers=sure).status_code == 201
    with pytest.raises(UserError, match="sure goes with curate"):
        tokens.make(store, "other", ["submit", "sure"])


def test_of_very_many_questions_the_first_are_said_and_how_to_insist(curator: TestClient) -> None:
    detail = curator.post(ADDRESS, json=percents(*["101"] * 1000)).json()["detail"]
    assert detail.endswith("sure: and 990 more; sure: say yes here where the source has it so")
    assert detail.count("which cannot be") == 10


def test_rows_that_the_mirror_drops_are_no_measure(curator: TestClient) -> None:
    assert curator.post(ADDRESS, json=percents("91", "92", "93", "94")).status_code == 200
    fractions = percents(*["0.5"] * 10)
    fractions["results"] = fractions["results"][4:]  # other rows
    assert curator.post(ADDRESS, json=fractions).status_code == 200
