"""The catalogue as files."""

from __future__ import annotations

import asyncio
import gzip
import json
import sqlite3
import sys

import pytest
from starlette.testclient import TestClient

from noisystudent.board.catalogue.store import Store
from noisystudent.board.exporting import growing
from noisystudent.board.exporting.growing import GrowingFile
from noisystudent.board.pages import downloads
from noisystudent.board.pages.downloads import FILES


@pytest.mark.parametrize("name", FILES)
def test_the_same_catalogue_gives_the_same_bytes(client: TestClient, noisy_student: Store, name: str) -> None:
    first, second = client.get(f"/export/{name}"), client.get(f"/export/{name}")
    assert first.status_code == 200
    assert first.headers["content-type"] == "application/gzip"
    assert first.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert first.content == second.content
    text = gzip.decompress(first.content).decode()
    assert "noisy" in text.lower() or name in ("methods.json.gz", "datasets.json.gz")
    if ".json" in name:
        assert isinstance(json.loads(text), list)


@pytest.mark.parametrize("name", ["nothing.json.gz", "csv.json.gz", "..%2f..%2fetc%2fpasswd", "datasets.json"])
def test_no_other_file_can_be_had(client: TestClient, name: str) -> None:
    assert client.get(f"/export/{name}").status_code == 404


async def fetched(file: GrowingFile) -> bytes:
    file._process.wait(60)
    return b"".join([piece async for piece in downloads._sent(file)])


def test_half_a_file_is_not_taken_for_a_whole_one(noisy_student: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    told = '{"error": "the disk is gone", "sqlite_errorcode": 10, "errno": null}'
    failing = f"import sys; print('['); sys.stdout.flush(); print(1, file=sys.stderr); print({told!r}, file=sys.stderr); sys.exit(1)"
    monkeypatch.setattr(growing, "program", lambda store, format: [sys.executable, "-c", failing])
    file = GrowingFile(noisy_student, "datasets")
    assert file.begin() == 1
    with pytest.raises(sqlite3.DatabaseError, match="the disk is gone"):
        asyncio.run(fetched(file))


def test_too_many_are_asked_to_wait(client: TestClient, noisy_student: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "MOST_MADE", 0)
    answer = client.get("/export/datasets.json.gz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    monkeypatch.undo()
    assert client.get("/export/datasets.json.gz").status_code == 200


def test_who_fetches_for_too_long_is_left(noisy_student: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    file = GrowingFile(noisy_student, "datasets")
    assert gzip.decompress(asyncio.run(fetched(file)))
    monkeypatch.setattr(downloads, "SECONDS_TO_FETCH", -1.0)
    with pytest.raises(TimeoutError):
        asyncio.run(fetched(file))
