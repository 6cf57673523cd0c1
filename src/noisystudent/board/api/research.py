"""A paper as text, and its descent: addresses that the old site had not."""

from __future__ import annotations

from fastapi import APIRouter

from noisystudent.board.api.models import Lineage, RelatedPaper
from noisystudent.board.api.operations import Markdown, Read, read
from noisystudent.board.api.representations import paper_in_full

router = APIRouter(prefix="/research", tags=["papers"])


@read(router, "/papers/{paper_id}/read/", kind=Markdown)
def paper_read(reading: Read, paper_id: str) -> str:
    """What the catalogue has of a paper, as Markdown: who wrote it and when, its abstract, where it stands. It has no full texts."""
    paper = paper_in_full(reading.connection, reading.find("paper", paper_id), resources=True)
    about = [", ".join(paper.authors), str(paper.published or ""), paper.url_abs or paper.url_pdf]
    code = [
        f"- {repository.url}{' (official)' if repository.is_official else ''}"
        for repository in paper.repositories or ()
    ]
    parts = [f"# {' '.join(paper.title.split())}", *filter(None, about)]
    if paper.abstract:
        parts += ["## Abstract", paper.abstract.strip()]
    if code:
        parts += ["## Code", "\n".join(code)]
    return "\n\n".join(parts) + "\n"


@read(router, "/papers/{paper_id}/lineage/")
def paper_lineage(reading: Read, paper_id: str) -> Lineage:
    """What a paper follows and what follows it: reports on reproducing one and what they reproduce."""
    paper = paper_in_full(reading.connection, reading.find("paper", paper_id), resources=False)
    return Lineage(
        paper=Lineage.Member(reference=paper.arxiv_id or paper.id, title=paper.title),
        predecessors=[_member(other) for other in paper.predecessor_papers],
        successors=[_member(other) for other in paper.successor_papers],
    )


def _member(paper: RelatedPaper) -> Lineage.Member:
    return Lineage.Member(reference=paper.route_identifier, title=paper.title)
