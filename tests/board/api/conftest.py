"""A small catalogue that has something at every address of the API, and who asks for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

from noisystudent.board.app import create_app
from noisystudent.board.catalogue.change import Change, Result
from noisystudent.board.catalogue.store import Store, copy
from noisystudent.board.submitting import tokens
from noisystudent.board.web.kept import Kept
from noisystudent.board.web.site import Limits, Site

PLENTY = Limits(reads=10**6, searches=10**6, writes=10**6, failures=10**6)
API = "/api/v1"


def fill(change: Change) -> None:
    """Three papers, one of the year 2222; a table with ranked rows, one without paper; all that hangs on them."""
    area = change.area("Computer Vision")
    parent, task = change.task("Vision"), change.task("Image Classification")
    fine = change.task("Fine-Grained Image Classification")
    for child, above in ((task, parent), (fine, task)):
        change.insert("task_parent", task_id=child, parent_id=above)
    change.insert("task_area", task_id=task, area_id=area)
    dataset = change.dataset("ImageNet")
    change.edit("dataset", dataset, full_name="ImageNet Large Scale", homepage="https://image-net.org/")
    change.dataset("CIFAR-10")
    venue = change.insert("venue", slug="cvpr", name="CVPR")
    proceeding = change.insert("proceeding", slug="cvpr-2020-6", venue_id=venue, name="CVPR 2020 6", year=2020, month=6)
    noisy = change.paper(title="Self-training with Noisy Student", url="https://arxiv.org/abs/1911.04252")
    change.edit("paper", noisy, published="2019-11-11", proceeding_id=proceeding, abstract="Labels out of a teacher.")
    late = change.paper(title="A paper of the far future", url="https://example.org/late", published="2222-02-22")
    undated = change.paper(title="Student without a date", url="https://example.org/undated", published="some day")
    for paper in (noisy, late, undated):
        change.insert("paper_task", paper_id=paper, task_id=task, published=None)
        change.insert("paper_author", paper_id=paper, position=0, author_id=change.author("Qizhe Xie"))
    change.insert("paper_author", paper_id=noisy, position=1, author_id=change.author("Quoc V. Le"))
    change.insert("paper_dataset", paper_id=noisy, dataset_id=dataset, role="used")
    method = change.insert("method", slug="noisy-student", name="Noisy Student", full_name="Noisy Student Training")
    change.edit("method", method, paper_id=noisy)
    change.insert("paper_method", paper_id=noisy, method_id=method)
    for url, official, framework in (
        ("https://github.com/google-research/noisystudent", 1, "tf"),
        ("https://github.com/somebody/noisy", 0, "pytorch"),
    ):
        repository = change.repository(url)
        change.insert(
            "paper_repository", paper_id=noisy, repository_id=repository, is_official=official, framework=framework
        )
    change.edit(
        "repository", change.repository("https://github.com/somebody/noisy"), stars=100, description="100% of it"
    )
    table = change.leaderboard(task, dataset)
    change.leaderboard(fine, dataset)
    for model, values, paper, extra in (
        ("AlexNet", {"Top 1 Accuracy": "63.3%"}, None, None),
        ("NoisyStudent", {"Top 1 Accuracy": "88.4%", "GFLOPs": "37"}, noisy, True),
        ("NoisyStudent (B0)", {"Top 1 Accuracy": "78.8"}, noisy, False),
        ("Odd", {"Top 1 Accuracy": "0.99", "Vibes": "7"}, undated, False),
    ):
        change.add_result(Result(table, model, values, paper=paper, extra_data=extra))


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalogue's file, which nobody changes."""
    store = Store(tmp_path_factory.mktemp("api") / "board.db", create=True)
    with store.changing("test", "fill") as change:
        fill(change)
    return store.path


@pytest.fixture(scope="session")
def library(filled: Path) -> Iterator[TestClient]:
    """Somebody who reads the catalogue that nobody changes."""
    app = create_app(Site(filled, limits=PLENTY, read_only=True))
    with TestClient(app, base_url=f"http://testserver{API}/") as client:
        yield client


@pytest.fixture
def store(filled: Path, tmp_path: Path) -> Store:
    """A catalogue of one's own."""
    copy(filled, tmp_path / "board.db")
    return Store(tmp_path / "board.db")


@pytest.fixture
def token(store: Store) -> str:
    """A token that may write."""
    return tokens.make(store, "ci", ["curate"])


@pytest.fixture(scope="session")
def application(filled: Path) -> FastAPI:
    """One application for all tests, since its first request takes long; each test gives it its own store."""
    return create_app(Site(filled, limits=PLENTY))


@pytest.fixture
def reader(application: FastAPI, store: Store) -> TestClient:
    """Somebody without a token."""
    application.state.store, application.state.counts = store, Kept[int](1 << 20)
    return TestClient(application, base_url=f"http://testserver{API}/")


@pytest.fixture
def curator(application: FastAPI, store: Store, token: str) -> TestClient:
    """Somebody who may write."""
    application.state.store, application.state.counts = store, Kept[int](1 << 20)
    return TestClient(application, base_url=f"http://testserver{API}/", headers={"Authorization": f"Token {token}"})


@pytest.fixture
def events(store: Store) -> Callable[[], int]:
    """How many changes the catalogue has had."""

    def count() -> int:
        with store.reading() as connection:
            return int(connection.execute("SELECT max(id) FROM event").fetchone()[0])

    return count


@pytest.fixture
def address(store: Store) -> Iterator[str]:
    """Of a server on a free port of this machine."""
    app = create_app(Site(store.path, limits=PLENTY))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
