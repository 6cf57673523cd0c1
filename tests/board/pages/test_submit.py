from __future__ import annotations

import re
from typing import Any

import pytest

from noisystudent.board.catalogue.fields import KINDS
from noisystudent.board.pages.forms import FORMS
from noisystudent.board.submitting import submissions, tokens

BOARD = "image-classification-on-imagenet"


def receipt_of(html: str) -> str:
    found = re.search(r'class="receipt"[^>]*>([^<]+)<', html)
    assert found is not None
    return found.group(1)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_a_payload_has_one_in_the_form(browser: Any, kind: str) -> None:
    page = browser.page(f"/submit/{kind}")
    inputs = {name for name, _ in page.form(f"/submit/{kind}").fields}
    payload = set(KINDS[kind].model_fields) - ({kind} if kind in ("paper", "task", "dataset", "method") else set())
    if kind == "result":
        payload = payload - {"metrics", "higher_is_better"} | {"metric", "value", "better"}
    assert inputs == payload | {"form_token"}
    assert {field.name for field in FORMS[kind]} <= set(KINDS[kind].model_fields)
    labels = {attributes["for"] for tag, attributes in page.elements if tag == "label"}
    ids = {attributes.get("id") for tag, attributes in page.elements if tag in ("input", "textarea", "select")} - {None}
    assert ids <= labels
    described = " ".join(attributes.get("aria-describedby", "") for _, attributes in page.elements).split()
    assert set(described) <= {attributes.get("id") for _, attributes in page.elements}


def test_which_kinds_there_are(browser: Any) -> None:
    links = {attributes.get("href") for tag, attributes in browser.page("/submit").elements if tag == "a"}
    assert {f"/submit/{kind}" for kind in KINDS} <= links
    assert [entry["kind"] for entry in browser.client.get("/submit.json").json()["kinds"]] == list(KINDS)
    assert "title" in browser.client.get("/submit/paper.json").json()["properties"]
    for unknown in ("/submit/nothing", "/submit/nothing.json"):
        assert browser.client.get(unknown).status_code == 404


def test_from_the_form_to_the_catalogue(curator: Any) -> None:
    sent = curator.send(
        "/submit/task", name="Image Classification", areas="Computer Vision\r\n\r\nRobots", contributor="Anna"
    )
    assert sent.status_code == 201
    assert sent.headers["cache-control"] == "no-store"
    page = curator.page("/submission/1")
    assert "It waits for a curator" in page.text
    assert "by Anna" in page.text
    submissions.approve(curator.store, 1, actor="carla")
    assert "It was approved" in " ".join(curator.page("/submission/1").text.split())
    shown = curator.client.get("/submission/1.json").json()
    assert (shown["status"], shown["payload"]) == (
        "approved",
        {"name": "Image Classification", "areas": ["Computer Vision", "Robots"]},
    )
    assert "submitter" not in shown


def test_a_result_from_the_leaderboards_link(imagenet: Any, browser_of: Any) -> None:
    browser = browser_of(imagenet)
    address = f"/submit/result?leaderboard={BOARD}&paper=self-training-with-noisy-student"
    form = browser.page(address).form("/submit/result")
    assert ("leaderboard", BOARD) in form.fields
    assert ("paper", "self-training-with-noisy-student") in form.fields
    assert [value for name, value in form.fields if name == "metric"] == ["Top 1 Accuracy", "GFLOPs", ""]
    sent = browser.send(
        address,
        model="B7",
        value=["86.9%", "", "66"],
        metric=["Top 1 Accuracy", "GFLOPs", "Parameters"],
        better=["", "", "no"],
        extra_data="yes",
        tags="EfficientNet\nStudent",
    )
    assert sent.status_code == 201
    with imagenet.reading() as connection:
        found = submissions.get(connection, 1)
    assert found is not None
    assert found.payload == {
        "leaderboard": BOARD,
        "model": "B7",
        "metrics": {"Top 1 Accuracy": "86.9%", "Parameters": "66"},
        "higher_is_better": {"Parameters": False},
        "paper": "self-training-with-noisy-student",
        "extra_data": True,
        "tags": ["EfficientNet", "Student"],
    }


