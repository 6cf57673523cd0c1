"""Markdown that somebody else wrote, as HTML in which nothing can run."""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

TAGS = {
    *("a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "strong"),
    *("sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
# A page has its own h1 and h2.
_LOWER = {f"h{level}": f"h{min(level + 2, 6)}" for level in range(1, 7)}


def markdown(text: str) -> Markup:
    """HTML of a Markdown text: no images, no scripts, no styles; links that do not vouch for where they lead.

    Example:
        >>> markdown("**bold** <script>alert(1)</script>")
        Markup('<p><strong>bold</strong> &lt;script&gt;alert(1)&lt;/script&gt;</p>\\n')
    """
    tokens = _PARSER.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = _LOWER[token.tag]
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    return Markup(
        nh3.clean(
            html,
            tags=TAGS,
            attributes={"a": {"href"}},
            url_schemes={"http", "https", "mailto"},
            link_rel="nofollow noopener ugc",
        )
    )
