"""How fast the board answers many readers while others import and submit.

    python benchmarks/board_archive.py --work FOLDER
    python benchmarks/board_load.py --store FOLDER/board-1.db --work FOLDER --seconds 120
    python benchmarks/board_load.py --store FOLDER/board-1.db --work FOLDER --seconds 120 --beside import
    python benchmarks/board_load.py --store FOLDER/board-1.db --work FOLDER --seconds 120 --beside everything

On a copy of the store, three programs run: the server with two processes; 16 readers, each of whom asks for a leaderboard, a paper or a
search drawn at random, thinks for a moment and asks again; and a writer, who imports a small file of evaluation tables and submits a result
through the API, again and again. Every change makes the server forget the pages that it kept.

With `--beside`, the papers of another archive are imported meanwhile, from the first part on, and with `everything` there are stalled and
abandoned downloads and odd addresses, too (`board_hostile.py`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import board_hostile
import httpx
import numpy as np
from board_archive import RESULTS, about, archive
from starlette.types import ASGIApp

from noisystudent.board.app import PATIENCE, create_app
from noisystudent.board.catalogue.store import Store, copy
from noisystudent.board.importing import import_file
from noisystudent.board.submitting import submissions, tokens
from noisystudent.board.web.site import Limits, Site

VARIABLE = "BOARD_LOAD_STORE"
UNLIMITED = Limits(reads=10**9, searches=10**9, writes=10**9, failures=10**9)  # all readers have one address here
SHARES = {"leaderboard": 0.4, "paper": 0.4, "search": 0.2}
WRITES = ("submission", "approval", "import")
TARGETS = {"leaderboard": 50, "paper": 50, "search": 200} | dict.fromkeys(WRITES, 1_000)  # p95, milliseconds
SECONDS_TO_START = 30


class Answer(NamedTuple):
    """One request, or one import: when it began, how long it took, and whether it went well."""

    kind: str
    begun: float
    milliseconds: float
    failure: str  # "" if it went well


def application() -> ASGIApp:
    """What each of the server's processes serves."""
    return create_app(Site(Path(os.environ[VARIABLE]), limits=UNLIMITED))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, required=True, help="made by board_archive.py; it is not changed")
    parser.add_argument(
        "--work", type=Path, default=Path(__file__).parent / "work" / "board", help="where the copy goes"
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument(
        "--think", type=float, default=0.25, help="seconds between two requests of a reader, on average"
    )
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two changes of the writer")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--beside", choices=["import", "everything"], help="a full-size import, or what misbehaves, too"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="of the archive that is imported meanwhile")
    parser.add_argument("--trial", action="store_true", help="do not keep the table")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    named = ("seconds", "clients", "think", "pause", "workers")
    said = " ".join(f"--{name} {getattr(options, name):g}" for name in named)
    machine = about(f"python benchmarks/board_load.py {said}{f' --beside {options.beside}' if options.beside else ''}")
    store = options.work / "board-load.db"
    for ending in ("-wal", "-shm"):  # of a run that was killed: they would be taken for the copy's
        store.with_name(f"{store.name}{ending}").unlink(missing_ok=True)
    copy(options.store, store, replace=True)
    run = beside_an_import if options.beside else under_load
    answers, beside = run(store, options)
    text = "\n\n".join([machine, contents(store), *beside, table(answers, options.seconds)])
    print(text)
    if not options.trial:
        RESULTS.mkdir(exist_ok=True)
        name = f"board_load_{options.beside}.md" if options.beside else "board_load.md"
        (RESULTS / name).write_text(text + "\n", encoding="utf-8")


def under_load(store: Path, options: argparse.Namespace) -> tuple[list[Answer], list[str]]:
    """Serve, read and write for a while; what came of each request and of each import, and no more to say."""
    with served(store, options.workers) as (address, _):
        return loaded(store, address, options, []), []


