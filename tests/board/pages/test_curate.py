from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from noisystudent.board.importing import import_file
from noisystudent.board.submitting import submissions, tokens
from noisystudent.board.web import sessions

BOARD = "image-classification-on-imagenet"


def waiting(store: Any, *names: str) -> None:
    for name in names:
        submissions.submit(store, "task", {"name": name}, submitter="anna")


def test_only_a_curators_token_signs_in(browser: Any) -> None:
    submitting = tokens.make(browser.store, "robot", ["submit"])
    for token in ("", "nsb_guess", submitting):
        answer = browser.sign_in(token)
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
    assert "Sign in" in browser.page("/curate").text
    assert browser.sign_in(tokens.make(browser.store, "carla", ["curate"])).headers["location"] == "/curate"
    assert "Signed in as carla" in browser.page("/curate").text


def test_nothing_can_be_decided_without_a_session(imagenet: Any, browser_of: Any) -> None:
    waiting(imagenet, "A")
    browser = browser_of(imagenet)
    for address in ("/curate", "/curate/submission/1", "/curate/event/1"):
        page = browser.page(address)
        assert [form.action for form in page.forms if form.method == "post"] == ["/curate/sign-in"]
    for address in (
        "/curate/submission/1/approve",
        "/curate/submission/1/reject",
        "/curate/approve",
        "/curate/event/1/restore",
        "/curate/sign-out",
    ):
        assert browser.client.post(address, data={"reason": "x"}).status_code == 403


def test_approving(curator: Any) -> None:
    waiting(curator.store, "A")
    assert "1: a new task: A" in curator.page("/curate").text
    answer = curator.send("/curate/submission/1", "/curate/submission/1/approve", note="good")
    assert (answer.status_code, answer.headers["location"]) == (303, "/curate/submission/1")
    page = curator.page("/curate/submission/1")
    assert "by carla" in page.text
    assert [form.action for form in page.forms if form.method == "post"] == ["/curate/sign-out"]
    assert "0 wait." in curator.page("/curate").text
    with curator.store.reading() as connection:
        event = connection.execute("SELECT actor, note FROM event ORDER BY id DESC LIMIT 1").fetchone()
    assert tuple(event) == ("carla", "submission 1: good")


def test_approving_many_at_once(curator: Any) -> None:
    """Each as it was seen; of two of one name, the second cannot be approved any more, and the page says so."""
    waiting(curator.store, "A", "B", "A", "C")
    form = curator.filled("/curate", "/curate/approve", {})
    assert [value for name, value in form if name == "submission"] == ["1", "2", "3", "4"]
    ticked = [(name, value) for name, value in form if (name, value) != ("submission", "4")]
    answer = curator.post("/curate/approve", ticked)
    assert answer.status_code == 409
    assert "ubmission 3 cannot be approved now" in answer.text
    with curator.store.reading() as connection:
        found = dict(map(tuple, connection.execute("SELECT id, status FROM submission")))
    assert found == {1: "approved", 2: "approved", 3: "pending", 4: "pending"}
    odd = [*curator.filled("/curate", "/curate/approve", {}), ("submission", "x"), ("submission", "9" * 30)]
    assert [value for name, value in odd if name == "submission"][:-2] == ["4"]  # what cannot be approved has no box
    assert curator.post("/curate/approve", odd).headers["location"] == "/curate"
    assert "1 waits" in curator.page("/curate").text


def test_rejecting_needs_a_reason_which_is_shown(curator: Any) -> None:
    waiting(curator.store, "A")
    action = "/curate/submission/1/reject"
    assert curator.send("/curate/submission/1", action, reason=" ").status_code == 422
    assert curator.send("/curate/submission/1", action, reason="x" * 2_001).status_code == 422
    assert curator.send("/curate/submission/1", action, reason="not a task").status_code == 303
    assert "not a task" in curator.page("/submission/1").text
    assert "\n  A\n" not in curator.page("/submission/1").text


