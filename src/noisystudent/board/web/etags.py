"""What tells a reader that what it has is still so."""

from __future__ import annotations

import hashlib

from fastapi import Request

from noisystudent import __version__


def etag(state: str, url: str) -> str:
    """The tag of what an address says in a state of the catalogue; another version of the program may say it otherwise.

    Example:
        >>> etag("7", "/papers") == etag("7", "/papers"), etag("7", "/papers") == etag("8", "/papers")
        (True, False)
    """
    return f'W/"{hashlib.sha256(f"{__version__} {state} {url}".encode()).hexdigest()[:20]}"'


def is_known(request: Request, tag: str) -> bool:
    """Whether a request says that its sender has what the tag stands for, perhaps among other things."""
    return tag in (known.strip() for known in request.headers.get("if-none-match", "").split(","))
