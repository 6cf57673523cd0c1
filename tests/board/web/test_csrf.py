from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from noisystudent.board.submitting import submissions, tokens
from noisystudent.board.web import csrf
from noisystudent.board.web.secret import VARIABLE, secret_of
from noisystudent.errors import UserError

APPROVE = "/curate/submission/1/approve"


def count(browser: Any) -> int:
    with browser.store.reading() as connection:
        return int(connection.execute("SELECT count(*) FROM submission").fetchone()[0])


def test_a_form_without_its_token_is_refused(browser: Any) -> None:
    fields = browser.filled("/submit/task", "/submit/task", {"name": "A"})
    token = dict(fields)["form_token"]
    expires, once, signature = token.split(".")
    for forged in (
        *("", "..", token[:-1], token + "x", f"{int(expires) + 1}.{once}.{signature}", f"{expires}.other.{signature}"),
        *(f"{expires}.{once}.", "\u0661.a.b", "9" * 400 + ".a.b", token.swapcase()),
    ):
        changed = [(name, forged if name == "form_token" else value) for name, value in fields]
        answer = browser.post("/submit/task", changed)
        assert answer.status_code == 403
        assert "did not come from a page that this site gave" in answer.text
    assert browser.post("/submit/task", [("name", "A")]).status_code == 403
    assert count(browser) == 0
    assert browser.post("/submit/task", fields).status_code == 201


def test_a_form_is_bound_to_its_browser_and_its_address(store: Any, browser_of: Any) -> None:
    browser, other = browser_of(store), browser_of(store)
    other.page("/submit/task")
    fields = browser.filled("/submit/task", "/submit/task", {"name": "A"})
    assert other.post("/submit/task", fields).status_code == 403
    assert browser.post("/submit/method", fields).status_code == 403
    browser.client.cookies.clear()
    assert browser.post("/submit/task", fields).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "https://testserver"},
        {"Origin": "http://testserver:8080"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://testserver", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_form_of_another_site_is_refused_even_with_the_token(browser: Any, headers: dict[str, str]) -> None:
    fields = browser.filled("/submit/task", "/submit/task", {"name": "A"})
    assert browser.post("/submit/task", fields, headers=headers).status_code == 403
    here = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert browser.post("/submit/task", fields, headers=here).status_code == 201


def test_a_proxy_may_have_the_address(store: Any, browser_of: Any) -> None:
    browser = browser_of(store, address="http://board.example")
    fields = browser.filled("/submit/task", "/submit/task", {"name": "A"})
    assert browser.post("/submit/task", fields, headers={"Origin": "http://board.example"}).status_code == 201


def test_a_form_that_is_sent_again_is_refused(browser: Any) -> None:
    fields = browser.filled("/submit/task", "/submit/task", {"name": "A"})
    assert browser.post("/submit/task", fields).status_code == 201
    again = browser.post("/submit/task", fields)
    assert again.status_code == 409
    assert "This was submitted already" in again.text
    assert count(browser) == 1
    # Also after a mistake, of which nothing was kept, the same form may be sent once.
    fields = browser.filled("/submit/task", "/submit/task", {"name": ""})
    assert browser.post("/submit/task", fields).status_code == 422
    mended = [(name, "B" if name == "name" else value) for name, value in fields]
    assert [browser.post("/submit/task", mended).status_code for _ in range(2)] == [201, 409]


def test_a_form_gets_old(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = browser.filled("/submit/task", "/submit/task", {"name": "A"})
    now = csrf.time.time()
    monkeypatch.setattr(csrf.time, "time", lambda: now + csrf.SECONDS + 1)
    assert browser.post("/submit/task", fields).status_code == 403


def test_a_curators_form_is_bound_to_the_session(curator: Any, browser_of: Any) -> None:
    submissions.submit(curator.store, "task", {"name": "A"}, submitter="anna")
    fields = curator.filled("/curate/submission/1", APPROVE, {})
    other = browser_of(curator.store)
    other.sign_in(tokens.make(curator.store, "cyril", ["curate"]))
    assert other.post(APPROVE, fields).status_code == 403
    mine = other.filled("/curate/submission/1", APPROVE, {})
    # A visitor's form token is none of a curator's, even for the same address.
    request = type("Request", (), {"app": curator.client.app})()
    visitors = csrf.form_token(request, APPROVE, curator.client.cookies["visitor"])
    forged = [(name, visitors if name == "form_token" else value) for name, value in fields]
    assert curator.post(APPROVE, forged).status_code == 403
    assert curator.post(APPROVE, fields, headers={"Origin": "https://evil.example"}).status_code == 403
    assert other.post(APPROVE, mine).status_code == 303


def test_what_is_no_form_is_refused(browser: Any) -> None:
    post = browser.client.post
    assert post("/submit/task", json={"name": "A"}).status_code == 403
    assert post("/submit/task", files={"name": ("a.txt", b"A")}).status_code == 400
    assert (
        post(
            "/submit/task", content=b"name=A&" * 2_000, headers={"Content-Type": "application/x-www-form-urlencoded"}
        ).status_code
        == 400
    )
    assert post("/submit/task", content=b"--x\r\n", headers={"Content-Type": "multipart/form-data"}).status_code == 400
    assert count(browser) == 0


# The secret


def test_the_secret_is_a_file_of_its_owner_alone(tmp_path: Path) -> None:
    store = tmp_path / "board.db"
    secret = secret_of(store)
    file = tmp_path / "board.db.secret"
    assert file.stat().st_mode & 0o777 == 0o600
    assert secret_of(store) == secret
    assert len(secret) >= 64
    assert [path.name for path in tmp_path.iterdir()] == ["board.db.secret"]
    file.chmod(0o644)
    with pytest.raises(UserError, match="chmod 600"):
        secret_of(store)
    file.chmod(0o600)
    file.write_text("short")
    with pytest.raises(UserError, match="32 characters"):
        secret_of(store)


def test_another_umask_does_not_open_the_secret(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        secret_of(tmp_path / "board.db")
    finally:
        os.umask(before)
    assert (tmp_path / "board.db.secret").stat().st_mode & 0o777 == 0o600


def test_the_secret_out_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "e" * 40)
    assert secret_of(tmp_path / "board.db") == b"e" * 40
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv(VARIABLE, "short")
    with pytest.raises(UserError, match=VARIABLE):
        secret_of(tmp_path / "board.db")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=VARIABLE):
        secret_of(tmp_path / "none" / "board.db")
