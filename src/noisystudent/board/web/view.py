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

from noisystudent.board.catalogue import names
from noisystudent.board.catalogue.change import today
from noisystudent.board.web.kept import Kept
from noisystudent.board.web.reading import Reading

READS = ["GET", "HEAD"]
PAGES_KEPT = 64 << 20  # bytes of pages as they were last rendered; one is at most about 100 kB


class Elsewhere(Exception):
    """An address has no slug of an entry, but what means one."""

    def __init__(self, slug: str) -> None:
        self.slug = slug


class View:
    """What a page's function works with: a reading, and how it is shown."""

    def __init__(self, request: Request) -> None:
        self.reading = Reading(request)
        self.request, self.site, self.store = request, self.reading.site, self.reading.store
        self.address = self.reading.address

    @property
    def connection(self) -> sqlite3.Connection:
        return self.reading.connection

    @property
    def as_json(self) -> bool:
        return self.request.url.path.endswith(".json")

    def page(
        self,
        template: str,
        data: dict[str, Any],
        *,
        title: str,
        description: str = "",
        feed: str = "",
        structured: dict[str, Any] | None = None,
    ) -> Response:
        """The page, or `data` as JSON. The template sees the keys of `data` and these:

        Args:
            title: of the page, without the site's name.
            description: for search engines and previews; plain text.
            feed: address of the page's Atom feed.
            structured: what the page is about, as JSON-LD.
        """
        if self.as_json:
            return Response(json.dumps(data, ensure_ascii=False, sort_keys=True), media_type="application/json")
        path = self.request.url.path
        context = data | {
            "view": self,
            "title": title,
            "description": " ".join(description.split())[:300],
            "feed": feed,
            "structured": structured,
            "path": path,
            "canonical": self.address + path,
        }
        return HTMLResponse(self.request.app.state.templates.get_template(template).render(context))

    def entry(self, kind: str, slug: str, find: Callable[[sqlite3.Connection, str], sqlite3.Row | None]) -> sqlite3.Row:
        """The row of the entry whose page this is.

        Args:
            kind: of entry, as the schema's `alias` has it.
            slug: the part of the address that is called so, too.
            find: of `queries`, by the slug.

        Raises:
            Elsewhere: it is an old slug, or a name: the address with the slug of now is the answer, for good.
            HTTPException: 404, it means no entry.
        """
        row = find(self.connection, slug)
        if row is None:
            raise Elsewhere(names.slug_of(self.connection, kind, self.reading.find(kind, slug)))
        return row

    def missing(self, what: str) -> HTTPException:
        """To raise where an address means nothing: `raise view.missing("file")`."""
        return HTTPException(404, f"there is no such {what}")


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
            kept: Kept[Response] = view.request.app.state.pages

            def say(headers: dict[str, str]) -> Response:
                answer = kept.get(headers["ETag"])
                if answer is not None:
                    return answer
                try:
                    answer = function(view, **parameters)
                except Elsewhere as right:
                    suffix = ".json" if view.as_json else ""
                    answer = RedirectResponse(f"{path.format(slug=right.slug)}{suffix}{query and '?'}{query}", 301)
                answer.headers.update(headers)
                if answer.status_code == 200:
                    kept.put(headers["ETag"], answer, len(answer.body))
                return answer

            # Lists of the newest end today.
            return view.reading.answer(f"{view.address}{view.request.url.path}?{query} {today()}", say)

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