def test_deciding_twice_and_too_late_is_told(curator: Any) -> None:
    waiting(curator.store, "A", "A")
    approve = "/curate/submission/1/approve"
    form = curator.filled("/curate/submission/1", approve, {})
    reject = curator.filled("/curate/submission/1", "/curate/submission/1/reject", {"reason": "no"})
    assert curator.post(approve, form).status_code == 303
    for action, fields in ((approve, form), ("/curate/submission/1/reject", reject)):
        again = curator.post(action, fields)
        assert again.status_code == 409
        assert "was approved already by carla" in again.text
    # The second of the same name cannot be approved any more; its page says why and has no button for it.
    page = curator.page("/curate/submission/2")
    assert "here already" in page.text
    assert "/curate/submission/2/approve" not in [form.action for form in page.forms]


def test_a_changed_world_is_shown_anew(curator: Any) -> None:
    waiting(curator.store, "A")
    submissions.approve(curator.store, 1, actor="cyril")
    for text in ("mine", "other"):
        submissions.submit(curator.store, "task", {"task": "a", "description": text}, submitter="anna")
    action = "/curate/submission/2/approve"
    form = curator.filled("/curate/submission/2", action, {})
    submissions.approve(curator.store, 3, actor="cyril")
    answer = curator.post(action, form)
    assert answer.status_code == 409
    assert "look at it again" in answer.text
    assert "other" in answer.text
    fresh = type(curator.page("/submit"))(answer.text).form(action).fields
    assert curator.post(action, fresh).status_code == 303


