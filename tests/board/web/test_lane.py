"""How many may write at a time, and that nobody else waits for them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from noisystudent.board.app import create_app
from noisystudent.board.catalogue.store import Store
from noisystudent.board.web.lane import WriteLane
from noisystudent.board.web.site import Site


def scope_of(method: str) -> dict[str, Any]:
    return {"type": "http", "method": method, "path": "/api/v1/tasks/", "query_string": b"", "headers": []}


class Visit:
    """A request under way: its body in two parts, and what was answered."""

    def __init__(self, lane: WriteLane, method: str, parts: int = 1) -> None:
        self.statuses: list[int] = []
        self.parts: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for number in range(parts):
            self.send_part(more=number < parts - 1)
        self.task = asyncio.ensure_future(lane(scope_of(method), self.parts.get, self.send))  # type: ignore[arg-type]

    def send_part(self, *, more: bool) -> None:
        self.parts.put_nowait({"type": "http.request", "body": b"x", "more_body": more})

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.statuses.append(message["status"])


@pytest.fixture
def lane(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A lane for two before an application that answers when it is told to, with what it was sent."""
    monkeypatch.setattr(
        "noisystudent.board.web.lane.refuse", lambda request, status, text, headers: PlainTextResponse(text, status)
    )
    inside: list[bytes] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        inside.append((await receive())["body"])
        await made.go_on.wait()
        await PlainTextResponse("done")(scope, receive, send)

    made: Any = WriteLane(application, 2)
    made.inside = inside
    return made


def test_writes_beyond_the_lane_are_refused_at_once(lane: Any) -> None:
    async def scene() -> None:
        lane.go_on = asyncio.Event()
        first, second = Visit(lane, "POST", 3), Visit(lane, "DELETE")
        await asyncio.sleep(0)
        third, reader = Visit(lane, "PATCH"), Visit(lane, "GET")
        await third.task
        assert third.statuses == [503]
        lane.go_on.set()
        await asyncio.gather(first.task, second.task, reader.task)
        assert (first.statuses, second.statuses, reader.statuses) == ([200], [200], [200])
        assert sorted(lane.inside) == [b"x", b"x", b"xxx"]
        assert lane.free == 2

    asyncio.run(scene())


def test_a_body_on_its_way_takes_no_place(lane: Any) -> None:
    async def scene() -> None:
        lane.go_on = asyncio.Event()
        lane.go_on.set()
        slow = [Visit(lane, "POST", 0) for _ in range(5)]
        await asyncio.sleep(0)
        quick = Visit(lane, "POST")
        await quick.task
        assert quick.statuses == [200]
        slow[0].parts.put_nowait({"type": "http.disconnect"})
        await slow[0].task
        assert slow[0].statuses == []
        for visit in slow[1:]:
            visit.send_part(more=False)
            await visit.task
        assert lane.free == 2

    asyncio.run(scene())


def test_a_place_is_free_again_whatever_happens(lane: Any) -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError

    async def scene() -> None:
        lane.app = fails
        for _ in range(5):
            with pytest.raises(ZeroDivisionError):
                await Visit(lane, "POST").task
        assert lane.free == 2

    asyncio.run(scene())


def test_the_site_has_a_lane(store: Store) -> None:
    application = create_app(Site(store.path))
    lane = next(each for each in application.user_middleware if each.cls is WriteLane)
    assert lane.kwargs == {"most": 8}
    client = TestClient(application)
    assert client.post("/submit/task", data={"name": "A"}).status_code == 403  # it came through, without a form's token
