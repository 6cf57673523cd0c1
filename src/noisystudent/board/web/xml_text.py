"""Text that XML can hold: in an SVG, in a feed."""

from __future__ import annotations

import re

_NEVER = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """The text without the characters that no XML may have, not even escaped; it is not escaped yet.

    Example:
        >>> xml_text("a\\x0bb < c")
        'ab < c'
    """
    return _NEVER.sub("", text)
