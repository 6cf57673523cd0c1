"""A page and its JSON from one function: what it returns is rendered, or given as it is where the address ends in `.json`."""

from __future__ import annotations

import functools
import json
import sqlite3
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, get_type_hints
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from starlette.responses import HTMLResponse, RedirectResponse

from noisystudent.board.catalogue.change import today
from noisystudent.board.catalogue.history import last_event
from noisystudent.board.catalogue.names import slug_meant
from noisystudent.board.catalogue.store import Store
from noisystudent.board.web.etags import etag, is_known
from noisystudent.board.web.kept import Kept
from noisystudent.board.web.site import Site

READS = ["GET", "HEAD"]
PAGES_KEPT = 64 << 20  # bytes of pages as they were last rendered; a large leaderboard is about 200 kB


class View:
    """What a page's function works with: the request, and a connection that sees one state of the catalogue."""

    connection: sqlite3.Connection

    def __init__(self, request: Request) -> None:
        self.request = request
        self.site: Site = request.app.state.site
        self.store: Store = request.app.state.store

    @property
    def as_json(self) -> bool:
        return self.request.url.path.endswith(".json")

    @property
    def address(self) -> str:
        """Where the site is, without a slash at the end."""
        return str(self.request.base_url).rstrip("/")

    def page(
        self, template: str, data: dict[str, Any], *, title: str, description: str = "", feed: str = ""
    ) -> Response:
        """The page, or `data` as JSON. The template sees the keys of `data` and these:

        Args:
            title: of the page, without the site's name.
            description: for search engines and previews; plain text.
            feed: address of the page's Atom feed.
        """
        if self.as_json:
            return Response(json.dumps(data, ensure_ascii=False, sort_keys=True), media_type="application/json")
        path = self.request.url.path
        context = data | {
            "view": self,
            "title": title,
            "description": " ".join(description.split())[:300],
            "feed": feed,
            "path": path,
            "canonical": self.address + path,
        }
        return HTMLResponse(self.request.app.state.templates.get_template(template).render(context))

    def missing(self, what: str) -> HTTPException:
        """To raise where an address means nothing: `raise view.missing("paper")`."""
        return HTTPException(404, f"there is no such {what}")

    def elsewhere(self, kind: str, old: str, path: str) -> Response:
        """What to answer where no slug is in an address: for good at the right one, where what is there means an entry.

        Args:
            kind: of entry, as the schema's `alias` has it.
            old: what stands in the address: an old slug, a name.
            path: the new address, with {} for the slug.

        Raises:
            HTTPException: 404, it means none.
        """
        new = slug_meant(self.connection, kind, old)
        if new is None:
            raise self.missing(kind)
        return self.moved(path.format(new))

    def moved(self, path: str) -> Response:
        """An old address: for good at another. The query and `.json` go along."""
        query = f"?{self.request.url.query}" if self.request.url.query else ""
        return RedirectResponse(path + (".json" if self.as_json else "") + query, 301)


Viewing = Annotated[View, Depends(View)]


def page(
    router: APIRouter, path: str, *, json_path: str | None = None, twin: bool = True
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Register a page at `path`, and its JSON at `path` with `.json` behind it; without a twin, as of a feed or an image, no JSON.

    The function takes a `View` and what the path and the query name; it may not depend on who asks, since what it returns is kept until
    the catalogue or the date changes, and has an ETag. A query with other parts than those leads to the address without them: pages
    that are the same have one address.
    """

    def register(function: Callable[..., Response]) -> Callable[..., Response]:
        known = _parts_of_query(function)

        @functools.wraps(function)
        def answered(view: View, **parameters: Any) -> Response:
            given = view.request.query_params
            query = urlencode(sorted((name, given[name]) for name in given if name in known))
            if given.keys() - known:
                return RedirectResponse(f"{view.request.url.path}{query and '?'}{query}", 302)
            with view.store.reading() as connection:
                url = f"{view.address}{view.request.url.path}?{query}"
                state = f"{last_event(connection)} {today()}"  # lists of the newest end today
                tag = etag(state, url)
                if is_known(view.request, tag):
                    return Response(status_code=304, headers={"ETag": tag})
                kept: Kept[Response] = view.request.app.state.pages
                answer = kept.get((url, state))
                if answer is None:
                    view.connection = connection
                    answer = function(view, **parameters)
                    answer.headers["ETag"] = tag
                    answer.headers["Cache-Control"] = "no-cache"  # that is: ask whether it is still so
                    if answer.status_code == 200:
                        kept.put((url, state), answer, len(answer.body) + len(url))
                return answer

        if twin:
            router.api_route(json_path or f"{path}.json", methods=READS, include_in_schema=False)(answered)
        router.api_route(path, methods=READS, include_in_schema=False)(answered)
        return answered

    return register


def _parts_of_query(function: Callable[..., Response]) -> set[str]:
    """The parameters that a page takes; those of its path, which are among them, do no harm."""
    names: set[str] = set()
    for name, hint in get_type_hints(function).items():
        names |= {field.name for field in fields(hint)} if is_dataclass(hint) else {name}
    return names - {"view", "return"}


async def not_found(request: Request, error: Exception) -> Response:
    """404 as a page, or as JSON under `/api` and where JSON was asked for."""
    detail = getattr(error, "detail", "not found")
    if request.url.path.startswith("/api/") or request.url.path.endswith(".json"):
        return Response(json.dumps({"detail": detail}), 404, media_type="application/json")
    view = View(request)
    answer = view.page("not_found.html.jinja", {"detail": detail}, title="Not found")
    answer.status_code = 404
    return answer
