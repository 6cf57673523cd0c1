"""The board as a web application: pages, feeds and the API over one store."""

from __future__ import annotations

import sqlite3

from fastapi import APIRouter, FastAPI, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from noisystudent import __version__
from noisystudent.board.api.pages import COUNTS_KEPT
from noisystudent.board.api.router import router as api
from noisystudent.board.catalogue.store import Store
from noisystudent.board.exporting.growing import Files
from noisystudent.board.pages import (
    about,
    api_overview,
    authors,
    badges,
    curate,
    datasets,
    downloads,
    feeds,
    health,
    home,
    leaderboard,
    leaderboards,
    methods,
    papers,
    search,
    sitemap,
    submit,
    tasks,
)
from noisystudent.board.pages.rendering import STATIC, templates
from noisystudent.board.web.addressed import Addressed
from noisystudent.board.web.cross_origin import CrossOriginReads
from noisystudent.board.web.kept import Kept
from noisystudent.board.web.lane import WriteLane
from noisystudent.board.web.limits import BodyLimit, RateLimits
from noisystudent.board.web.refusal import REFUSED, broken, failed, http_error, invalid, refused
from noisystudent.board.web.secret import secret_of
from noisystudent.board.web.security import SecurityHeaders
from noisystudent.board.web.site import Site
from noisystudent.board.web.view import PAGES_KEPT

PATIENCE = 5.0  # seconds: a reader's thread that waits for a long import is one less for the others


ROUTERS: tuple[APIRouter, ...] = (
    home.router,
    tasks.router,
    leaderboards.router,
    leaderboard.router,
    badges.router,
    feeds.router,
    papers.router,
    datasets.router,
    methods.router,
    authors.router,
    search.router,
    sitemap.router,
    about.router,
    downloads.router,
    submit.router,
    curate.router,
    health.router,
    api_overview.router,
    api,
)


def create_app(site: Site) -> FastAPI:
    """The application, for uvicorn or a test client.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> path = Path(tempfile.mkdtemp()) / "board.db"
        >>> _ = Store(path, create=True)
        >>> create_app(Site(path)).title
        'Papers With Code'
    """
    app = FastAPI(
        title=site.name, version=__version__, docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json"
    )
    app.state.site = site
    app.state.store = Store(site.store, read_only=site.read_only, patience=PATIENCE)
    app.state.secret = b"" if site.read_only else secret_of(site.store)
    app.state.templates = templates(site)
    app.state.pages = Kept[Response](PAGES_KEPT)
    app.state.counts = Kept[int](COUNTS_KEPT)
    app.state.files = Files(app.state.store)
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, invalid)
    for kind in REFUSED:
        app.add_exception_handler(kind, refused)
    app.add_exception_handler(sqlite3.Error, failed)
    app.add_exception_handler(OSError, failed)
    app.add_exception_handler(Exception, broken)
    app.add_middleware(WriteLane, most=site.limits.writing)
    app.add_middleware(BodyLimit, limits=site.limits)
    app.add_middleware(RateLimits, limits=site.limits)
    app.add_middleware(CrossOriginReads)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Addressed, address=site.address)
    return app
