"""The dump of links between papers and repositories."""

from __future__ import annotations

from typing import Any

from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.slugs import slug_of_address
from noisystudent.board.importing.addresses import address
from noisystudent.board.importing.bulk import insert_new
from noisystudent.board.importing.fields import Fields, KnownKeys
from noisystudent.board.importing.loss import Loss
from noisystudent.board.importing.paper_rows import Paper, add_papers, complete_paper, find_papers
from noisystudent.board.importing.papers import arxiv_number
from noisystudent.board.importing.parts import Part

KEYS = [
    "paper_url",
    "paper_title",
    "paper_arxiv_id",
    "paper_url_abs",
    "paper_url_pdf",
    "repo_url",
    "is_official",
    "mentioned_in_paper",
    "mentioned_in_github",
    "framework",
]
FLAGS = ("is_official", "mentioned_in_paper", "mentioned_in_github")
COLUMNS = ("paper_id", "repository_id", *FLAGS, "framework")


class Loader:
    """The links dump. A link's paper is known by the slug in its `paper_url`; where it is missing, a stub is made."""

    def __init__(self) -> None:
        self.known = KnownKeys({"": KEYS})

    def load(self, change: Change, part: Part) -> None:
        links = []
        for fields in part.items:
            slug, url = slug_of_address(fields.line("paper_url"), "paper"), address(fields, "repo_url")
            if slug and url:
                part.report.recognised()
                self.known.check(fields)
                links.append((slug, url, fields))
            else:
                reason = "it has no repo_url" if slug else "it has no paper_url with /paper/ and a slug"
                part.report.lost("link", fields.where, reason)
        papers = _papers(change, {slug: _stub(slug, fields) for slug, _, fields in reversed(links)})
        repositories = {url: change.repository(url) for url in dict.fromkeys(url for _, url, _ in links)}
        _write(change, [(papers[slug], repositories[url], fields) for slug, url, fields in links], part.report)


def _stub(slug: str, fields: Fields) -> Paper:
    """What a link says of its paper."""
    return {
        "slug": slug,
        "title": fields.line("paper_title"),
        "arxiv_id": arxiv_number(fields.line("paper_arxiv_id")),
        "url_abs": address(fields, "paper_url_abs") or None,
        "url_pdf": address(fields, "paper_url_pdf") or None,
    }


def _papers(change: Change, stubs: dict[str, Paper]) -> dict[str, int]:
    """The papers, by slug: those that are there get what they lack, the others are made."""
    found = find_papers(change, stubs)
    for slug, row in found.items():
        complete_paper(change, row, stubs[slug], corrects=False)
    return found | add_papers(change, [stub for slug, stub in stubs.items() if slug not in found])


def _write(change: Change, links: list[tuple[int, int, Fields]], report: Loss) -> None:
    """Make the links; one that is there gets the flags and the framework of this dump."""
    connection = change.connection
    new: dict[tuple[int, int], tuple[Any, ...]] = {}
    for paper, repository, fields in links:
        said = (*(int(fields.flag(flag)) for flag in FLAGS), fields.line("framework") or "none")
        if (paper, repository) in new:
            report.lost("link", fields.where, "this paper and repository were linked in the file before")
            continue
        there = connection.execute(
            "SELECT is_official, mentioned_in_paper, mentioned_in_github, framework FROM paper_repository "
            "WHERE paper_id = ? AND repository_id = ?",
            (paper, repository),
        ).fetchone()
        if there is None:
            new[paper, repository] = said
        elif tuple(there) == said:
            report.there("link")
        else:
            _replace(change, paper, repository, said)
    insert_new(change, "paper_repository", COLUMNS, ((*link, *said) for link, said in new.items()))


def _replace(change: Change, paper: int, repository: int, said: tuple[Any, ...]) -> None:
    row = dict(zip(COLUMNS[2:], said, strict=True))
    change.replace_rows("paper_repository", {"paper_id": paper, "repository_id": repository}, [row])
