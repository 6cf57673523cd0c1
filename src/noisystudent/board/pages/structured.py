"""What a page is about, as JSON-LD with the words of schema.org: for search engines and programs."""

from __future__ import annotations

from typing import Any

from noisystudent.board.web.web_address import web_address

CONTEXT = "https://schema.org"
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


def dataset(site: str, page: dict[str, Any], shown: str, description: str) -> dict[str, Any]:
    """A data set, as its page has it."""
    row = page["dataset"]
    whole, paper = page["whole"], page["introduced_by"]
    return _said(
        {
            "@context": CONTEXT,
            "@type": "Dataset",
            "@id": f"{site}/dataset/{row['slug']}",
            "url": f"{site}/dataset/{row['slug']}",
            "name": shown,
            "alternateName": row["full_name"] if row["full_name"] != row["name"] else None,
            "description": " ".join(description.split())[:LONGEST],
            "sameAs": web_address(row["homepage"]),
            "license": web_address(row["licence_url"]) or row["licence_name"],
            "dateCreated": row["introduced_date"],
            "inLanguage": page["languages"],
            "keywords": page["modalities"],
            "citation": paper["title"] if paper else None,
            "isPartOf": {"@type": "Dataset", "@id": f"{site}/dataset/{whole['slug']}", "name": whole["name"]}
            if whole
            else None,
        }
    )


def _said(data: dict[str, Any]) -> dict[str, Any]:
    """Without what nobody says."""
    return {key: value for key, value in data.items() if value not in (None, "", [])}
