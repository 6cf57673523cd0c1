"""Signing in and out: what a copied cookie opens, what holds for how long, and what is written down of it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from noisystudent.board.submitting import tokens
from noisystudent.board.web import sessions


def signed_in(browser: Any) -> bool:
    return "Signed in as carla" in browser.page("/curate").text


def test_signing_out_ends_the_session_wherever_its_cookie_is(curator: Any, browser_of: Any) -> None:
    thief = browser_of(curator.store)
    thief.client.cookies.update(curator.client.cookies)
    assert signed_in(thief)
    assert curator.send("/curate", "/curate/sign-out").status_code == 303
    assert not signed_in(curator)
    assert not signed_in(thief)


def test_other_sessions_of_a_token_go_on(store: Any, browser_of: Any) -> None:
    token = tokens.make(store, "carla", ["curate"])
    first, second = browser_of(store), browser_of(store)
    for browser in (first, second):
        browser.sign_in(token)
    first.send("/curate", "/curate/sign-out")
    assert (signed_in(first), signed_in(second)) == (False, True)


def test_ended_sessions_are_forgotten_when_they_would_have_run_out(
    store: Any, browser_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, now = tokens.make(store, "carla", ["curate"]), 1_800_000_000.0
    for time in (now, now + sessions.SECONDS + 1):
        monkeypatch.setattr(sessions.time, "time", lambda time=time: time)
        browser = browser_of(store)
        browser.sign_in(token)
        browser.send("/curate", "/curate/sign-out")
    with store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM ended_session").fetchone()[0] == 1


def test_a_session_ends_with_its_token(store: Any, browser_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = browser_of(store)
    browser.sign_in(tokens.make(store, "carla", ["curate"], days=1))
    assert signed_in(browser)
    monkeypatch.setattr(tokens, "now", lambda: "9999-01-01T00:00:00.000000Z")
    assert not signed_in(browser)


def test_who_comes_and_goes_is_in_the_log_without_secrets(
    store: Any, browser_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="noisystudent.board")
    browser, token = browser_of(store), tokens.make(store, "carla", ["curate"])
    browser.sign_in("nsb_guess")
    browser.sign_in(token)
    browser.send("/curate", "/curate/sign-out")
    browser.client.post("/api/v1/tasks/", json={"name": "A"}, headers={"Authorization": "Token nsb_guess"})
    told = [
        (record.getMessage(), record.__dict__.get("request"))
        for record in caplog.records
        if record.name.startswith("noisystudent.board.web")
    ]
    assert [message for message, _ in told] == ["a token was refused", "signed in", "signed out", "a token was refused"]
    assert told[0][1] == {"client": "testclient", "path": "/curate/sign-in"}
    assert told[1][1] == {"client": "testclient", "token": "carla"}
    assert "nsb_" not in repr(told)
