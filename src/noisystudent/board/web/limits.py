"""How much one client may ask for: the size of a body, and requests a minute."""

from __future__ import annotations

import ipaddress
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from fastapi import HTTPException, Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from noisystudent.board.web.lane import READS
from noisystudent.board.web.refusal import refuse
from noisystudent.board.web.site import Limits

MAX_BUCKETS = 100_000  # about 20 MB; the one that was not asked for the longest goes first
SIGN_IN = "/curate/sign-in"
SEARCHES = {"q", "search"}  # parameters that ask for words


class RateLimits:
    """Middleware: a bucket of allowances for each address and class of request, which fills again evenly (429 when it is empty).

    Tokens that are none have a bucket of their own, out of which nothing else is taken: a good token passes whoever tried others before
    it from the same address, be it a proxy's or a company's.

    Args:
        app: what is protected.
        limits: how much is allowed.
        clock: seconds; a test brings its own.
    """

    def __init__(self, app: ASGIApp, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.app = app
        self.limits = limits
        self.buckets = Buckets(clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request, address = Request(scope), client_address(scope)
        with_token = "authorization" in request.headers or (request.method == "POST" and request.url.path == SIGN_IN)
        if wait := self.buckets.take(address, *self._allowance(request)):
            await _too_many(request, wait)(scope, receive, send)
            return
        refused = False

        async def send_counting(message: Message) -> None:
            nonlocal refused
            if with_token and message["type"] == "http.response.start" and message["status"] == 401:
                wait = self.buckets.take(address, "failures", self.limits.failures)
                about = {"client": address, "path": request.url.path}
                logging.getLogger(__name__).warning("a token was refused", extra={"request": about})
                if wait:
                    refused = True
                    await _too_many(request, wait)(scope, receive, send)
            if not refused:
                await send(message)

        await self.app(scope, receive, send_counting)

    def _allowance(self, request: Request) -> tuple[str, int]:
        """The class of a request and how many of them a minute has."""
        if request.method not in READS:
            return "writes", self.limits.writes
        path = request.url.path
        if path.startswith(("/search", "/api/v1/search", "/export")) or SEARCHES & request.query_params.keys():
            return "searches", self.limits.searches
        return "reads", self.limits.reads


def _too_many(request: Request, wait: float) -> Response:
    seconds = math.ceil(wait)
    sentence = f"You ask more often than this site allows. Try again in {seconds} seconds."
    return refuse(request, 429, sentence, {"Retry-After": str(seconds)})


class Buckets:
    """Token buckets by address and class; one that is unknown is full.

    Example:
        >>> buckets = Buckets(lambda: 0.0)
        >>> [buckets.take("192.0.2.1", "writes", 2) for _ in range(3)]
        [0.0, 0.0, 30.0]
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._levels: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()  # how full, at what time

    def take(self, address: str, kind: str, a_minute: int) -> float:
        """Take one out of a bucket; the seconds until there is one, where there is not."""
        time_now, full = self._clock(), float(a_minute)
        level, at = self._levels.pop((address, kind), (full, time_now))
        level = min(full, level + (time_now - at) * full / 60)
        enough = level >= 1
        self._levels[address, kind] = (level - enough, time_now)
        if len(self._levels) > MAX_BUCKETS:
            self._levels.popitem(last=False)
        return 0.0 if enough else (1 - level) * 60 / full

    def __len__(self) -> int:
        return len(self._levels)


class BodyLimit:
    """Middleware: a body that is too large is refused with 413, by its announced length or while it comes in."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self.most = limits.body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request, sentence = Request(scope), f"What was sent is larger than this site takes ({self.most:,} bytes)."
        announced = request.headers.get("content-length", "0")  # digits: the server has seen to that
        if len(announced) > 18 or int(announced) > self.most:
            # The rest of the body is not read, so the connection cannot serve another request.
            await refuse(request, 413, sentence, {"Connection": "close"})(scope, receive, send)
            return
        received, started, refused = 0, False, False

        async def receive_counting() -> Message:
            nonlocal received, refused
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.most:
                refused = True
                raise HTTPException(413, sentence)
            return message

        async def send_unless_refused(message: Message) -> None:
            nonlocal started
            if not refused or started:
                started = True
                await send(message)

        try:
            await self.app(scope, receive_counting, send_unless_refused)
        except HTTPException:
            if not refused:
                raise
        if refused and not started:
            await refuse(request, 413, sentence, {"Connection": "close"})(scope, receive, send)


def client_address(scope: Scope) -> str:
    """Who asks: an IPv4 address, or the 64 bits of an IPv6 address that one customer has.

    Example:
        >>> client_address({"client": ("2001:db8::1:2", 80)}), client_address({"client": None})
        ('2001:db8::/64', 'local')
    """
    host = scope["client"][0] if scope.get("client") else "local"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return str(address)
