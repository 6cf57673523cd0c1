"""A lane for writes: few wait for the catalogue at a time, so that those who read find a thread."""

from __future__ import annotations

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from noisystudent.board.web.refusal import refuse

READS = ("GET", "HEAD", "OPTIONS")


class WriteLane:
    """Middleware: of requests that may write, so many are worked on at a time; the others are refused at once (503).

    A body is taken in first: who sends it slowly is in nobody's way. Its length must be bounded before (`BodyLimit`).

    Args:
        app: what is protected.
        most: how many writes at a time.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app = app
        self.free = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in READS:
            await self.app(scope, receive, send)
            return
        body = await _body(receive)
        if body is None:
            return  # its sender has gone
        if not self.free:
            sentence = "Others are writing. Nothing was changed; try again in a few seconds."
            await refuse(Request(scope), 503, sentence, {"Retry-After": "5"})(scope, receive, send)
            return
        sent = False

        async def receive_again() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        self.free -= 1
        try:
            await self.app(scope, receive_again, send)
        finally:
            self.free += 1


async def _body(receive: Receive) -> bytes | None:
    parts = []
    while (message := await receive())["type"] == "http.request":
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)
    return None
