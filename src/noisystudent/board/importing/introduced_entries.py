"""What the dumps of datasets and of methods have in common: an address and a name, and the paper that introduced it."""

from __future__ import annotations

from typing import Any

from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.slugs import slug_of_address
from noisystudent.board.importing.addresses import address
from noisystudent.board.importing.fields import Fields


def slug_and_name(fields: Fields, kind: str) -> tuple[str, str] | None:
    """The slug in an object's `url`, and its name; an object without them is reported as lost."""
    slug, name = slug_of_address(fields.line("url"), kind), fields.line("name")
    if slug and name:
        fields.report.recognised()
        return slug, name
    reason = "it has no name" if slug else f"it has no url with /{kind}/ and a slug"
    fields.report.lost(kind, fields.where, reason)
    return None


def introducing_paper(change: Change, fields: Fields) -> dict[str, Any]:
    """The columns of the paper that an object names, which is made where there is none of that address and title."""
    paper = fields.part("paper")
    title, url = (paper.line("title"), address(paper, "url")) if paper else ("", "")
    return {
        "paper_id": change.paper(title=title, url=url) if title or url else None,
        "paper_title": title or None,
        "paper_url": url or None,
    }
