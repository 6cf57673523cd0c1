"""A read of the API: a function from one state of the catalogue to a model, with an ETag."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel

from noisystudent.board.catalogue.history import last_event
from noisystudent.board.catalogue.names import meant
from noisystudent.board.catalogue.store import Store
from noisystudent.board.web.etags import etag, is_known
from noisystudent.board.web.view import View


class Reading:
    """What a read works with: the request, a connection that sees one state of the catalogue, and that state's number."""

    connection: sqlite3.Connection
    event: int

    def __init__(self, request: Request) -> None:
        self.request = request
        self.store: Store = request.app.state.store

    @property
    def address(self) -> str:
        """Where the API's reader found it, for links to other pages."""
        return View(self.request).address + self.request.url.path

    def find(self, kind: str, slug: str) -> int:
        """The number of what an address names.

        Raises:
            HTTPException: 404, it names nothing.
        """
        number = meant(self.connection, kind, slug)
        if number is None:
            raise HTTPException(404, f"there is no {kind} {slug!r}")
        return number


Read = Annotated[Reading, Depends(Reading)]


def read(router: APIRouter, path: str, model: Any) -> Callable[[Callable[..., BaseModel]], Callable[..., Response]]:
    """Register a read at a path: GET, which the OpenAPI document has, and HEAD.

    Args:
        router: where to.
        path: with the slash at the end that the published client sends.
        model: what the function returns.
    """

    def register(function: Callable[..., BaseModel]) -> Callable[..., Response]:
        @functools.wraps(function)
        def answer(reading: Reading, **parameters: Any) -> Response:
            with reading.store.reading() as connection:
                reading.connection = connection
                reading.event = last_event(connection)
                tag = etag(str(reading.event), str(reading.request.url))
                headers = {"ETag": tag, "Cache-Control": "no-cache"}  # that is: ask whether it is still so
                if is_known(reading.request, tag):
                    return Response(status_code=304, headers=headers)
                body = function(reading, **parameters).model_dump_json()
            return Response(body, media_type="application/json", headers=headers)

        router.get(path, response_model=model, operation_id=function.__name__)(answer)
        router.head(path, include_in_schema=False)(answer)
        return answer

    return register
