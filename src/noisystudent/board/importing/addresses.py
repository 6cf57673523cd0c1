"""Addresses on the web: those that a browser may follow. No link runs a script or leads into a file system."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from noisystudent.board.importing.fields import Fields


def is_address(text: str) -> bool:
    """Whether a text is an http address.

    Example:
        >>> is_address("https://arxiv.org/abs/1911.04252"), is_address("javascript:alert(1)"), is_address("../README.md")
        (True, False, False)
    """
    try:
        parts = urlsplit(text)
    except ValueError:  # "http://["
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not re.search(r"\s", text)


def address(fields: Fields, key: str) -> str:
    """The address in a field; "" where there is none, and what is none is reported."""
    found = fields.line(key)
    if found and not is_address(found):
        fields.report.lost(key, fields.where, f"{found[:100]!r} is no address on the web")
        return ""
    return found


def links(fields: Fields, key: str) -> list[dict[str, str]]:
    """A list of {title, url}, without those that lead nowhere."""
    found = ({"title": part.line("title"), "url": address(part, "url")} for part in fields.parts(key))
    return [link for link in found if link["url"]]
