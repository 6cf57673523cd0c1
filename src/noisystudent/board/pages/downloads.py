"""The whole catalogue as files, made while they are sent."""

from __future__ import annotations

import gzip
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from typing import BinaryIO, cast

from fastapi import APIRouter, Response
from starlette.responses import StreamingResponse

from noisystudent.board.catalogue.history import last_event
from noisystudent.board.catalogue.store import Store
from noisystudent.board.exporting import export
from noisystudent.board.web.etags import is_known
from noisystudent.board.web.refusal import refuse
from noisystudent.board.web.view import Viewing

router = APIRouter()

FILES = {
    **{
        f"{format}.json.gz": format
        for format in (
            "evaluation-tables",
            "papers-with-abstracts",
            "links-between-papers-and-code",
            "methods",
            "datasets",
        )
    },
    "papers.bib.gz": "bibtex",
}
PIECE = 1 << 16
_at_once = threading.BoundedSemaphore(2)  # each keeps a core busy


@router.get("/export/{name}", include_in_schema=False)
def download(view: Viewing, name: str) -> Response:
    """A file of the catalogue as it is now; the same bytes as long as nothing changes."""
    if name not in FILES:
        raise view.missing("file")
    with view.store.reading() as connection:
        event = last_event(connection)
    headers = {"ETag": f'"{event}-{name}"', "Cache-Control": "no-cache"}
    if is_known(view.request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    pieces = _sent(view.store, FILES[name])
    first = next(pieces)
    if not first:
        return refuse(view.request, 503, "Others are downloading. Try again in a minute.", {"Retry-After": "60"})
    headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return StreamingResponse(chain([first], pieces), media_type="application/gzip", headers=headers)


def _sent(store: Store, format: str) -> Iterator[bytes]:
    """The file in pieces; an empty one where too many are being made. It is written on a thread of its own into a pipe, which holds it
    up as long as nobody reads.

    Where the reader goes away, the pipe breaks and the thread ends. Where the writing fails, so does the answer: half a file is not
    taken for a whole one.
    """
    if not _at_once.acquire(blocking=False):
        yield b""
        return
    receiving, sending = os.pipe()
    failed: list[BaseException] = []

    def write() -> None:
        try:
            with os.fdopen(sending, "wb") as pipe:
                _write(store, format, pipe)
        except BaseException as error:
            failed.append(error)
        finally:
            _at_once.release()

    thread = threading.Thread(target=write, name=f"export {format}", daemon=True)
    thread.start()
    with os.fdopen(receiving, "rb", buffering=0) as pipe:
        while piece := pipe.read(PIECE):
            yield piece
    thread.join()
    if failed:
        raise failed[0]


def _write(store: Store, format: str, file: BinaryIO) -> None:
    connection = store.connect(read_only=True)
    try:
        connection.execute("BEGIN")
        with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed:
            export(connection, format, cast(BinaryIO, packed))
    finally:
        with suppress(Exception):
            connection.execute("ROLLBACK")
        connection.close()