def beside_an_import(store: Path, options: argparse.Namespace) -> tuple[list[Answer], list[str]]:
    """The same while a large file is imported, with `everything` beside what misbehaves, too; and what is to say of that."""
    everything = options.beside == "everything"
    folder = options.work / f"archive-{options.scale:g}-seed-{options.seed + 1}"
    papers = next(file for file in archive(folder, options.scale, options.seed + 1) if "papers-with" in file.name)
    importing = get_context("spawn").Process(target=board_hostile.import_large, args=(store, papers))
    with served(store, options.workers) as (address, server):
        importing.start()
        board_hostile.wait_for_first_part(store, importing)
        try:
            downloads = board_hostile.downloads_that_end_badly(address) if everything else nullcontext()
            with board_hostile.Watch(store, server) as watch, downloads:
                before, start = board_hostile.parts_imported(store), time.time()
                answers = loaded(store, address, options, [board_hostile.flood] if everything else [])
                parts, seconds = board_hostile.parts_imported(store) - before, time.time() - start
        finally:
            importing.terminate()
            importing.join()
        short_after = board_hostile.seconds_to_a_short_log(watch, lambda: _import(Store(store), 0))
        imported = f"Meanwhile {parts} parts of a full-size file of papers were imported, one in {seconds / max(parts, 1):.2f} s."
        return answers, [imported, *([board_hostile.ABOUT] if everything else []), watch.told(short_after)]


def loaded(store: Path, address: str, options: argparse.Namespace, others: list[Callable[..., None]]) -> list[Answer]:
    """Read and write for a while, beside others, who are called as the flood of odd addresses is."""
    token = tokens.make(Store(store), f"load {time.time_ns()}", ["submit"])
    context = get_context("spawn")
    queue: SimpleQueue[list[Answer]] = context.SimpleQueue()
    end = time.time() + options.seconds
    programs = [
        context.Process(target=read, args=(queue, store, address, end, options.clients, options.think, options.seed)),
        context.Process(target=change, args=(queue, store, address, end, token, options.pause)),
        *(context.Process(target=other, args=(queue, address, end, options.seed)) for other in others),
    ]
    for program in programs:
        program.start()
    answers = [Answer(*answer) for _ in programs for answer in queue.get()]
    for program in programs:
        program.join()
    return answers


