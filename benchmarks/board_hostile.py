"""What `board_load.py --beside` starts beside its readers: a full-size import, downloads that stall or are abandoned, odd addresses."""

from __future__ import annotations

import asyncio
import random
import socket
import sqlite3
import string
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from noisystudent.board.catalogue.store import LARGEST_LOG, Store
from noisystudent.board.importing import import_file

STALLED = 2
FLOOD = 50  # odd addresses a second
ACTOR = "hostile"
KIND = "odd address"
LONGEST_WAIT = 300.0  # seconds
DOWNLOAD = "/export/papers-with-abstracts.json.gz"
ODD = (
    "/paper/{}",
    "/sota/{}?metric={}",
    "/search?q={}",
    "/{}",
    "/task/{}?page={}",
    "/author/{}.json",
    "/static/../{}",
    "/api/v1/papers/{}/",
)
ABOUT = f"{STALLED} readers stalled in a download and one abandoned it, and {FLOOD} odd addresses were asked for every second."
MEGABYTE = 1_000_000


@contextmanager
def downloads_that_end_badly(address: str) -> Iterator[None]:
    """Two readers begin a large download, and read no more; a third one goes after its first bytes."""
    with ExitStack() as stack:
        for _ in range(STALLED):
            stack.enter_context(closing(_download_begun(address)))
        _download_begun(address).close()
        yield


def _download_begun(address: str) -> socket.socket:
    where = urlsplit(address)
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    reader.settimeout(60)
    reader.connect((where.hostname, where.port))
    reader.sendall(f"GET {DOWNLOAD} HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode())
    reader.recv(100)
    return reader


def flood(queue: Any, address: str, end: float, seed: int) -> None:
    """Ask for what does not exist, so many times a second; in a process of its own. Hands out (kind, begun, milliseconds, failure)."""
    draw = random.Random(seed)
    answers: list[tuple[str, float, float, str]] = []

    async def ask(client: httpx.AsyncClient) -> None:
        odd = ["".join(draw.choices(string.printable + "éß中😀", k=draw.choice((3, 30, 300)))) for _ in range(2)]
        path = draw.choice(ODD).format(*map(quote, odd))
        begun, start = time.time(), time.perf_counter()
        try:
            status = (await client.get(path)).status_code
            failure = f"{path[:80]}: {status}" if status >= 500 else ""
        except httpx.HTTPError as error:
            failure = f"{path[:80]}: {error!r}"
        answers.append((KIND, begun, 1_000 * (time.perf_counter() - start), failure))

    async def all_of_them() -> None:
        async with httpx.AsyncClient(base_url=address, timeout=30) as client, asyncio.TaskGroup() as group:
            while time.time() < end:
                group.create_task(ask(client))
                await asyncio.sleep(1 / FLOOD)

    asyncio.run(all_of_them())
    queue.put(answers)


def import_large(store: Path, file: Path) -> None:
    """In a process of its own, which is ended before it is done."""
    import_file(Store(store), file, actor=ACTOR)


def parts_imported(store: Path) -> int:
    with closing(sqlite3.connect(store)) as connection:
        return int(connection.execute("SELECT count(*) FROM event WHERE actor = ?", (ACTOR,)).fetchone()[0])


def wait_for_first_part(store: Path, importing: BaseProcess) -> None:
    while not parts_imported(store):
        if not importing.is_alive():
            raise RuntimeError("the import ended before its first part")
        time.sleep(0.2)


class Watch:
    """The memory of the server's processes and the write-ahead log, looked at twice a second while the block runs.

    Args:
        server: the process whose children answer.
    """

    def __init__(self, store: Path, server: int) -> None:
        self.log = store.with_name(f"{store.name}-wal")
        self.server = server
        self.largest_worker = self.largest_log = 0  # bytes

    def __enter__(self) -> Watch:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def log_bytes(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0

    def told(self, short_after: float) -> str:
        """What all that did to the server, for the table."""
        return (
            f"The largest worker had {self.largest_worker / MEGABYTE:.1f} MB without mapped pages of the store; the write-ahead log had "
            f"{self.largest_log / MEGABYTE:.1f} MB at most, and {self.log_bytes / MEGABYTE:.1f} MB {short_after:.1f} s after the end, when "
            "the server had finished the downloads that it was making."
        )

    def _look(self) -> None:
        while not self._over.wait(0.5):
            children = Path(f"/proc/{self.server}/task/{self.server}/children").read_text().split()
            self.largest_worker = max([self.largest_worker, *map(own_memory, children)])
            self.largest_log = max(self.largest_log, self.log_bytes)


def own_memory(process: str) -> int:
    """Bytes of a process, without the pages of the store that it has mapped, which all processes share."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:  # it has ended
        return 0
    return sum(1024 * int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon:"))


def seconds_to_a_short_log(watch: Watch, change: Callable[[], object]) -> float:
    """How long after the last of them has gone the log is short again, where somebody goes on to change something every second."""
    gone = time.monotonic()
    while watch.log_bytes > LARGEST_LOG and time.monotonic() < gone + LONGEST_WAIT:
        time.sleep(1)
        change()
    return time.monotonic() - gone
