"""Who is signed in: a curator's session, in a signed cookie that runs out on the server's clock and with its token."""

from __future__ import annotations

import logging
import secrets
import sqlite3
import time
from dataclasses import dataclass
from typing import Literal

from fastapi import Request, Response

from noisystudent.board.catalogue.store import Store
from noisystudent.board.submitting import tokens
from noisystudent.board.web.row_numbers import row_number
from noisystudent.board.web.secret import is_signature, sign

SECONDS = 8 * 3600
NAME = "curator"


@dataclass(frozen=True)
class Session:
    """A token that signed in, and random text that is this session's alone, to which its forms are bound."""

    token: tokens.Token
    nonce: str
    expires: int


def start(request: Request, response: Response, token: tokens.Token) -> None:
    """Sign a token in. Whatever session cookie the browser had before is replaced, never taken up."""
    expires, nonce = int(time.time()) + SECONDS, secrets.token_urlsafe(16)
    signature = sign(request.app.state.secret, "session", token.id, expires, nonce)
    set_cookie(request, response, NAME, f"{token.id}.{expires}.{nonce}.{signature}", "strict", SECONDS)
    _log("signed in", request, token)


def session_of(request: Request, connection: sqlite3.Connection) -> Session | None:
    """The session of a request: signed by this site, neither run out nor ended, its token good and with the right to curate."""
    number, _, rest = request.cookies.get(cookie_name(request, NAME), "").partition(".")
    expires, _, rest = rest.partition(".")
    nonce, _, signature = rest.partition(".")
    of_token, until = row_number(number), row_number(expires)
    if of_token is None or until is None or until < time.time():
        return None
    if not is_signature(signature, request.app.state.secret, "session", of_token, until, nonce):
        return None
    if connection.execute("SELECT 1 FROM ended_session WHERE nonce = ?", (nonce,)).fetchone():
        return None
    token = tokens.find(connection, of_token)
    return Session(token, nonce, until) if token and "curate" in token.scopes else None


def end(request: Request, response: Response, session: Session) -> None:
    """Sign out: the browser forgets the cookie, and no copy of it opens anything any more."""
    store: Store = request.app.state.store
    with store.noting() as connection:
        connection.execute("DELETE FROM ended_session WHERE expires < ?", (int(time.time()),))
        connection.execute(
            "INSERT OR IGNORE INTO ended_session (nonce, expires) VALUES (?, ?)", (session.nonce, session.expires)
        )
    set_cookie(request, response, NAME, "", "strict", 0)
    _log("signed out", request, session.token)


def cookie_name(request: Request, name: str) -> str:
    """A cookie's name: over https with the prefix that keeps other hosts of the domain from setting it."""
    return f"__Host-{name}" if is_secure(request) else name


def set_cookie(
    request: Request, response: Response, name: str, value: str, same_site: Literal["lax", "strict"], seconds: int
) -> None:
    """A cookie that no script can read and that only this host gets back."""
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=seconds,
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite=same_site,
    )


def is_secure(request: Request) -> bool:
    """Whether readers come over https, themselves or to the proxy before this server."""
    return request.url.scheme == "https"


def _log(what: str, request: Request, token: tokens.Token) -> None:
    about = {"client": request.client and request.client.host, "token": token.name}
    logging.getLogger(__name__).info(what, extra={"request": about})