@contextmanager
def served(store: Path, workers: int) -> Iterator[tuple[str, int]]:
    """The address of a server over a store, which ends with the block, and the number of its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "board_load:application",
        "--factory",
        "--app-dir",
        str(Path(__file__).parent),
    ]
    command += [
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        str(workers),
        "--log-level",
        "warning",
        "--no-access-log",
    ]
    server = subprocess.Popen(command, env={**os.environ, VARIABLE: str(store)})
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + SECONDS_TO_START
        while not _answers(address):
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit("the server did not start")
            time.sleep(0.2)
        yield address, server.pid
    finally:
        server.terminate()
        server.wait()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health").status_code == 200
    except httpx.TransportError:
        return False


# Readers


def read(queue: Any, store: Path, address: str, end: float, clients: int, think: float, seed: int) -> None:
    """Ask as so many readers do, until the end; in a process of its own."""
    draw = random.Random(seed)
    paths = {kind: list(paths_of(store, kind, draw)) for kind in SHARES}
    queue.put(asyncio.run(_readers(address, end, clients, think, paths, draw)))


def paths_of(store: Path, kind: str, draw: random.Random, count: int = 5_000) -> Iterator[str]:
    """Pages of a kind, drawn at random from the whole catalogue."""
    with Store(store, read_only=True).reading() as connection:
        if kind == "leaderboard":
            rows = connection.execute("SELECT slug FROM leaderboard WHERE result_count > 0 ORDER BY id").fetchall()
            for row in draw.choices(rows, k=count):
                yield f"/sota/{row['slug']}"
            return
        last = connection.execute("SELECT max(id) FROM paper").fetchone()[0]
        for _ in range(count):
            query = "SELECT slug, title FROM paper WHERE id >= ? ORDER BY id LIMIT 1"
            row = connection.execute(query, (draw.randint(1, last),)).fetchone()
            words = row["title"].split()
            some = draw.sample(words, min(draw.randint(1, 3), len(words)))
            yield f"/paper/{row['slug']}" if kind == "paper" else f"/search?q={quote(' '.join(some))}"


async def _readers(
    address: str, end: float, clients: int, think: float, paths: dict[str, list[str]], draw: random.Random
) -> list[Answer]:
    answers: list[Answer] = []

    async def reader() -> None:
        async with httpx.AsyncClient(base_url=address, timeout=30) as client:
            await asyncio.sleep(draw.random() * think)
            while time.time() < end:
                kind = draw.choices(list(SHARES), list(SHARES.values()))[0]
                path, begun, start = draw.choice(paths[kind]), time.time(), time.perf_counter()
                try:
                    failure = _failure(await client.get(path), path)
                except httpx.HTTPError as error:
                    failure = f"{path}: {error!r}"
                answers.append(Answer(kind, begun, 1_000 * (time.perf_counter() - start), failure))
                await asyncio.sleep(draw.expovariate(1 / think))

    await asyncio.gather(*(reader() for _ in range(clients)))
    return answers


def _failure(answer: httpx.Response, path: str) -> str:
    return "" if answer.is_success else f"{path}: {answer.status_code} {answer.text[:200]}"


# The writer


def change(queue: Any, store: Path, address: str, end: float, token: str, pause: float) -> None:
    """Import and submit in turns until the end; in a process of its own. Curators look at the submissions from time to time."""
    answers: list[Answer] = []
    opened = Store(store, patience=PATIENCE)  # as long as the server waits
    headers = {"Authorization": f"Token {token}"}
    with httpx.Client(base_url=address, headers=headers, timeout=60) as client:
        for turn in range(10**9):
            if time.time() >= end:
                break
            answers.append(timed("import", lambda turn=turn: _import(opened, turn)))
            time.sleep(pause)
            answers.append(timed("submission", lambda turn=turn: _submit(client, turn)))
            answers.append(timed("approval", lambda: _approve(opened)))
            time.sleep(pause)
    queue.put(answers)


def timed(kind: str, work: Callable[[], str]) -> Answer:
    begun, start = time.time(), time.perf_counter()
    try:
        failure = work()
    except Exception as error:  # whatever it is, it counts as a failure and is shown
        failure = repr(error)
    return Answer(kind, begun, 1_000 * (time.perf_counter() - start), failure)


def _import(store: Store, turn: int) -> str:
    """A table of ten rows, with other values each time, so that every row supersedes one."""
    rows = [
        {
            "model_name": f"Model {row}",
            "paper_title": f"Paper of load {row}",
            "paper_url": f"https://example.org/load/{row}",
            "paper_date": "2020-01-01",
            "metrics": {"Accuracy": f"{(turn + row) % 100}.5"},
        }
        for row in range(10)
    ]
    sota = {"metrics": ["Accuracy"], "rows": rows}
    file = store.path.with_name("load-tables.json")
    file.write_text(json.dumps([{"task": "Load", "datasets": [{"dataset": "Load", "sota": sota}]}]), encoding="utf-8")
    import_file(store, file, actor="load")
    return ""


def _submit(client: httpx.Client, turn: int) -> str:
    payload = {"task": "Load", "dataset": "Load", "model": f"Submitted {turn}", "metrics": {"Accuracy": "50.0"}}
    answer = client.post("/api/v1/submissions/", json={"kind": "result", "payload": payload})
    return _failure(answer, "/api/v1/submissions/")


def _approve(store: Store) -> str:
    with store.reading() as connection:
        waiting = [row["id"] for row in connection.execute("SELECT id FROM submission WHERE status = 'pending'")]
    for number in waiting:
        submissions.approve(store, number, actor="load")
    return ""


# What came of it


def table(answers: list[Answer], seconds: float) -> str:
    """Markdown: of each kind, how many, and how long they took; then the failures."""
    of_kind: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        of_kind[answer.kind].append(answer)
    lines = ["| kind | number | a second | p50, ms | p95, ms | p99, ms | longest, ms | target of p95, ms | failures |"]
    lines.append("|---|---|---|---|---|---|---|---|---|")
    for kind in [*SHARES, *WRITES, *({board_hostile.KIND} & of_kind.keys())]:
        times = np.array([answer.milliseconds for answer in of_kind[kind]])
        p50, p95, p99, longest = np.percentile(times, [50, 95, 99, 100]) if len(times) else [float("nan")] * 4
        failed = sum(bool(answer.failure) for answer in of_kind[kind])
        lines.append(
            f"| {kind} | {len(times):,} | {len(times) / seconds:.1f} | {p50:.1f} | {p95:.1f} | {p99:.1f} | {longest:.0f} "
            f"| {TARGETS.get(kind, '')} | {failed} |"
        )
    failures = [answer.failure for answer in answers if answer.failure]
    return "\n".join([*lines, *(f"\n    {failure}" for failure in failures[:10])])


def contents(store: Path) -> str:
    """How much the catalogue holds."""
    connection = sqlite3.connect(store)
    names = ("paper", "leaderboard", "result", "repository", "dataset")
    counts = [f"{connection.execute(f'SELECT count(*) FROM {name}').fetchone()[0]:,} of {name}" for name in names]
    connection.close()
    return f"The catalogue's rows at the end: {', '.join(counts)}."


if __name__ == "__main__":
    main()
