"""`/health`: what a monitor or a proxy asks."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from noisystudent import __version__
from noisystudent.board.catalogue.store import Store

router = APIRouter()


@router.get("/health", include_in_schema=False)
def health(request: Request) -> JSONResponse:
    """Whether the catalogue can be read: 200 or 503. It is never kept by a cache."""
    found = {"version": __version__} | health_of(request.app.state.store)
    return JSONResponse(found, 200 if found["status"] == "ok" else 503, {"Cache-Control": "no-store"})


def health_of(store: Store) -> dict[str, Any]:
    """What can be said of a store without waiting for whoever writes to it.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from noisystudent.board.catalogue.store import migrations
        >>> found = health_of(Store(Path(tempfile.mkdtemp()) / "board.db", create=True))
        >>> found["status"], found["schema"] == len(migrations()), found["last_event"], found["writable"]
        ('ok', True, None, True)
    """
    try:
        with closing(store.connect(read_only=True)) as connection:
            schema = connection.execute("PRAGMA user_version").fetchone()[0]
            last = connection.execute("SELECT id, at FROM event ORDER BY id DESC LIMIT 1").fetchone()
    except sqlite3.Error:
        return {"status": "the catalogue cannot be read"}
    folder = store.path.absolute().parent
    return {
        "status": "ok",
        "schema": schema,
        "last_event": dict(last) if last else None,
        "writable": not store.read_only and os.access(store.path, os.W_OK) and os.access(folder, os.W_OK),
        "free_bytes": shutil.disk_usage(folder).free,
    }
