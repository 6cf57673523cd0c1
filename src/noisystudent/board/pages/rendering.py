"""The templates of the pages, and what each of them may use."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from noisystudent.board.catalogue.fields import label
from noisystudent.board.catalogue.values import legible
from noisystudent.board.web.markdown import markdown
from noisystudent.board.web.site import Site
from noisystudent.board.web.web_address import web_address

_ROOM = files("noisystudent.board.pages")
STATIC = str(_ROOM / "static")


def templates(site: Site) -> Environment:
    """Jinja with every value escaped, and a missing one an error."""
    environment = Environment(
        loader=FileSystemLoader(str(_ROOM / "templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["site"] = site
    environment.globals["label"] = label
    environment.globals["style"] = _version_of("style.css")
    environment.filters["legible"] = legible
    environment.filters["markdown"] = markdown
    environment.filters["web"] = web_address
    return environment


def _version_of(name: str) -> str:
    """A static file's address, which changes with what is in it."""
    content = (_ROOM / "static" / name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:10]}"
