"""A site that knows its address says that one and no other, whatever a request's Host is."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send


class Addressed:
    """Middleware: every request is taken as one to the site's address, so that links, redirects and cookies are of it.

    Args:
        app: what is told.
        address: `https://board.example.org`; nothing is changed where it is empty.
    """

    def __init__(self, app: ASGIApp, address: str) -> None:
        self.app = app
        parts = urlsplit(address)
        self.scheme, self.host = parts.scheme, parts.netloc.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.host and scope["type"] == "http":
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            scope = {**scope, "scheme": self.scheme, "headers": [(b"host", self.host), *others]}
        await self.app(scope, receive, send)
