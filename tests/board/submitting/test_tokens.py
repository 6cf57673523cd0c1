from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from noisystudent.board.catalogue.store import Store
from noisystudent.board.submitting import tokens
from noisystudent.errors import UserError


def authenticated(store: Store, text: str) -> tokens.Token | None:
    with store.reading() as connection:
        return tokens.authenticate(connection, text)


def test_a_token_is_known_by_itself_alone(store: Store) -> None:
    token, other = tokens.make(store, "anna", ["submit", "curate"]), tokens.make(store, "bert")
    found = authenticated(store, token)
    assert found is not None
    assert (found.name, found.scopes) == ("anna", {"submit", "curate"})
    assert token != other
    assert len(token) >= 43 + len(tokens.PREFIX)
    for wrong in (
        "",
        token[:-1],
        token + "x",
        token.upper(),
        tokens.PREFIX,
        token.removeprefix(tokens.PREFIX),
        "x" * 10**6,
    ):
        assert authenticated(store, wrong) is None


def test_a_token_is_nowhere_in_the_file(store: Store) -> None:
    token = tokens.make(store, "anna")
    with store.reading() as connection:
        assert connection.execute("SELECT hash FROM token").fetchone()["hash"] == tokens.hashed(token)
    for file in store.path.parent.iterdir():
        assert token.removeprefix(tokens.PREFIX).encode() not in file.read_bytes()


def test_the_hash_of_a_token_is_no_token(store: Store) -> None:
    token = tokens.make(store, "anna")
    assert authenticated(store, tokens.hashed(token)) is None
    assert authenticated(store, tokens.PREFIX + tokens.hashed(token)) is None


def test_a_revoked_token_is_none(store: Store) -> None:
    token = tokens.make(store, "anna")
    found = authenticated(store, token)
    tokens.revoke(store, "anna")
    assert authenticated(store, token) is None
    with store.reading() as connection:
        assert found is not None
        assert tokens.find(connection, found.id) is None
        (listed,) = tokens.listed(connection)
    assert listed.revoked_at is not None
    with pytest.raises(UserError, match="was revoked at"):
        tokens.revoke(store, "anna")
    with pytest.raises(UserError, match="'anna' already, perhaps a revoked one"):
        tokens.make(store, "anna")


def test_a_token_may_hold_for_a_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for_a_day, for_ever = tokens.make(store, "anna", days=1), tokens.make(store, "bert")
    found = authenticated(store, for_a_day)
    assert found is not None
    assert found.expires_at is not None
    in_two_days = tokens.time_text(datetime.now(UTC) + timedelta(days=2))
    monkeypatch.setattr(tokens, "now", lambda: in_two_days)
    assert authenticated(store, for_a_day) is None
    assert authenticated(store, for_ever) is not None
    with store.reading() as connection:
        assert tokens.find(connection, found.id) is None
    for days in (0, -1, 10**9):
        with pytest.raises(UserError, match="holds for 1 to 3,650 days"):
            tokens.make(store, "carl", days=days)


def test_mistakes_are_told_at_once(store: Store) -> None:
    with pytest.raises(UserError) as error:
        tokens.make(store, " \n", ["read"])
    assert len(error.value.problems) == 2
    with pytest.raises(UserError, match="needs a scope"):
        tokens.make(store, "anna", [])
    with pytest.raises(UserError, match="no token 'nobody'"):
        tokens.revoke(store, "nobody")


def test_making_and_revoking_is_in_the_history_without_the_hash(store: Store) -> None:
    token = tokens.make(store, "anna", actor="root")
    tokens.revoke(store, "anna", actor="root")
    with store.reading() as connection:
        events = [tuple(row) for row in connection.execute("SELECT action, actor, note FROM event ORDER BY id")]
        details = "".join(row["detail"] for row in connection.execute("SELECT detail FROM event"))
    assert events == [("make token", "root", "anna"), ("revoke token", "root", "anna")]
    assert tokens.hashed(token) not in details


def used_at(store: Store) -> str | None:
    with store.reading() as connection:
        found: str | None = connection.execute("SELECT used_at FROM token").fetchone()["used_at"]
        return found


def test_its_use_is_written_down_once_a_minute(store: Store) -> None:
    token = tokens.make(store, "anna")
    tokens.note_use(store, authenticated(store, token))  # type: ignore[arg-type]
    first = used_at(store)
    assert first is not None
    tokens.note_use(store, authenticated(store, token))  # type: ignore[arg-type]
    assert used_at(store) == first
    long_ago = (datetime.now(UTC) - timedelta(minutes=2)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    with closing(store.connect()) as connection:
        connection.execute("UPDATE token SET used_at = ?", (long_ago,))
    tokens.note_use(store, authenticated(store, token))  # type: ignore[arg-type]
    assert used_at(store) >= first  # type: ignore[operator]


def test_nobody_waits_to_write_down_a_use(store: Store) -> None:
    found = authenticated(store, tokens.make(store, "anna"))
    assert found is not None
    with store.changing("anna", "a long import"):
        tokens.note_use(store, found)  # would wait a minute and fail
    assert used_at(store) is None
