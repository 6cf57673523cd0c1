"""A read, of a page or of the API: one state of the catalogue, what is said in it with a tag, and nothing to who has that already."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable

from fastapi import HTTPException, Request, Response

from noisystudent import __version__
from noisystudent.board.catalogue import names
from noisystudent.board.catalogue.history import last_event
from noisystudent.board.catalogue.store import Store
from noisystudent.board.web.site import Site


class Reading:
    """What a read works with: the request, and while it is answered a connection that sees one state of the catalogue, and its number."""

    connection: sqlite3.Connection
    event: int

    def __init__(self, request: Request) -> None:
        self.request = request
        self.site: Site = request.app.state.site
        self.store: Store = request.app.state.store

    @property
    def address(self) -> str:
        """Where the site is, without a slash at the end."""
        return str(self.request.base_url).rstrip("/")

    def find(self, kind: str, text: str) -> int:
        """As `named`, in this state of the catalogue."""
        return named(self.connection, kind, text)

    def answer(self, what: str, say: Callable[[dict[str, str]], Response]) -> Response:
        """The answer to this request, or 304 where its sender has it.

        Args:
            what: all that the answer depends on beside the catalogue: an address, and the day where it says something else tomorrow.
            say: makes the answer, with the headers that it is given.
        """
        with self.store.reading() as self.connection:
            self.event = last_event(self.connection)
            tag, known = etag(self.event, what), self.request.headers.get("if-none-match", "").split(",")
            headers = {"ETag": tag, "Cache-Control": "no-cache"}  # that is: ask whether it is still so
            if tag in (each.strip() for each in known):
                return Response(status_code=304, headers=headers)
            return say(headers)


def etag(event: int, what: str) -> str:
    """The tag of what is said after an event; another version of the program may say it otherwise.

    Example:
        >>> etag(7, "/papers") == etag(7, "/papers"), etag(7, "/papers") == etag(8, "/papers")
        (True, False)
    """
    return f'W/"{hashlib.sha256(f"{__version__} {event} {what}".encode()).hexdigest()[:20]}"'


def named(connection: sqlite3.Connection, kind: str, text: str) -> int:
    """The number of the entry that an address names.

    Raises:
        HTTPException: 404, it names none.
    """
    number = names.meant(connection, kind, text)
    if number is None:
        raise HTTPException(404, f"there is no {kind} {text!r}")
    return number
