"""How the API says no: a status and one sentence, `{"detail": "..."}`; `web.refusal` writes them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class Refusal(BaseModel):
    """Why a request was not answered."""

    detail: str


Responses = dict[int | str, dict[str, Any]]
_MEANING = {
    400: "The body cannot be read.",
    401: "There is no token, or it is none of this site's.",
    403: "The token may not do that, or the site is read-only.",
    404: "There is no such thing.",
    409: "It stands against what is there.",
    413: "The body is too large.",
    422: "A parameter or the body is not valid.",
    429: "Too many requests.",
    503: "Another change is being written, or the catalogue cannot be read; try again.",
    507: "The disk is full.",
}


def refusals(*statuses: int) -> Responses:
    """What the OpenAPI document says about answers of those statuses."""
    return {status: {"model": Refusal, "description": _MEANING[status]} for status in statuses}


OF_READS = refusals(404, 422, 429, 503)
OF_WRITES = refusals(400, 401, 403, 404, 409, 413, 422, 429, 503, 507)