def test_a_correction_is_prefilled_with_the_row(imagenet: Any, browser_of: Any) -> None:
    browser = browser_of(imagenet)
    form = browser.page("/submit/result?corrects=2").form("/submit/result")
    assert {("model", "NoisyStudent"), ("value", "88.4%"), ("corrects", "2"), ("leaderboard", BOARD)} <= set(
        form.fields
    )
    assert browser.send("/submit/result?corrects=2").status_code == 422  # nothing would change
    assert browser.send("/submit/result?corrects=2", locator="Table 2").status_code == 201
    assert browser.client.get("/submit/result?corrects=99").status_code == 404
    for wrong in ("x", "-1", "9" * 30, "9" * 5_000):
        assert browser.client.get(f"/submit/result?corrects={wrong}").status_code == 422
    assert browser.client.get("/submit/result?leaderboard=nowhere").status_code == 404


def test_a_change_sends_what_is_different(imagenet: Any, browser_of: Any) -> None:
    with imagenet.changing("seed", "odd") as change:  # as the archive has them, which the form would refuse
        change.edit("paper", 1, published="2222-01-01", url_pdf="ftp://a.org/")
    browser = browser_of(imagenet)
    address = "/submit/paper?paper=self-training-with-noisy-student"
    form = browser.page(address).form("/submit/paper")
    assert {
        ("title", "Self-training with Noisy Student"),
        ("published", "2222-01-01"),
        ("url_pdf", "ftp://a.org/"),
    } <= set(form.fields)
    assert browser.send(address, authors="Q. Xie\nM. Luong").status_code == 201
    with imagenet.reading() as connection:
        assert submissions.get(connection, 1).payload == {
            "paper": "self-training-with-noisy-student",
            "authors": ["Q. Xie", "M. Luong"],
        }
    assert browser.client.get("/submit/paper?paper=nothing").status_code == 404


def test_mistakes_stand_at_their_fields_and_what_was_typed_stays(browser: Any) -> None:
    sent = browser.send(
        "/submit/paper",
        title="A <b>paper</b>",
        url_abs="javascript:alert(1)",
        published="soon",
        abstract="\n two\n\nlines",
        comment="x" * 2_001,
    )
    assert sent.status_code == 422
    page = type(browser.page("/submit"))(sent.text)
    wrong = {attributes["id"] for _, attributes in page.elements if attributes.get("aria-invalid") == "true"}
    assert wrong == {"url_abs", "published", "comment"}
    for name in wrong:
        assert any(attributes.get("id") == f"mistake-{name}" for _, attributes in page.elements)
        assert any(attributes.get("href") == f"#{name}" for _, attributes in page.elements)
    fields = dict(page.form("/submit/paper").fields)
    assert fields["title"] == "A <b>paper</b>"
    assert fields["url_abs"] == "javascript:alert(1)"
    assert fields["abstract"].replace("\r\n", "\n") == "\n two\n\nlines"
    with browser.store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM submission").fetchone()[0] == 0


def test_mistakes_in_values_keep_the_rows(browser: Any) -> None:
    sent = browser.send(
        "/submit/result", task="T", dataset="D", model="", metric=["A", "B"], value=["1", ""], better=["yes", "no"]
    )
    assert sent.status_code == 422
    fields = type(browser.page("/submit"))(sent.text).form("/submit/result").fields
    assert [pair for pair in fields if pair[0] in ("metric", "value", "better")][:6] == [
        *(("metric", "A"), ("value", "1"), ("better", "yes"), ("metric", "B"), ("value", ""), ("better", "no"))
    ]


def test_a_receipt_takes_back_and_a_guess_does_not(browser: Any) -> None:
    receipt = receipt_of(browser.send("/submit/task", name="A").text)
    action = "/submission/1/withdraw"
    assert browser.send("/submission/1", action, receipt="guess").status_code == 403
    assert browser.send("/submission/1", action, receipt=f" {receipt} ").status_code == 200
    page = browser.page("/submission/1")
    assert "It was withdrawn" in " ".join(page.text.split())
    assert "What it said is not shown any more" in page.text
    assert [form.action for form in page.forms if form.method == "post"] == []
    assert browser.client.get("/submission/1.json").json()["payload"] == {}
    assert receipt not in browser.client.get("/submission/1").text


def test_each_visitor_may_have_so_many_waiting(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        submissions.submit,
        "__kwdefaults__",
        {**submissions.submit.__kwdefaults__, "limits": submissions.QueueLimits(of_one=1)},
    )
    assert browser.send("/submit/task", name="A").status_code == 201
    refused = browser.send("/submit/task", name="B")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3600")


def test_addresses_of_visitors_are_not_kept(browser: Any) -> None:
    browser.send("/submit/task", name="A")
    with browser.store.reading() as connection:
        submitter = connection.execute("SELECT submitter FROM submission").fetchone()["submitter"]
    assert re.fullmatch(r"visitor [\w-]{12}", submitter)


