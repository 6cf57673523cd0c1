"""Operations of the API: how a function becomes one, and with which statuses it is refused: a sentence, as `web.refusal` writes it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Response
from pydantic import BaseModel
from starlette.responses import JSONResponse

from noisystudent.board.catalogue.change import today
from noisystudent.board.web.reading import Reading


class Refusal(BaseModel):
    """Why a request was not answered: the same sentence under both names, as clients of the old site and of its successors look for it."""

    detail: str
    message: str


Responses = dict[int | str, dict[str, Any]]
Operation = Callable[..., Any]
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


def refusals_in_json(*statuses: int) -> Responses:
    """The same of an operation whose other answers are no JSON."""
    schema = {"schema": {"$ref": "#/components/schemas/Refusal"}}
    return {status: {"description": _MEANING[status], "content": {"application/json": schema}} for status in statuses}


READS_ARE_REFUSED = (404, 422, 429, 503)
OF_READS = refusals(*READS_ARE_REFUSED)
OF_WRITES = refusals(400, 401, 403, 404, 409, 413, 422, 429, 503, 507)
Read = Annotated[Reading, Depends(Reading)]


class Markdown(Response):
    """Text for people, of an operation that gives no JSON."""

    media_type = "text/markdown"


def read(
    router: APIRouter, path: str, *, kind: type[Response] = JSONResponse
) -> Callable[[Callable[..., BaseModel | str]], Operation]:
    """Register a read at a path: GET, which the OpenAPI document has with the model that the function returns, and HEAD.

    A parameter that the function does not take is refused, by name: a filter that does nothing gives an answer to another question. Answers
    are not kept, as pages are: the largest has 500 items.

    Args:
        router: where to.
        path: with the slash at the end that the old site's client sends; without it, as its successor's does, the answer is the same.
        kind: `Markdown` where the function returns a text.
    """

    def register(function: Callable[..., BaseModel | str]) -> Operation:
        @functools.wraps(function)
        def answer(reading: Reading, **parameters: Any) -> Response:
            _know(reading, function.__name__)

            def say(headers: dict[str, str]) -> Response:
                said = function(reading, **parameters)
                body = said if isinstance(said, str) else said.model_dump_json()
                return Response(body, media_type=kind.media_type, headers=headers)

            return reading.answer(f"{reading.request.url} {today()}", say)  # a search has papers of the future last

        said: dict[str, Any] = {"responses": OF_READS}
        if kind is not JSONResponse:
            said = {"responses": refusals_in_json(*READS_ARE_REFUSED), "response_model": None}
        router.get(path, operation_id=function.__name__, response_class=kind, **said)(answer)
        router.head(path, include_in_schema=False)(answer)
        if path.endswith("/"):
            router.api_route(path[:-1], methods=["GET", "HEAD"], include_in_schema=False, response_model=None)(answer)
        return answer

    return register


def _know(reading: Reading, operation_id: str) -> None:
    """Raise 422 if the address has a parameter that its operation, as the OpenAPI document has it, does not take."""
    if not reading.request.query_params:
        return
    paths = reading.request.app.openapi()["paths"].values()  # made once
    operation = next(path["get"] for path in paths if path.get("get", {}).get("operationId") == operation_id)
    taken = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
    unknown = sorted(reading.request.query_params.keys() - taken)
    if unknown:
        known = f"there are {', '.join(sorted(taken))}" if taken else "it has none"
        named = ", ".join(unknown)[:200].encode("utf-8", "backslashreplace").decode()
        raise HTTPException(422, f"there is no parameter {named} here; {known}")


def write(
    router: APIRouter, method: Literal["POST", "PATCH", "DELETE"], path: str, status: int = 200
) -> Callable[[Operation], Operation]:
    """Register a write at a path, under the function's name.

    Args:
        router: where to.
        method: of the request.
        path: with the slash at the end that the published client sends.
        status: of what was done.
    """

    def register(function: Operation) -> Operation:
        name = function.__name__
        return router.api_route(path, methods=[method], status_code=status, responses=OF_WRITES, operation_id=name)(
            function
        )

    return register
