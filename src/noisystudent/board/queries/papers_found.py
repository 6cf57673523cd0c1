"""Searching for papers by anything that may name them: a number, an address, a repository, words, an author; with a slip, too."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from noisystudent.board.catalogue.names import meant
from noisystudent.board.catalogue.slugs import ARXIV
from noisystudent.board.queries import search
from noisystudent.board.queries.finding import papers_of_authors, papers_of_repository, without_slips
from noisystudent.board.queries.search import Query


class PapersFound(NamedTuple):
    """What a search for papers found, as `search.Found`; `instead`: the words that it went by, where those that were typed are nowhere."""

    ids: list[int]
    total: int
    more: bool = False
    instead: str = ""


def search_papers(connection: sqlite3.Connection, text: str, *, limit: int, offset: int = 0) -> PapersFound:
    """Papers that a text names or describes.

    First the one of an arXiv number or an address and those of a repository (owner/name); then those with the words; then those of a
    repository of that name alone, and of an author. Where nothing is found, a word that no paper has counts as the commonest one that
    differs in a letter.

    Args:
        limit: how many to give.
        offset: how many of the first to leave out.
    """
    named = _named(connection, text)
    by_words = search.search_papers(connection, text, limit=limit, offset=offset)
    if by_words.more:  # of so many, the words alone
        return PapersFound(by_words.ids, by_words.total, more=True)
    all_of_them = search.search_papers(connection, text, limit=search.MOST_HITS).ids
    others = [*papers_of_repository(connection, text), *papers_of_authors(connection, text)]
    ids = list(dict.fromkeys([*named, *all_of_them, *others]))
    if ids:
        return PapersFound(ids[offset : offset + limit], len(ids))
    mended = without_slips(connection, Query.of(text))
    if mended is None:
        return PapersFound([], 0)
    words = " ".join(mended.phrases)
    again = search.search_papers(connection, words, limit=limit, offset=offset)
    return PapersFound(again.ids, again.total, again.more, words if again.ids else "")


def _named(connection: sqlite3.Connection, text: str) -> list[int]:
    """Papers that a text names without being words: an arXiv number, an address, a repository."""
    plain = text.strip()[: search.MOST_CHARACTERS].encode("utf-8", "replace").decode()  # half a character is no text
    named = (
        [meant(connection, "paper", plain)]
        if "://" in plain or ARXIV.fullmatch(f"arxiv:{plain}") or ARXIV.search(plain)
        else []
    )
    found = [number for number in named if number is not None]
    return found or (papers_of_repository(connection, plain) if "/" in plain else [])
