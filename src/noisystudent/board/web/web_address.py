"""Addresses that somebody else wrote."""

from __future__ import annotations

from urllib.parse import urlsplit


def web_address(url: str | None) -> str:
    """The address, where it leads to the web; empty where it would do something else (`javascript:`, `data:`) or is none.

    Example:
        >>> web_address("https://arxiv.org/abs/1911.04252"), web_address("javascript:alert(1)"), web_address(None)
        ('https://arxiv.org/abs/1911.04252', '', '')
    """
    try:
        parts = urlsplit((url or "").strip())
    except ValueError:
        return ""
    return (url or "").strip() if parts.scheme in ("http", "https") and parts.netloc else ""
