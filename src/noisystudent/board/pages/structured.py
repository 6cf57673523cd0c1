"""What a page is about, as JSON-LD with the words of schema.org: for search engines and programs."""

from __future__ import annotations

import json
from datetime import date
from importlib.resources import files
from typing import Any

from noisystudent.board.web.web_address import web_address

CONTEXT = "https://schema.org"
# What a data set's words mean: Croissant 1.0, docs.mlcommons.org/croissant/docs/croissant-spec.html, "Context".
CROISSANT = "http://mlcommons.org/croissant/1.0"
_CROISSANT_CONTEXT = json.loads(
    (files("noisystudent.board.pages") / "croissant_context.json").read_text(encoding="utf-8")
)
LONGEST = 5_000  # characters of a description that search engines take


def article(site: str, page: dict[str, Any]) -> dict[str, Any]:
    """A paper, as its page has it. A day stands there only as its source gave it."""
    paper = page["paper"]
    arxiv = paper["arxiv_id"]
    return _said(
        {
            "@context": CONTEXT,
            "@type": "ScholarlyArticle",
            "@id": f"{site}/paper/{paper['slug']}",
            "url": f"{site}/paper/{paper['slug']}",
            "headline": paper["title"][:110],
            "name": paper["title"],
            "abstract": paper["abstract"][:LONGEST],
            "datePublished": paper["published"],
            "author": [{"@type": "Person", "name": author["name"]} for author in page["authors"]],
            "isPartOf": {"@type": "Periodical", "name": paper["venue"]} if paper["venue"] else None,
            "identifier": f"arXiv:{arxiv}" if arxiv else None,
            "sameAs": [address for address in map(web_address, (paper["url_abs"], paper["url_pdf"])) if address],
            "about": [{"@type": "Thing", "name": task["name"]} for task in page["tasks"]],
        }
    )


def dataset(site: str, page: dict[str, Any], shown: str, description: str, citation: str = "") -> dict[str, Any]:
    """A data set, as its page has it, in Croissant: what it is. Which files it is of, the board does not know.

    Args:
        citation: BibTeX of the paper that introduced it, where it is in the catalogue.
    """
    row = page["dataset"]
    whole, paper = page["whole"], page["introduced_by"]
    day = _day(row["introduced_date"])
    return _said(
        {
            "@context": _CROISSANT_CONTEXT,
            "@type": "Dataset",
            "@id": f"{site}/dataset/{row['slug']}",
            "conformsTo": CROISSANT,
            "url": f"{site}/dataset/{row['slug']}",
            "name": shown,
            "alternateName": row["full_name"] if row["full_name"] != row["name"] else None,
            "description": " ".join(description.split())[:LONGEST],
            "sameAs": web_address(row["homepage"]),
            "license": web_address(row["licence_url"]) or row["licence_name"],
            "datePublished": day,
            "inLanguage": page["languages"],
            "keywords": page["modalities"],
            "citeAs": citation or (paper["title"] if paper else None),
            "isPartOf": {"@type": "Dataset", "@id": f"{site}/dataset/{whole['slug']}", "name": whole["name"]}
            if whole
            else None,
        }
    )


def _day(text: str | None) -> str | None:
    """A day, or a year or month as they are given; what is none of a calendar is left out."""
    parts = (text or "").split("-")
    try:
        date(*(int(part) for part in [*parts, "1", "1"][:3]))
    except ValueError:
        return None
    return text


def _said(data: dict[str, Any]) -> dict[str, Any]:
    """Without what nobody says."""
    return {key: value for key, value in data.items() if value not in (None, "", [])}
