"""Pages of other sites may read the API in their readers' browsers, as nobody in particular."""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

PATH = "/api/"


class CrossOriginReads:
    """Middleware: reads of the API for every origin, without credentials; nothing else of the site."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.open = CORSMiddleware(
            app, allow_origins=["*"], allow_methods=["GET", "HEAD", "OPTIONS"], expose_headers=["ETag", "Retry-After"]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_api = scope["type"] == "http" and scope["path"].startswith(PATH)
        await (self.open if is_api else self.app)(scope, receive, send)