def test_a_submission_that_is_not_there(browser: Any) -> None:
    for address in ("/submission/1", "/submission/1.json", "/submission/" + "9" * 15):
        assert browser.client.get(address).status_code == 404
    for address in ("/submission/0", "/submission/x", "/submission/" + "9" * 30):
        assert browser.client.get(address).status_code == 422


def test_a_read_only_site_has_no_forms_and_takes_none(imagenet: Any, browser_of: Any) -> None:
    submissions.submit(imagenet, "task", {"name": "A"}, submitter="anna")
    browser = browser_of(imagenet, read_only=True)
    assert not imagenet.path.with_name("board.db.secret").exists()
    for address in ("/submit", "/submit/task", "/submission/1"):
        answer = browser.client.get(address)
        assert answer.status_code == 200
        assert [form for form in browser.page(address).forms if form.method == "post"] == []
    for address in (
        "/submit/task",
        "/submission/1/withdraw",
        "/curate/sign-in",
        "/curate/submission/1/approve",
        "/curate/event/1/restore",
    ):
        answer = browser.client.post(address, data={"name": "A"})
        assert answer.status_code == 403
        assert "read-only" in answer.text
    assert browser.client.get("/curate").status_code == 403


def test_the_api_takes_the_same_payload_with_a_token(imagenet: Any, browser_of: Any) -> None:
    browser = browser_of(imagenet)
    headers = {"Authorization": f"Token {tokens.make(imagenet, 'robot')}"}
    body = {
        "kind": "result",
        "payload": {"leaderboard": BOARD, "model": "M", "metrics": {"GFLOPs": "3"}},
        "receipt": "r" * 32,
    }
    post = browser.client.post
    sent = post("/api/v1/submissions/", json=body, headers=headers)
    assert (sent.status_code, sent.json()) == (201, {"id": 1, "receipt": "r" * 32})
    assert post("/api/v1/submissions/", json=body, headers=headers).status_code == 409
    wrong = post("/api/v1/submissions/", json={"kind": "task", "payload": {"name": "", "x": 1}}, headers=headers)
    assert (wrong.status_code, wrong.json()["detail"]) == (422, "name: must not be empty; x: is no field of this kind")
    assert post("/api/v1/submissions/", json={"kind": "nothing", "payload": {}}, headers=headers).status_code == 422
    assert post("/api/v1/submissions/", json=body).status_code == 401
    curating = {"Authorization": f"Token {tokens.make(imagenet, 'carla', ['curate'])}"}
    assert post("/api/v1/submissions/", json=body, headers=curating).status_code == 403
    state = browser.client.get("/api/v1/submissions/1/").json()
    assert (state["status"], state["payload"]["metrics"]) == ("pending", {"GFLOPs": "3"})
    assert browser.client.get("/api/v1/submissions/9/").status_code == 404


def test_a_leaderboard_is_chosen_not_typed(imagenet: Any, browser_of: Any) -> None:
    browser = browser_of(imagenet)
    page = browser.page("/submit/result?q=image")
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a" and "href" in attributes]
    assert f"/submit/result?leaderboard={BOARD}" in links
    assert "None has these words in its name" in browser.page("/submit/result?q=nothingofthekind").text
    names = [name for name, _ in browser.page(f"/submit/result?leaderboard={BOARD}").form("/submit/result").fields]
    assert names.count("task") == names.count("dataset") == 1  # hidden: the leaderboard says both
    assert "Task of a new leaderboard" not in browser.page(f"/submit/result?leaderboard={BOARD}").text


def test_a_preview_says_the_rank_and_sends_nothing(imagenet: Any, browser_of: Any) -> None:
    browser = browser_of(imagenet)
    address = f"/submit/result?leaderboard={BOARD}"
    filled = browser.filled(address, "/submit/result", {"model": "Ours", "value": ["95.5%"]})
    seen = browser.post("/submit/result", [*filled, ("then", "look")])
    assert seen.status_code == 200
    assert "It would be the first of" in seen.text
    assert 'value="Ours"' in seen.text
    nameless = [(name, "" if name == "model" else value) for name, value in filled]
    assert browser.post("/submit/result", [*nameless, ("then", "look")]).status_code == 422
    with imagenet.reading() as connection:
        assert connection.execute("SELECT count(*) FROM submission").fetchone()[0] == 0
    assert browser.post("/submit/result", [*filled, ("then", "send")]).status_code == 201
