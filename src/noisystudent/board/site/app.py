"""The board as a web application: pages, feeds and the API over one store."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.staticfiles import StaticFiles

from noisystudent import __version__
from noisystudent.board.site.security import SecurityHeaders
from noisystudent.board.site.view import PageCache, not_found, templates
from noisystudent.board.store import Store


@dataclass(frozen=True)
class Site:
    """How a board is served.

    Args:
        store: the catalogue's file.
        name: of the site, in titles and the header.
        address: where readers find it, without a slash at the end; taken from the request where empty.
        read_only: no submissions, no writes through the API.
    """

    store: Path
    name: str = "Papers With Code"
    address: str = ""
    read_only: bool = False


ROUTERS: tuple[APIRouter, ...] = ()


def create_app(site: Site) -> FastAPI:
    """The application, for uvicorn or a test client.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "board.db"
        >>> _ = Store(path, create=True)
        >>> create_app(Site(path)).title
        'Papers With Code'
    """
    app = FastAPI(
        title=site.name, version=__version__, docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json"
    )
    app.state.site = site
    app.state.store = Store(site.store, read_only=site.read_only)
    app.state.templates = templates(site)
    app.state.cache = PageCache()
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=str(files("noisystudent.board.site") / "static")), name="static")
    app.add_exception_handler(404, not_found)
    app.add_middleware(SecurityHeaders)
    return app
