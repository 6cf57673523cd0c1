"""Answers that refuse: a page for a reader, JSON for a program, the same sentence in both."""

from __future__ import annotations

import errno
import logging
import sqlite3
from collections.abc import Mapping

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Match

from noisystudent.board.catalogue.failures import message_of, message_of_code
from noisystudent.board.submitting.payloads import Mistakes
from noisystudent.board.submitting.submissions import Conflict, QueueFull
from noisystudent.board.web.security import HEADERS
from noisystudent.board.web.view import View
from noisystudent.errors import UserError

TITLES = {
    400: "Not understood",
    401: "Sign in first",
    403: "Refused",
    404: "Not found",
    405: "Not possible here",
    409: "Not as it was",
    413: "Too large",
    422: "Not valid",
    429: "Too many requests",
    500: "Something broke",
    503: "Busy",
    507: "Disk full",
}
METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
REFUSED: Mapping[type[Exception], int] = {Mistakes: 422, Conflict: 409, QueueFull: 429}
WAIT = {"Retry-After": "3600"}  # until a curator has looked at some
FULL = (errno.ENOSPC, errno.EDQUOT)


def refuse(request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of that status which says why, in a sentence."""
    if is_for_programs(request):
        return JSONResponse({"detail": detail, "message": detail}, status, headers=headers)
    template, title = "not_found" if status == 404 else "refusal", TITLES.get(status, "Refused")
    answer = View(request).page(f"{template}.html.jinja", {"detail": detail, "heading": title}, title=title)
    answer.status_code = status
    answer.headers.update(headers or {})
    return answer


def is_for_programs(request: Request) -> bool:
    """Whether an address is read by programs: the API, and every page's JSON."""
    path = request.url.path
    return path.startswith("/api/") or path.endswith(".json")


async def broken(request: Request, error: Exception) -> Response:
    """500, for the reader; what happened stands in the log. It is made outside of the middleware, so it brings the headers along."""
    return refuse(request, 500, "The server failed to answer this. It has been written down.", HEADERS)


async def http_error(request: Request, error: Exception) -> Response:
    """What a function refused."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        taken = [method for method in METHODS if _takes(request, method)]
        error.headers = {"Allow": ", ".join(taken or ["GET", "HEAD"])}  # none of ours: a static file
    return refuse(request, error.status_code, str(error.detail), error.headers)


def _takes(request: Request, method: str) -> bool:
    """Whether an address can be asked so; the first route that has it knows of its own methods only."""
    scope = {**request.scope, "method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)


async def invalid(request: Request, error: Exception) -> Response:
    """422: what is wrong with an address's parameters, but not what was given."""
    assert isinstance(error, RequestValidationError)
    problems = [
        f"{'.'.join(str(step) for step in problem['loc'][1:] or problem['loc'])}: {problem['msg']}"
        for problem in error.errors()
    ]
    return refuse(request, 422, "; ".join(problems)[:2000].encode("utf-8", "backslashreplace").decode())


async def failed(request: Request, error: Exception) -> Response:
    """503, or 507 on a full disk, with the sentence for what the catalogue's file or the disk cannot do; other failures are ours."""
    is_full = isinstance(error, OSError) and error.errno in FULL
    full = message_of_code(sqlite3.SQLITE_FULL)
    message = full if is_full else message_of(error) if isinstance(error, sqlite3.Error) else None
    if message is None:
        raise error
    logging.getLogger(__name__).error("%s (%s)", message, error)
    status = 507 if message == full else 503
    return refuse(request, status, _sentence(message), {"Retry-After": "60"})


async def refused(request: Request, error: Exception) -> Response:
    """What the rules of submissions refuse; see `REFUSED`."""
    assert isinstance(error, UserError)
    status = next(status for kind, status in REFUSED.items() if isinstance(error, kind))
    said = "; ".join(error.problems[:20])
    said = said if is_for_programs(request) else _sentence(said)  # for programs fields keep their names
    return refuse(request, status, said, WAIT if status == 429 else None)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
