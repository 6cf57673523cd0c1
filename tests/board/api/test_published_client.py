"""The client that Papers with Code published on PyPI, unchanged, against a server of ours."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from noisystudent.board.app import create_app
from noisystudent.board.catalogue.store import Store
from noisystudent.board.web.site import Limits, Site

# The Makefile puts it there, apart from ours: it needs pydantic 1 and httpx 0.14.
CLIENT = Path(sys.prefix) / "peers" / "paperswithcode"
SESSION = Path(__file__).with_name("published_client_session.py")


@pytest.fixture
def address(store: Store) -> Iterator[str]:
    """Of a server on a free port of this machine."""
    app = create_app(Site(store.path, limits=Limits(writes=10_000)))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.mark.skipif(
    not CLIENT.exists() and not os.environ.get("CI"), reason=f"there is no {CLIENT}: `make test` puts it there"
)
def test_every_method_of_the_published_client_works(address: str, token: str, tmp_path: Path) -> None:
    session = subprocess.run(
        [sys.executable, str(SESSION), address, token],
        env={"PYTHONPATH": str(CLIENT), "HOME": str(tmp_path), "PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (session.returncode, session.stdout.strip()) == (0, "56 methods"), session.stderr
