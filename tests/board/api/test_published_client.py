"""The client that Papers with Code published on PyPI, unchanged, against a server of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# The Makefile puts it there, apart from ours: it needs pydantic 1 and httpx 0.14.
CLIENT = Path(sys.prefix) / "peers" / "paperswithcode"
SESSION = Path(__file__).with_name("published_client_session.py")


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
