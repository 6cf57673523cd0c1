from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from noisystudent.board.catalogue.store import Store
from noisystudent.board.submitting import tokens
from noisystudent.board.web import limits
from noisystudent.board.web.limits import Buckets, RateLimits, client_address
from noisystudent.board.web.site import Limits

Browsing = Callable[..., Any]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_fills_again_evenly() -> None:
    clock = Clock()
    buckets = Buckets(clock)
    assert [buckets.take("a", "writes", 60) for _ in range(60)] == [0.0] * 60
    assert buckets.take("a", "writes", 60) == pytest.approx(1.0)
    clock.now = 1.0
    assert buckets.take("a", "writes", 60) == 0.0
    assert buckets.take("a", "writes", 60) > 0
    clock.now = 1000.0
    assert sum(buckets.take("a", "writes", 60) == 0 for _ in range(100)) == 60


def test_addresses_and_classes_have_buckets_of_their_own() -> None:
    buckets = Buckets(Clock())
    assert buckets.take("a", "writes", 1) == 0.0
    assert buckets.take("a", "writes", 1) > 0
    assert buckets.take("b", "writes", 1) == 0.0
    assert buckets.take("a", "reads", 1) == 0.0


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_BUCKETS", 10)
    buckets = Buckets(Clock())
    buckets.take("kept", "writes", 1)
    for number in range(1000):
        buckets.take(str(number), "writes", 1)
        assert buckets.take("kept", "writes", 1) > 0  # one that is asked for is not forgotten
    assert len(buckets) == 10


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (("192.0.2.1", 1), "192.0.2.1"),
        (("::ffff:192.0.2.1", 1), "192.0.2.1"),
        (("2001:db8:1:2:3:4:5:6", 1), "2001:db8:1:2::/64"),
        (("testclient", 1), "testclient"),
        (None, "local"),
    ],
)
def test_the_address_of_a_client(client: tuple[str, int] | None, address: str) -> None:
    assert client_address({"client": client}) == address


def test_too_many_reads_and_searches(store: Store, browser_of: Browsing) -> None:
    browser = browser_of(store, limits=Limits(reads=5, searches=2, writes=1))
    assert [browser.client.get("/submit").status_code for _ in range(6)] == [200] * 5 + [429]
    refused = browser.client.get("/submit")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert "more often than this site allows" in refused.text
    assert browser.client.get("/submit.json").json()["detail"].startswith("You ask more often")
    assert [browser.client.get("/search?q=a").status_code == 429 for _ in range(3)] == [False, False, True]
    assert [browser.client.post("/submit/task").status_code for _ in range(2)] == [403, 429]


def test_guessing_tokens_runs_into_the_limit(store: Store, browser_of: Browsing) -> None:
    right = tokens.make(store, "carla", ["curate"])
    browser = browser_of(store, limits=Limits(failures=3))
    answers = [browser.sign_in(f"nsb_{number}").status_code for number in range(5)]
    assert answers == [401, 401, 401, 429, 429]
    assert browser.sign_in(right).status_code == 303  # a token cannot be guessed, but a good one must not be locked out
    assert browser.client.get("/submit").status_code == 200


def test_a_good_token_passes_beside_bad_ones(store: Store, browser_of: Browsing) -> None:
    client = browser_of(store, limits=Limits(failures=3)).client
    right = tokens.make(store, "carla", ["curate"])
    for _ in range(5):
        bad = client.post("/api/v1/tasks/", json={"name": "A"}, headers={"Authorization": "Token nsb_guess"})
    assert bad.status_code == 429
    assert int(bad.headers["retry-after"]) > 0
    assert "You ask more often" in bad.json()["detail"]
    good = client.post("/api/v1/tasks/", json={"name": "A"}, headers={"Authorization": f"Token {right}"})
    assert good.status_code == 201


def test_signing_in_rightly_costs_nothing(store: Store, browser_of: Browsing) -> None:
    right = tokens.make(store, "carla", ["curate"])
    for _ in range(3):
        browser = browser_of(store, limits=Limits(failures=1))
        assert [browser_of(store).sign_in(right).status_code for _ in range(2)] == [303, 303]
        assert browser.sign_in(right).status_code == 303


async def _swallow(request: Request) -> PlainTextResponse:
    """An application that makes something else of any mistake while it reads."""
    try:
        return PlainTextResponse(str(len(await request.body())))
    except Exception:
        return PlainTextResponse("never mind")


def scope_of(path: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": headers,
        "client": ("192.0.2.1", 1),
    }


def test_guesses_that_come_at_once_are_all_counted() -> None:
    statuses: list[int] = []

    async def come_at_once() -> None:
        inside, all_inside = 0, asyncio.Event()

        async def wait_for_all(scope: Any, receive: Any, send: Any) -> None:
            nonlocal inside
            inside += 1
            if inside == 5:
                all_inside.set()
            await all_inside.wait()
            await PlainTextResponse("no", 401)(scope, receive, send)

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        middleware = RateLimits(wait_for_all, Limits(failures=2), Clock())
        scope = scope_of("/api/v1/papers/", [(b"authorization", b"Token nsb_guess")])
        await asyncio.gather(*(middleware(scope, None, send) for _ in range(5)))  # type: ignore[arg-type]

    asyncio.run(come_at_once())
    assert sorted(statuses) == [401, 401, 429, 429, 429]


def chunks(count: int, size: int = 1024) -> Iterator[bytes]:
    for _ in range(count):
        yield b"x" * size


def test_a_body_that_is_too_large(store: Store, browser_of: Browsing) -> None:
    client = browser_of(store, limits=Limits(body=10_000)).client
    announced = client.post("/submit/task", content=b"name=" + b"x" * 10_000)
    streamed = client.post(
        "/submit/task", content=chunks(100), headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    as_json = client.post("/api/v1/submissions/", content=chunks(100), headers={"Content-Type": "application/json"})
    lied = client.post("/submit/task", content=b"x" * 20_000, headers={"Content-Length": "9" * 5000})
    for answer in (announced, streamed, as_json, lied):
        assert answer.status_code == 413
        assert "10,000 bytes" in answer.text
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert client.post("/submit/task", content=b"name=" + b"x" * 9_000).status_code == 403  # it has no token, but fits


def test_no_more_is_read_than_allowed(store: Store, browser_of: Browsing) -> None:
    read, sent = 0, []

    async def receive() -> Any:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x" * 1024, "more_body": True}  # and so on for ever

    async def send(message: Any) -> None:
        sent.append(message)

    app = browser_of(store, limits=Limits(body=10_000)).client.app
    form = [(b"content-type", b"application/x-www-form-urlencoded"), (b"transfer-encoding", b"chunked")]
    asyncio.run(app(scope_of("/submit/task", form), receive, send))
    assert sent[0]["status"] == 413
    assert read == 10


def test_what_an_application_makes_of_it_does_not_matter(store: Store, browser_of: Browsing) -> None:
    app = browser_of(store, limits=Limits(body=10_000)).client.app
    app.router.routes.insert(0, Route("/swallow", _swallow, methods=["POST"]))
    client = TestClient(app)
    assert client.post("/swallow", content=b"x" * 9_000).text == "9000"
    answer = client.post("/swallow", content=chunks(100))
    assert (answer.status_code, "never mind" in answer.text) == (413, False)
