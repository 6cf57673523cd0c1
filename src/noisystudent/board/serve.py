"""The board as a server: uvicorn with one process or several, logs as lines of JSON on stderr, an end that waits for what is under way."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.supervisors import Multiprocess

from noisystudent.board.app import create_app
from noisystudent.board.catalogue.store import Store
from noisystudent.board.web.connections import Connection
from noisystudent.board.web.site import Site
from noisystudent.errors import UserError

VARIABLE = "NOISYSTUDENT_BOARD_SETTINGS"  # how worker processes get them
ACCESS = "board.access"
SECONDS_TO_FINISH = 20  # for requests under way, when it is to stop
BACKLOG = 2048  # connections that wait to be taken
LONGEST = 500  # characters of a path or a query in the log
SECRET = re.compile(r"token|receipt|secret|password|authorization|csrf|session|key|sign", re.IGNORECASE)


@dataclass(frozen=True)
class Settings:
    """How to serve.

    Args:
        store: the catalogue's file.
        host, port: where to listen; port 0 takes any that is free.
        workers: processes.
        read_only: no submissions, no writes through the API.
        trusted_proxy: address of the proxy in front (several: with commas), whose `X-Forwarded-For` and `-Proto` are believed.
        address: where readers find the site; taken from each request where empty.
        name: of the site.
    """

    store: Path
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    read_only: bool = False
    trusted_proxy: str = ""
    address: str = ""
    name: str = "Papers With Code"


def serve(settings: Settings, *, announce: Callable[[str], None] = lambda _address: None) -> None:
    """Serve until SIGTERM or SIGINT comes; requests under way are answered first.

    Args:
        settings: how.
        announce: is told the address once connections are taken.

    Raises:
        UserError: no catalogue, or an address that is no address, in use or not ours.
    """
    if settings.address and not re.fullmatch(r"https?://[^/\s?#]+", settings.address.rstrip("/")):
        raise UserError(f"--address {settings.address}: write it as https://board.example.org")
    settings = replace(settings, store=settings.store.absolute(), address=settings.address.rstrip("/"))
    Store(settings.store, read_only=settings.read_only)  # what is wrong with it is said before anything starts
    listening = _listen(settings)
    host, port = listening.getsockname()[:2]
    os.environ[VARIABLE] = json.dumps(asdict(settings) | {"store": str(settings.store)})
    config = uvicorn.Config(
        "noisystudent.board.serve:application",
        factory=True,
        workers=settings.workers,
        http=Connection,
        ws="none",
        log_config=LOGGING,
        access_log=False,  # ours has durations and no secrets
        server_header=False,
        proxy_headers=bool(settings.trusted_proxy),
        forwarded_allow_ips=settings.trusted_proxy or None,
        timeout_graceful_shutdown=SECONDS_TO_FINISH,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn gives the signal on when it has finished
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    announce(f"http://{shown}:{port}")
    with suppress(KeyboardInterrupt), listening:
        if settings.workers > 1:
            Multiprocess(config, sockets=[listening]).run()
        else:
            uvicorn.Server(config).run(sockets=[listening])


def application() -> ASGIApp:
    """The application of one process, as the environment says."""
    settings = Settings(**json.loads(os.environ[VARIABLE]))
    site = Site(store=Path(settings.store), name=settings.name, address=settings.address, read_only=settings.read_only)
    return AccessLog(create_app(site))


class AccessLog:
    """Middleware: a line for each request, when it is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.logger = logging.getLogger(ACCESS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, status, size = time.perf_counter(), 500, 0

        async def send_counted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, send_counted)
        finally:
            request = {
                "client": scope["client"][0] if scope.get("client") else None,
                "method": scope["method"],
                "path": scope["path"][:LONGEST],
                "query": without_secrets(scope["query_string"].decode("latin-1"))[:LONGEST],
                "status": status,
                "bytes": size,
                "ms": round(1000 * (time.perf_counter() - start), 1),
            }
            self.logger.info("request", extra={"request": request})


def without_secrets(query: str) -> str:
    """A query without the values of tokens, receipts and passwords.

    Example:
        >>> without_secrets("q=noisy+student&token=nsb_x")
        'q=noisy+student&token=...'
    """
    pairs = parse_qsl(query, keep_blank_values=True, encoding="utf-8", errors="replace", max_num_fields=None)
    return urlencode([(name, "..." if SECRET.search(name) else value) for name, value in pairs])


class JsonLines(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        line |= getattr(record, "request", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": JsonLines}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}},
    "loggers": {
        name: {"handlers": ["stderr"], "level": "INFO", "propagate": False}
        for name in ("uvicorn", ACCESS, "noisystudent")
    },
}


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise UserError(
            f"cannot listen on {settings.host}, port {settings.port}: {error.strerror or error}; give another --host or --port"
        ) from None
    listening.set_inheritable(True)
    return listening
