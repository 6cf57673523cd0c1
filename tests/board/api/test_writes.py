"""Writing through the API: who may, what changes, what is refused, and what stays in the history."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from noisystudent.board.app import create_app
from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.check import check
from noisystudent.board.catalogue.history import restore
from noisystudent.board.catalogue.store import Store
from noisystudent.board.submitting import tokens
from noisystudent.board.web.site import Site

TABLE = "image-classification-on-imagenet"
RESULTS, METRICS = f"evaluations/{TABLE}/results/", f"evaluations/{TABLE}/metrics/"
WRITES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "tasks/", {"name": "New"}),
    ("PATCH", "tasks/vision/", {"name": "Newer"}),
    ("DELETE", "tasks/vision/", {}),
    ("POST", "datasets/", {"name": "New"}),
    ("PATCH", "datasets/imagenet/", {"name": "Newer"}),
    ("DELETE", "datasets/cifar-10/", {}),
    ("POST", "evaluations/", {"task": "vision", "dataset": "imagenet"}),
    ("PATCH", f"evaluations/{TABLE}/", {"description": "New"}),
    ("POST", METRICS, {"name": "New"}),
    ("PATCH", f"{METRICS}1/", {"name": "Newer"}),
    ("DELETE", f"{METRICS}1/", {}),
    ("POST", RESULTS, {"metrics": {"GFLOPs": 1}, "methodology": "New"}),
    ("PATCH", f"{RESULTS}1/", {"methodology": "New"}),
    ("DELETE", f"{RESULTS}1/", {}),
    ("POST", "rpc/evaluation-synchronize/", {"task": "vision", "dataset": "imagenet", "description": "New"}),
    ("DELETE", f"evaluations/{TABLE}/", {}),
]


def refused(answer: Any, status: int, why: str) -> None:
    assert (answer.status_code, list(answer.json())) == (status, ["detail", "message"])
    assert why in answer.json()["detail"]


def test_nobody_writes_without_a_token_that_may(reader: TestClient, store: Store, events: Callable[[], int]) -> None:
    submitter, gone = tokens.make(store, "submitter", ["submit"]), tokens.make(store, "gone", ["curate"])
    tokens.revoke(store, "gone")
    before = events()
    for method, path, body in WRITES:
        for header, status, why in (
            ({}, 401, "needs a token"),
            ({"Authorization": "Token nsb_guess"}, 401, "none of this site's"),
            ({"Authorization": f"Basic {submitter}"}, 401, "needs a token"),
            ({"Authorization": f"Token {gone}"}, 401, "revoked"),
            ({"Authorization": f"Token {submitter}"}, 403, "curate"),
        ):
            refused(reader.request(method, path, json=body, headers=header), status, why)
    assert events() == before


def test_a_read_only_site_takes_no_writes(store: Store, token: str) -> None:
    app = create_app(Site(store.path, read_only=True))
    with TestClient(app, base_url="http://testserver/api/v1/") as client:
        for method, path, body in WRITES:
            answer = client.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})
            refused(answer, 403, "read-only")


def test_each_write_is_one_event_of_the_tokens_name(
    curator: TestClient, store: Store, events: Callable[[], int]
) -> None:
    for method, path, body in WRITES:
        if method == "DELETE" and path in ("tasks/vision/", f"{METRICS}1/", f"evaluations/{TABLE}/"):
            continue  # these are kept by what hangs on them
        before = events()
        answer = curator.request(method, path, json=body)
        assert (method, path, answer.is_success) == (method, path, True)
        assert (method, path, events()) == (method, path, before + 1)
    with store.reading() as connection:
        actors = {row["actor"] for row in connection.execute("SELECT actor FROM event WHERE id > ?", (2,))}
    assert actors == {"ci"}


def test_a_write_that_changes_nothing_is_no_event(curator: TestClient, events: Callable[[], int]) -> None:
    curator.patch("datasets/imagenet/", json={"full_name": "F", "url": "https://a.example/"})
    curator.patch(f"{METRICS}1/", json={"is_loss": False})
    before = events()
    for path, body in (
        ("tasks/vision/", {"name": "Vision", "description": None}),
        ("tasks/image-classification/", {"area": "computer-vision", "parent_task": "vision"}),
        ("datasets/imagenet/", {"full_name": "F", "url": "https://a.example/"}),
        (f"evaluations/{TABLE}/", {"task": "image-classification", "dataset": "ImageNet"}),
        (f"{METRICS}1/", {"is_loss": False, "name": "Top 1 Accuracy"}),
        (f"{RESULTS}2/", {"metrics": {"GFLOPs": "37", "Top 1 Accuracy": "88.4%"}, "paper": "1911.04252"}),
    ):
        assert (path, curator.patch(path, json=body).status_code) == (path, 200)
    assert events() == before


def test_tasks(curator: TestClient) -> None:
    made = curator.post(
        "tasks/", json={"name": "Pose", "area": "Robots", "parent_task": "vision", "description": "*x*"}
    )
    assert made.status_code == 201
    assert made.json().items() >= {"id": "pose", "name": "Pose", "description": "*x*", "area_id": "robots"}.items()
    assert [task["id"] for task in curator.get("areas/robots/tasks/").json()["results"]] == ["pose"]
    refused(curator.post("tasks/", json={"name": "Pose"}), 409, "'pose'")
    refused(curator.post("tasks/", json={"name": "Pose 2", "parent_task": "nothing"}), 422, "'nothing'")
    refused(curator.patch("tasks/vision/", json={"name": "Pose"}), 409, "'pose'")
    refused(curator.patch("tasks/vision/", json={"parent_task": "image-classification"}), 409, "below")
    refused(curator.patch("tasks/vision/", json={"parent_task": "vision"}), 409, "this task")
    changed = curator.patch("tasks/pose/", json={"name": "Pose Estimation", "area": "computer-vision"})
    assert changed.json().items() >= {"id": "pose", "name": "Pose Estimation", "description": "*x*"}.items()
    assert curator.get("tasks/?q=estimation").json()["count"] == 1
    refused(curator.delete("tasks/vision/"), 409, "2 tasks below it")
    refused(curator.delete("tasks/image-classification/"), 409, "1 evaluation tables, 1 tasks below it, 3 papers")
    assert curator.delete("tasks/pose/").status_code == 204
    refused(curator.get("tasks/pose/"), 404, "pose")
    refused(curator.delete("tasks/pose/"), 404, "pose")


def test_datasets(curator: TestClient) -> None:
    made = curator.post("datasets/", json={"name": "Tiny", "url": "https://tiny.example/"})
    expected = {"id": "tiny", "name": "Tiny", "full_name": None, "url": "https://tiny.example/"}
    assert made.json().items() >= expected.items()
    refused(curator.post("datasets/", json={"name": "Tiny"}), 409, "'tiny'")
    refused(curator.patch("datasets/tiny/", json={"name": "ImageNet"}), 409, "'imagenet'")
    assert curator.patch("datasets/tiny/", json={"name": "Tiny 2", "url": ""}).json()["url"] is None
    refused(curator.delete("datasets/imagenet/"), 409, "2 evaluation tables, 1 papers")
    assert curator.delete("datasets/tiny/").status_code == 204


def test_evaluations(curator: TestClient) -> None:
    body = {"task": "vision", "dataset": "CIFAR-10", "mirror_url": "https://m.example/"}
    made = curator.post("evaluations/", json=body).json()
    assert (made["id"], made["task"], made["dataset"]) == ("vision-on-cifar-10", "vision", "cifar-10")
    refused(curator.post("evaluations/", json=body), 409, "'vision-on-cifar-10'")
    refused(curator.post("evaluations/", json=body | {"task": "nothing"}), 422, "'nothing'")
    moved = curator.patch("evaluations/vision-on-cifar-10/", json={"dataset": "imagenet", "mirror_url": ""}).json()
    assert (moved["id"], moved["dataset"], moved["mirror_url"]) == ("vision-on-cifar-10", "imagenet", None)
    refused(curator.patch("evaluations/vision-on-cifar-10/", json={"task": "image-classification"}), 409, TABLE)
    assert curator.delete("evaluations/vision-on-cifar-10/").status_code == 204
    refused(curator.get("evaluations/vision-on-cifar-10/"), 404, "vision-on-cifar-10")


def test_a_table_with_a_history_is_not_deleted_and_the_answer_says_why(
    curator: TestClient, events: Callable[[], int]
) -> None:
    before = events()
    refused(curator.delete(f"evaluations/{TABLE}/"), 409, "4 results, which the history keeps")
    assert events() == before
    assert curator.get(f"evaluations/{TABLE}/").json()["result_count"] == 4


def test_a_deleted_result_can_be_taken_back(curator: TestClient, store: Store, events: Callable[[], int]) -> None:
    assert curator.delete(f"{RESULTS}2/").status_code == 204
    assert curator.get(f"evaluations/{TABLE}/").json()["result_count"] == 3
    restore(store, events(), actor="test")
    assert curator.get(f"evaluations/{TABLE}/").json()["result_count"] == 4
    assert curator.get(f"{RESULTS}2/").json()["rank"] == 1  # the old id leads to the row that came back


def test_metrics(curator: TestClient) -> None:
    made = curator.post(METRICS, json={"name": "Odds", "description": "d", "is_loss": True}).json()
    assert (made["name"], made["is_loss"], made["direction_origin"]) == ("Odds", True, "given")
    refused(curator.post(METRICS, json={"name": "Odds", "is_loss": True}), 409, made["id"])
    found_out = curator.post(METRICS, json={"name": "Top 5 Accuracy"}).json()
    assert (found_out["is_loss"], found_out["direction_origin"]) == (False, "known name")
    curated = curator.patch(f"{METRICS}{made['id']}/", json={"is_loss": False, "name": "Odds 2"}).json()
    assert (curated["name"], curated["is_loss"], curated["direction_origin"]) == ("Odds 2", False, "curated")
    refused(curator.patch(f"{METRICS}1/", json={"name": "GFLOPs"}), 409, "'GFLOPs'")
    refused(curator.delete(f"{METRICS}1/"), 409, "4 values")
    assert curator.delete(f"{METRICS}{made['id']}/").status_code == 204
    assert curator.get(METRICS).json()["count"] == 4


def test_a_curated_direction_turns_the_ranks(curator: TestClient) -> None:
    assert curator.get(f"{RESULTS}2/").json()["rank"] == 1
    curator.patch(f"{METRICS}1/", json={"is_loss": True})
    assert curator.get(f"{RESULTS}2/").json()["rank"] == 3


def test_results(curator: TestClient, store: Store) -> None:
    body = {
        "metrics": {"Top 1 Accuracy": 90.5, "GFLOPs": "12G", "Vibes": None},
        "methodology": "Better",
        "paper": "https://arxiv.org/pdf/1911.04252v3.pdf",
        "uses_additional_data": False,
        "evaluated_on": "2026-01-31",
        "external_source_url": "https://example.org/row",
    }
    made = curator.post(RESULTS, json=body).json()
    assert made["metrics"] == {"Top 1 Accuracy": "90.5", "GFLOPs": "12G"}
    assert (made["rank"], made["paper"], made["date"]) == (1, "self-training-with-noisy-student", "2026-01-31")
    assert made["code"][0] == "https://github.com/google-research/noisystudent"
    changed = curator.patch(f"{RESULTS}{made['id']}/", json={"methodology": "Best", "paper": ""}).json()
    assert changed["id"] != made["id"]
    assert (changed["methodology"], changed["paper"], changed["metrics"]) == ("Best", None, made["metrics"])
    assert curator.get(f"{RESULTS}{made['id']}/").json() == changed
    assert curator.get(RESULTS).json()["count"] == 5
    assert curator.delete(f"{RESULTS}{made['id']}/").status_code == 204  # by the id from before
    refused(curator.get(f"{RESULTS}{changed['id']}/"), 404, changed["id"])
    refused(curator.patch(f"{RESULTS}{changed['id']}/", json={}), 404, changed["id"])
    with store.reading() as connection:
        kept = connection.execute("SELECT count(*) FROM result WHERE id IN (?, ?)", (made["id"], changed["id"]))
        assert kept.fetchone()[0] == 2


def test_a_metric_is_meant_as_everywhere_in_any_capitals(curator: TestClient) -> None:
    made = curator.post(RESULTS, json={"metrics": {"TOP-1 accuracy": "81.5%"}, "methodology": "In Capitals"})
    assert made.json()["metrics"] == {"Top 1 Accuracy": "81.5%"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"metrics": {}}, "metrics"),
        ({"metrics": {"Nothing": 1}}, "it has 'Top 1 Accuracy', 'GFLOPs', 'Vibes'"),
        ({"metrics": {"GFLOPs": None}}, "value of one metric"),
        ({"metrics": {"GFLOPs": 1, "gflops": 2}}, "two of them are the same metric"),
        ({"metrics": {"GFLOPs": True}}, "neither a text nor a number"),
        ({"metrics": {"GFLOPs": [1]}}, "metrics.GFLOPs"),
        ({"metrics": {"GFLOPs": "x" * 101}}, "metrics.GFLOPs"),
        ({"metrics": {"GFLOPs": 10**101}}, "metrics.GFLOPs"),
        ({"methodology": ""}, "methodology"),
        ({"methodology": "a\x00b"}, "methodology"),
        ({"methodology": 7}, "methodology"),
        ({"paper": "no-such-paper"}, "'no-such-paper'"),
        ({"paper": "javascript:alert(1)"}, "paper"),
        ({"evaluated_on": "2026-02-30"}, "evaluated_on"),
        ({"evaluated_on": "yesterday"}, "evaluated_on"),
        ({"external_source_url": "javascript:alert(1)"}, "external_source_url"),
        ({"external_source_url": "x" * 3000}, "external_source_url"),
    ],
)
def test_a_result_that_is_wrong_is_422_and_named(
    curator: TestClient, events: Callable[[], int], change: dict[str, Any], why: str
) -> None:
    before = events()
    body = {"metrics": {"GFLOPs": 1}, "methodology": "M"} | change
    refused(curator.post(RESULTS, json=body), 422, why)
    refused(curator.patch(f"{RESULTS}1/", json=change), 422, why)
    assert events() == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 422),
        (b"[]", 422),
        (b"null", 422),
        (b'{"name": "\\ud800"}', 422),
        (b'{"name": "x", "description": "\\ud800"}', 422),
        (b'{"name": ' + b"9" * 5000 + b"}", 400),
        (b"[" * 200_000, 400),
        (b'{"name": "x"' + b" " * (1 << 20) + b"}", 413),
        (b"\xff", 400),
    ],
)
def test_a_body_that_is_broken_is_refused(curator: TestClient, body: bytes, status: int) -> None:
    answer = curator.post("tasks/", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert isinstance(answer.json()["detail"], str)


def test_a_run_is_not_changed_by_hand(curator: TestClient, store: Store) -> None:
    with store.changing("test", "run") as change:
        run = change.add_result(Result(1, "NoisyStudent", {"Top 1 Accuracy": "88"}, kind="run"))
        change.insert("run", result_id=run)
    refused(curator.patch(f"{RESULTS}{run}/", json={"methodology": "Other"}), 409, "run")
    assert curator.delete(f"{RESULTS}{run}/").status_code == 204


def test_what_was_removed_stays_in_the_event(curator: TestClient, store: Store) -> None:
    curator.delete("datasets/cifar-10/")
    with store.reading() as connection:
        event = connection.execute("SELECT * FROM event ORDER BY id DESC LIMIT 1").fetchone()
    (removed,) = json.loads(event["detail"])["report"]["removed"]
    assert (event["action"], removed["table"], removed["row"]["name"]) == ("remove dataset", "dataset", "CIFAR-10")


def test_a_direction_is_true_or_false_as_the_document_says(curator: TestClient, store: Store) -> None:
    for wrong in ("yes", "false", 1, 0.0, "maybe"):
        answer = curator.post(METRICS, json={"name": "New", "is_loss": wrong})
        refused(answer, 422, "is_loss")
    assert curator.post(METRICS, json={"name": "New", "is_loss": True}).json()["is_loss"] is True


def test_an_entry_is_hidden_and_shown_again(curator: TestClient, reader: TestClient) -> None:
    refused(reader.post("hidden/", json={"kind": "task", "entry": "vision"}), 401, "token")
    refused(curator.post("hidden/", json={"kind": "planet", "entry": "vision"}), 422, "kind")
    refused(curator.post("hidden/", json={"kind": "task", "entry": "nothing"}), 409, "there is no task")
    refused(curator.delete("hidden/task/vision/"), 409, "is not hidden")
    assert curator.post("hidden/", json={"kind": "task", "entry": "Vision", "reason": "empty"}).status_code == 201
    assert reader.get("tasks/vision/").status_code == 404
    assert [task["id"] for task in reader.get("tasks/image-classification/parents/").json()["results"]] == []
    assert curator.patch("tasks/vision/", json={"description": "x"}).json()["description"] == "x"  # curators see it
    refused(curator.post("hidden/", json={"kind": "task", "entry": "vision"}), 409, "is hidden already")
    assert curator.delete("hidden/task/vision/").status_code == 200
    assert reader.get("tasks/vision/").json()["description"] == "x"


# Values that cannot be

ODD = [
    ("123.4%", "Odd: Top 1 Accuracy is 123.4%, which cannot be: it is a share of 100"),
    ("0.913", "Odd: Top 1 Accuracy is 0.913 among values around "),
]


@pytest.mark.parametrize(("value", "why"), ODD)
def test_an_odd_value_is_refused_until_the_request_is_sure(
    curator: TestClient, store: Store, events: Callable[[], int], value: str, why: str
) -> None:
    body = {"metrics": {"Top 1 Accuracy": value}, "methodology": "Odd"}
    before = events()
    for answer in (curator.post(RESULTS, json=body), curator.patch(f"{RESULTS}2/", json=body)):
        refused(answer, 422, f"sure: {why}")
        assert answer.json()["detail"].endswith("; sure: say yes here where the source has it so")
    assert (events(), curator.get(RESULTS).json()["count"]) == (before, 4)
    made = curator.post(RESULTS, json=body | {"sure": True})
    assert (made.status_code, made.json()["metrics"]) == (201, {"Top 1 Accuracy": value})
    assert any(one["message"].startswith(why.removeprefix("Odd: ")) for one in check(store)["findings"])


def test_it_is_refused_as_a_submission_of_it_is(curator: TestClient, store: Store) -> None:
    submitter = {"Authorization": f"Token {tokens.make(store, 'submitter', ['submit'])}"}
    metrics = {"Top 1 Accuracy": "123.4%"}
    payload = {"leaderboard": TABLE, "model": "Odd", "metrics": metrics}
    submitted = curator.post("submissions/", json={"kind": "result", "payload": payload}, headers=submitter)
    written = curator.post(RESULTS, json={"metrics": metrics, "methodology": "Odd"})
    assert written.status_code == submitted.status_code == 422
    assert written.json()["detail"].replace("Odd: ", "") == submitted.json()["detail"]


def test_what_stands_there_already_is_not_asked_again(curator: TestClient) -> None:
    odd = {"metrics": {"Top 1 Accuracy": "123.4%", "GFLOPs": "1"}, "methodology": "Odd"}
    number = curator.post(RESULTS, json=odd | {"sure": True}).json()["id"]
    assert curator.patch(f"{RESULTS}{number}/", json=odd).status_code == 200  # nothing changes
    for change in ({"methodology": "Odd, renamed"}, {"metrics": {"Top 1 Accuracy": "123.4%", "GFLOPs": "2"}}):
        assert curator.patch(f"{RESULTS}{number}/", json=change).status_code == 200
    refused(curator.patch(f"{RESULTS}{number}/", json={"metrics": {"Top 1 Accuracy": "123.5%"}}), 422, "123.5%")
