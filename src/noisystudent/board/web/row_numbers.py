"""Numbers of rows, as addresses, cookies and forms have them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

RowNumber = Annotated[int, Path(ge=1, le=2**53)]  # in an address; JSON has no larger ones


def row_number(text: str) -> int | None:
    """The number that a text is; None where it is none, or has more digits than a row's number can have.

    Example:
        >>> row_number("17"), row_number("²"), row_number("-1"), row_number("9" * 5000)
        (17, None, None, None)
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
