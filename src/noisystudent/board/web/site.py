"""How a board is served, as its operator says: what everything that answers a request is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Limits:
    """Requests a minute from one address, the largest body, and writes at a time. Each of several workers counts for itself.

    Args:
        reads: pages and reads of the API.
        searches: searches and downloads, which cost more.
        writes: forms and writes through the API.
        writing: how many of them a worker does at a time; it has 40 threads, and each may wait for the catalogue.
        failures: requests with a token that is none.
        body: bytes of a request's body.
    """

    reads: int = 1200
    searches: int = 240
    writes: int = 60
    writing: int = 8
    failures: int = 10
    body: int = 1 << 20


@dataclass(frozen=True)
class Site:
    """How a board is served.

    Args:
        store: the catalogue's file.
        name: of the site, in titles and the header.
        address: where readers find it, without a slash at the end; taken from the request where empty.
        read_only: no submissions, no writes through the API.
        limits: how much one client may ask for.
    """

    store: Path
    name: str = "Papers With Code"
    address: str = ""
    read_only: bool = False
    limits: Limits = field(default_factory=Limits)
