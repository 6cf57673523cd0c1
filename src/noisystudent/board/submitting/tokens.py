"""Tokens: who may submit and who may approve. Only a token's hash is kept; the token itself is shown once."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from noisystudent.board.catalogue.change import now, time_text
from noisystudent.board.catalogue.store import Store
from noisystudent.errors import UserError

PREFIX = "nsb_"  # so that a scanner for secrets, and whoever finds one, sees what it is
SCOPES = ("submit", "curate", "sure")
MAX_NAME = 100
MAX_TOKEN = 200  # characters; a longer text is no token and is not hashed
HOLDS = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)"
MOST_DAYS = 3_650
SELDOM = timedelta(minutes=1)  # how often a token's last use is written down


@dataclass(frozen=True)
class Token:
    """What is kept of a token. `scopes` are of "submit" (send submissions), "curate" (decide about them) and, with this, "sure".

    What a token that is sure writes through the API is not questioned: it is for programs whose requests cannot say so.
    """

    id: int
    name: str
    scopes: frozenset[str]
    created_at: str
    revoked_at: str | None
    used_at: str | None
    expires_at: str | None


def make(
    store: Store, name: str, scopes: Iterable[str] = ("submit",), *, days: int | None = None, actor: str = "operator"
) -> str:
    """Make a token; what is returned is nowhere else and cannot be shown again.

    Args:
        name: whose it is or what it is for; it stands in the history of what the token did.
        scopes: what it may do.
        days: how long it holds; until it is revoked, where none are given.
        actor: who makes it.

    Raises:
        UserError: the name is empty, too long or taken, a scope is unknown, or it would never hold or for too long.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> store = Store(Path(tempfile.mkdtemp()) / "board.db", create=True)
        >>> token = make(store, "continuous integration")
        >>> with store.reading() as connection:
        ...     sorted(authenticate(connection, token).scopes), authenticate(connection, "nsb_guess")
        (['submit'], None)
    """
    name, wanted = name.strip(), sorted(set(scopes))
    problems = [f"scope {scope!r} is unknown: give {', '.join(SCOPES)}" for scope in wanted if scope not in SCOPES]
    if not wanted:
        problems.append(f"a token needs a scope: {', '.join(SCOPES)}")
    if "sure" in wanted and "curate" not in wanted:
        problems.append("scope sure goes with curate: it is for programs that write")
    if not name or len(name) > MAX_NAME or not name.isprintable():
        problems.append(f"a token's name has 1 to {MAX_NAME} printable characters")
    if days is not None and not 1 <= days <= MOST_DAYS:
        problems.append(f"a token holds for 1 to {MOST_DAYS:,} days, or until it is revoked")
    if problems:
        raise UserError(problems)
    expires = None if days is None else time_text(datetime.now(UTC) + timedelta(days=days))
    token = PREFIX + secrets.token_urlsafe(32)
    with store.changing(actor, "make token", name) as change:
        if change.connection.execute("SELECT 1 FROM token WHERE name = ?", (name,)).fetchone():
            raise UserError(f"there is a token {name!r} already, perhaps a revoked one: give another name")
        change.insert(
            "token", name=name, hash=hashed(token), scopes=json.dumps(wanted), created_at=now(), expires_at=expires
        )
    return token


def authenticate(connection: sqlite3.Connection, token: str) -> Token | None:
    """The token that a text is, if it is one that holds.

    It is found by its hash, so that the time taken says nothing about the tokens that there are.
    """
    if not token.startswith(PREFIX) or len(token) > MAX_TOKEN:
        return None
    digest = hashed(token)
    row = connection.execute(f"SELECT * FROM token WHERE hash = ? AND {HOLDS}", (digest, now())).fetchone()
    return _token(row) if row and hmac.compare_digest(row["hash"], digest) else None


def of_header(authorization: str) -> str:
    """The token in an `Authorization` header, or an empty text.

    Example:
        >>> of_header("Token nsb_x"), of_header("bearer nsb_x"), of_header("Basic eA==")
        ('nsb_x', 'nsb_x', '')
    """
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() in ("token", "bearer") else ""


def note_use(store: Store, token: Token) -> None:
    """Write down that a token was used now, at most once a minute, and not while another writes: nobody waits for it.

    This is no change of the catalogue and has no event.
    """
    before = time_text(datetime.now(UTC) - SELDOM)
    if store.read_only or (token.used_at is not None and token.used_at > before):
        return
    with closing(store.connect()) as connection:
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            connection.execute("UPDATE token SET used_at = ? WHERE id = ?", (now(), token.id))
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise


def revoke(store: Store, name: str, *, actor: str = "operator") -> None:
    """Make a token useless from now on. What was done with it stays.

    Raises:
        UserError: there is no such token, or it was revoked before.
    """
    with store.changing(actor, "revoke token", name) as change:
        row = change.connection.execute("SELECT id, revoked_at FROM token WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise UserError(f"there is no token {name!r}; `noisystudent board token list` shows those that there are")
        if row["revoked_at"]:
            raise UserError(f"the token {name!r} was revoked at {row['revoked_at']}")
        change.edit("token", row["id"], revoked_at=now())


def listed(connection: sqlite3.Connection) -> list[Token]:
    """All tokens, the newest first, the revoked ones included."""
    return [_token(row) for row in connection.execute("SELECT * FROM token ORDER BY id DESC")]


def find(connection: sqlite3.Connection, number: int) -> Token | None:
    """A token by its number, if it holds: a session outlives no token."""
    row = connection.execute(f"SELECT * FROM token WHERE id = ? AND {HOLDS}", (number, now())).fetchone()
    return _token(row) if row else None


def hashed(secret: str) -> str:
    """SHA-256 of a secret. It has 256 random bits, so nothing slower is needed and no salt."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _token(row: sqlite3.Row) -> Token:
    return Token(
        id=row["id"],
        name=row["name"],
        scopes=frozenset(json.loads(row["scopes"])),
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
        used_at=row["used_at"],
        expires_at=row["expires_at"],
    )