def test_an_event_is_taken_back_once(imagenet: Any, browser_of: Any) -> None:
    browser = browser_of(imagenet)
    browser.sign_in(tokens.make(imagenet, "carla", ["curate"]))
    payload = {"leaderboard": BOARD, "metric": "Top 1 Accuracy", "higher_is_better": False}
    submissions.submit(imagenet, "direction", payload, submitter="anna")
    event = submissions.approve(imagenet, 1, actor="carla")
    address, action = f"/curate/event/{event}", f"/curate/event/{event}/restore"
    form = browser.filled(address, action, {"note": "wrong"})
    answer = browser.post(action, form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/curate/event/{event + 1}")
    assert browser.post(action, form).status_code == 409  # a replay
    assert "taken back by" in " ".join(browser.page(address).text.split())
    assert "was taken back by event" in " ".join(browser.page("/submission/1").text.split())
    with imagenet.reading() as connection:
        assert connection.execute("SELECT higher_is_better FROM metric WHERE id = 1").fetchone()[0] == 1
    assert browser.client.get("/curate/event/999").status_code == 404
    assert browser.client.get("/curate/submission/999").status_code == 404


def test_the_queue_has_pages(curator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submissions, "PAGE", 2)
    waiting(curator.store, "A", "B", "C")
    assert "3: a new task: C" not in curator.page("/curate").text
    assert "3: a new task: C" in curator.page("/curate?page=2").text
    for wrong in ("0", "x", "9" * 30):
        assert curator.client.get(f"/curate?page={wrong}").status_code == 422


# Sessions


def test_the_cookie_of_a_session(browser: Any, browser_of: Any) -> None:
    token = tokens.make(browser.store, "carla", ["curate"])
    cookie = browser.sign_in(token).headers["set-cookie"]
    assert cookie.startswith("curator=")
    assert {"HttpOnly", "Path=/", "SameSite=strict", "Max-Age=28800"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert token not in cookie
    for options in ({"base_url": "https://board.example"}, {"address": "https://board.example"}):
        cookie = browser_of(browser.store, **options).client
        page = cookie.get("/curate")
        assert page.headers["set-cookie"].startswith("__Host-visitor=")
        assert {"HttpOnly", "SameSite=lax", "Secure"} <= set(page.headers["set-cookie"].split("; "))
    secure = browser_of(browser.store, base_url="https://board.example")
    cookie = secure.sign_in(token).headers["set-cookie"]
    assert cookie.startswith("__Host-curator=")
    assert {"HttpOnly", "Path=/", "SameSite=strict", "Secure"} <= set(cookie.split("; "))
    assert "domain" not in cookie.lower()


def test_a_session_ends_on_the_servers_clock(curator: Any, browser_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = {"Cookie": f"curator={curator.client.cookies['curator']}"}  # of a browser that never forgets
    client = browser_of(curator.store).client
    now = sessions.time.time()
    for later, is_in in ((0, True), (sessions.SECONDS - 60, True), (sessions.SECONDS + 60, False)):
        monkeypatch.setattr(sessions.time, "time", lambda later=later: now + later)
        assert ("Signed in" in client.get("/curate", headers=cookie).text) == is_in


def test_signing_out(curator: Any) -> None:
    assert curator.send("/curate", "/curate/sign-out").status_code == 303
    assert "Signed in" not in curator.page("/curate").text


def test_a_session_ends_with_its_token(curator: Any) -> None:
    waiting(curator.store, "A")
    action = "/curate/submission/1/approve"
    form = curator.filled("/curate/submission/1", action, {})
    tokens.revoke(curator.store, "carla")
    assert curator.post(action, form).status_code == 403
    assert "Signed in" not in curator.page("/curate").text


def test_a_forged_session_is_none(curator: Any, browser_of: Any) -> None:
    right = curator.client.cookies["curator"]
    number, expires, nonce, signature = right.split(".")
    later = str(int(expires) + 1)
    visitor = browser_of(curator.store)
    for forged in (
        *(
            "",
            "....",
            "1",
            right + "x",
            right[:-1],
            f"2.{expires}.{nonce}.{signature}",
            f"{number}.{later}.{nonce}.{signature}",
        ),
        *(
            f"{number}.{expires}.other.{signature}",
            f"{number}.{expires}.{nonce}.",
            "9" * 40 + right[1:],
            "\u0661" + right[1:],
        ),
    ):
        answer = visitor.client.get("/curate", headers={"Cookie": f"curator={forged}".encode()})
        assert "Signed in" not in answer.text
    answer = visitor.client.get("/curate", headers={"Cookie": f"curator={right}"})
    assert "Signed in" in answer.text


def test_signing_in_makes_a_new_session_whatever_was_there(curator: Any, browser_of: Any) -> None:
    planted = curator.client.cookies["curator"]
    victim = browser_of(curator.store)
    victim.client.cookies.set("curator", planted, domain="testserver.local", path="/")
    cookie = victim.send("/curate", "/curate/sign-out")
    token = tokens.make(curator.store, "cyril", ["curate"])
    cookie = victim.sign_in(token).headers["set-cookie"]
    assert planted not in cookie
    assert "Signed in as cyril" in victim.page("/curate").text


def test_an_import_is_taken_out_whole(curator: Any, tmp_path: Path) -> None:
    (tmp_path / "spam.json").write_text('[{"task": "Cheap flights", "datasets": [{"dataset": "Paris"}]}]')
    event = import_file(curator.store, tmp_path / "spam.json", actor="anna")["event"]
    here = f"/curate/event/{event}"
    assert "Take the import out whole" in curator.page(here).text
    answer = curator.send(here, f"{here}/restore", whole="yes")
    assert answer.status_code == 303
    with curator.store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM task").fetchone()[0] == 0
    assert "Take the import out whole" not in curator.page(answer.headers["location"]).text  # of what is no import


def test_twins_are_merged_from_their_page(curator: Any) -> None:
    with curator.store.changing("anna", "add") as change:
        change.task("Pose Estimation")
        change.task("<b>pose-estimation")
        change.task("Pose-Estimation")
    page = curator.page("/curate/twins")
    assert "1 pair looks like one thing" in page.text
    wanted = {"kind": "task", "gone": "pose-estimation-1", "kept": "pose-estimation"}
    answer = curator.send("/curate/twins", "/curate/merge", **wanted)
    assert answer.status_code == 303
    assert "0 pairs look" in curator.page("/curate/twins").text
    assert "merge, by carla" in curator.page(answer.headers["location"]).text
    assert (
        curator.client.get("/task/pose-estimation-1", follow_redirects=False)
        .headers["location"]
        .endswith("/task/pose-estimation")
    )
    with curator.store.changing("anna", "add") as change:
        change.task("Pose_Estimation")
    again = curator.send("/curate/twins", "/curate/merge", kind="task", gone="pose-estimation", kept="nothing")
    assert again.status_code == 409
    assert "there is no task" in again.text


def test_nobody_merges_without_a_session(browser: Any) -> None:
    assert "Sign in" in browser.page("/curate/twins").text
    assert browser.client.post("/curate/merge", data={"kind": "task", "gone": "a", "kept": "b"}).status_code == 403
