"""A board that is served by a process of its own, and a catalogue with something on every page of it."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from user_inputs import Server

from noisystudent.board import seed
from noisystudent.board.catalogue.change import Change, Result
from noisystudent.board.catalogue.store import Store
from noisystudent.board.submitting import submissions

IMAGENET = "image-classification-on-imagenet"
# Whatever of it a browser took for markup, a style, a script or an address would set `probe` or open a dialog.
PROBE = (
    "Hostile </title></textarea><script>probe = alert(1)</script><img src=x onerror='probe = alert(2)'>"
    '"><svg onload="probe = alert(3)"> [here](javascript:alert(4)) <a href="javascript:alert(5)">there</a> {{ 7 * 7 }}'
)
PROBE_URL = "javascript:probe=alert(6)//https://example.org/"
LONG = "Very" + "LongWithoutASpace" * 12


@contextmanager
def serving(server: Server, folder: Path, *options: object, status: int = 0) -> Iterator[httpx.Client]:
    """`board serve` on a free port while the block lasts; then it is told to stop, and must end well."""
    pid = server.start("board", "serve", "--port", "0", "--json", *options, folder=folder)
    out, err = server.started[pid]
    deadline = time.monotonic() + 60
    while not (out.exists() and out.read_text().endswith("\n")):
        assert time.monotonic() < deadline, err.read_text()
        time.sleep(0.02)
    address = json.loads(out.read_text())["address"]
    try:
        with httpx.Client(base_url=address, timeout=30) as client:
            yield client
    finally:
        os.kill(pid, signal.SIGTERM)
        result = server.wait(pid)
        assert result.status == status, result.stderr
        assert "Traceback" not in result.stderr
        assert len(result.stdout.splitlines()) == 1
        for line in result.stderr.splitlines():
            json.loads(line)  # nothing but lines of JSON


def make_catalogue(path: Path) -> Store:
    """What `board init` brings; a run beside a claim; a waiting submission; and, as `hostile`, an entry of each kind full of `PROBE`."""
    store = Store(path, create=True)
    seed.load(store, actor="operator")
    with store.changing("operator", "measure") as change:
        _add_run(change)
    with store.changing(PROBE, "add hostile rows", PROBE) as change:
        _add_hostile(change)
    payload = {"leaderboard": "hostile", "model": PROBE.partition("<svg")[0], "metrics": {LONG: "99.9%"}}
    submissions.submit(store, "result", payload | {"comment": PROBE, "contributor": LONG}, submitter="visitor")
    return store


def _add_run(change: Change) -> None:
    claim = change.connection.execute(
        "SELECT r.* FROM result r JOIN leaderboard l ON l.id = r.leaderboard_id JOIN model m ON m.id = r.model_id "
        "WHERE l.slug = ? AND m.name = 'NoisyStudent (EfficientNet-B0)'",
        (IMAGENET,),
    ).fetchone()
    values = {"Top 1 Accuracy": "78.5%"}
    run = change.add_result(
        Result(claim["leaderboard_id"], "Our EfficientNet-B0", values, paper=claim["paper_id"], kind="run")
    )
    change.connection.execute(
        "INSERT INTO run (result_id, claim_id, command, git_commit, seeds, images, intervals) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (run, claim["id"], "noisystudent run --labeled labeled", "0123456789ab", "[0, 1, 2]", 50_000, "{}"),
    )


def _add_hostile(change: Change) -> None:
    change.layer(PROBE, licence=PROBE, attribution=PROBE, url=PROBE_URL)
    named = {"slug": "hostile", "name": PROBE, "source_id": change.source}
    described = {**named, "description": PROBE}
    task = change.insert("task", **described, link_title=PROBE, link_url=PROBE_URL)
    dataset = change.insert(
        "dataset",
        **described,
        full_name=LONG,
        homepage=PROBE_URL,
        licence_name=PROBE,
        licence_url=PROBE_URL,
        warning=PROBE,
    )
    method = change.insert("method", **described, source_title=PROBE, source_url=PROBE_URL, code_snippet_url=PROBE_URL)
    author = change.insert("author", slug="hostile", name=PROBE)
    addresses = dict.fromkeys(("url_abs", "url_pdf", "conference_url_abs", "conference_url_pdf"), PROBE_URL)
    paper = change.insert(
        "paper", slug="hostile", title=PROBE, abstract=f"{PROBE}\n\n{LONG}", published="2021-01-01", **addresses
    )
    code = change.insert("repository", url=PROBE_URL, owner=PROBE, name=LONG)
    change.insert("paper_author", paper_id=paper, position=0, author_id=author)
    change.insert("paper_task", paper_id=paper, task_id=task, published="2021-01-01")
    change.insert("paper_method", paper_id=paper, method_id=method)
    change.insert("paper_dataset", paper_id=paper, dataset_id=dataset, role="introduced")
    change.insert("paper_repository", paper_id=paper, repository_id=code, framework=PROBE)
    change.insert("task_area", task_id=task, area_id=change.area("Computer Vision"))
    link = [{"title": PROBE, "url": PROBE_URL}]
    board = change.insert(
        "leaderboard", slug="hostile", task_id=task, dataset_id=dataset, description=PROBE, links=json.dumps(link)
    )
    change.metric(board, LONG, higher_is_better=True)
    for number, model in enumerate((PROBE, LONG)):
        values = {LONG: f"{80 + number}.5%", PROBE: PROBE}
        about: dict[str, Any] = {
            "code_links": link,
            "model_links": link,
            "source_url": PROBE_URL,
            "locator": PROBE,
            "tags": [PROBE],
        }
        change.add_result(Result(board, model, values, paper=paper, paper_date="2021-01-01", **about))
