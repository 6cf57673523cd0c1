"""That a form which comes in is one that this site gave to this browser: not another site's, not an old one."""

from __future__ import annotations

import re
import secrets
import time
from typing import Annotated

from fastapi import Depends, HTTPException, Request, Response
from starlette.datastructures import FormData

from noisystudent.board.web.secret import is_signature, sign
from noisystudent.board.web.sessions import cookie_name, set_cookie

SECONDS = 24 * 3600  # a long form may take a day to fill in
COOKIE = "visitor"
FIELD = "form_token"
MAX_FIELDS = 500
FORGED = "This form did not come from a page that this site gave to your browser, or that page is older than a day. Open the form again."


def visitor_of(request: Request) -> str:
    """Random text that this browser's cookie has, to which its forms are bound; new where there is none yet (`keep_visitor`)."""
    kept = request.cookies.get(cookie_name(request, COOKIE), "")
    return kept if re.fullmatch(r"[\w-]{22}", kept, re.ASCII) else secrets.token_urlsafe(16)


def keep_visitor(request: Request, response: Response, visitor: str) -> None:
    """Give the browser its cookie. It comes back when a link on another site leads here, so that forms in other tabs stay valid."""
    if request.cookies.get(cookie_name(request, COOKIE)) != visitor:
        set_cookie(request, response, COOKIE, visitor, "lax", 30 * 24 * 3600)


def form_token(request: Request, action: str, bound_to: str) -> str:
    """What a form that is sent to `action` carries along.

    Args:
        action: the path of the form.
        bound_to: a session's or a visitor's random text.
    """
    expires, once = int(time.time()) + SECONDS, secrets.token_urlsafe(16)
    return f"{expires}.{once}.{sign(request.app.state.secret, 'form', action, bound_to, expires, once)}"


def check_form(request: Request, form: FormData, bound_to: str) -> str:
    """Refuse a form that is not this site's, not for this address, not this browser's or too old.

    Returns:
        Text that is this form's alone: who gets it twice has been sent a form twice.

    Raises:
        HTTPException: 403.
    """
    expires, _, rest = text_of(form, FIELD).partition(".")
    once, _, signature = rest.partition(".")
    if not _from_here(request) or not re.fullmatch(r"\d{1,12}", expires, re.ASCII) or int(expires) < time.time():
        raise HTTPException(403, FORGED)
    if not is_signature(signature, request.app.state.secret, "form", request.url.path, bound_to, int(expires), once):
        raise HTTPException(403, FORGED)
    return once


def text_of(form: FormData, name: str) -> str:
    """A field's text; empty where there is none."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


async def _read(request: Request) -> FormData:
    """A form that was sent; read-only sites take none, and nobody takes files."""
    if request.app.state.site.read_only:
        raise HTTPException(403, "This site is read-only: nothing can be submitted or changed here.")
    return await request.form(max_files=0, max_fields=MAX_FIELDS)


SentForm = Annotated[FormData, Depends(_read)]


def _from_here(request: Request) -> bool:
    """What the browser says about the page with the form; older browsers say nothing, and the token has to do."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    return request.headers.get("origin") in (None, str(request.base_url).rstrip("/"))
