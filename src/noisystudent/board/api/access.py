"""Who may write through the API, and one change of the catalogue for one write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, HTTPException, Request, Security
from fastapi.security import APIKeyHeader

from noisystudent.board.api.pages import Item, Shown
from noisystudent.board.catalogue import names, removal
from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.store import Store
from noisystudent.board.submitting import tokens
from noisystudent.board.submitting.payloads import Mistakes
from noisystudent.errors import UserError

_HEADER = APIKeyHeader(
    name="Authorization",
    scheme_name="token",
    description="`Token nsb_...`, with a token of scope curate: `noisystudent board token make NAME --scope curate`.",
    auto_error=False,
)


class _NothingChanged(Exception):
    """What was asked for is so already."""


class Writing:
    """A write, by the owner of a token that may: 401 or 403 otherwise."""

    def __init__(self, request: Request, authorization: Annotated[str | None, Security(_HEADER)] = None) -> None:
        self.store: Store = request.app.state.store
        self.token = token_with(self.store, authorization, "curate")
        self.is_sure = "sure" in self.token.scopes  # whose values are not questioned, whatever the request says

    @contextmanager
    def changing(self, action: str, note: str = "") -> Iterator[Change]:
        """One change, all of it or nothing; there is no event where nothing came to be different."""
        try:
            with self.store.changing(self.token.name, action, note) as change:
                yield change
                if not change.connection.total_changes:
                    raise _NothingChanged
        except _NothingChanged:
            pass
        except Mistakes:  # answered as those of a submission are
            raise
        except UserError as error:
            raise HTTPException(422, str(error)) from error

    def read(self, shown: Shown[Item], number: int) -> Item:
        """A row as it is after the write; a curator sees what is hidden."""
        with self.store.reading(unveiled=True) as connection:
            return shown(connection, [number])[0]


Write = Annotated[Writing, Depends(Writing)]
Authorization = Annotated[str | None, Security(_HEADER)]


def token_with(store: Store, authorization: str | None, scope: str) -> tokens.Token:
    """The token of a request, which has that scope.

    Raises:
        HTTPException: 401, there is no token or it is none; 403, it has not the scope, or the site is read-only.
    """
    if store.read_only:
        raise HTTPException(403, "this site is read-only")
    text = tokens.of_header(authorization or "")
    with store.reading() as connection:
        token = tokens.authenticate(connection, text) if text else None
    if token is None:
        why = "this token is none of this site's, was revoked or has run out" if text else "a write needs a token"
        raise HTTPException(401, f"{why}: send `Authorization: Token ...`", {"WWW-Authenticate": "Token"})
    if scope not in token.scopes:
        raise HTTPException(
            403, f"this token has not the scope to do that: it needs {scope}; there is a form at /submit"
        )
    tokens.note_use(store, token)
    return token


def meant(change: Change, kind: str, text: str) -> int:
    """The number of what a body means.

    Raises:
        HTTPException: 422, it means nothing.
    """
    number = names.meant(change.connection, kind, text)
    if number is None:
        raise HTTPException(422, f"{kind}: there is none with the id or the name {text!r}")
    return number


def remove(change: Change, table: str, row: int) -> None:
    """As `removal.remove`, with the refusal of the API.

    Raises:
        HTTPException: 409, something hangs on it.
    """
    try:
        removal.remove(change, table, row)
    except UserError as error:
        raise HTTPException(409, str(error)) from error
