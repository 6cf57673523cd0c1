"""Taking out a row through the API."""

from __future__ import annotations

from fastapi import HTTPException

from noisystudent.board.catalogue import removal
from noisystudent.board.catalogue.change import Change
from noisystudent.errors import UserError


def remove(change: Change, table: str, row: int) -> None:
    """As `removal.remove`, with the refusal of the API.

    Raises:
        HTTPException: 409, something hangs on it.
    """
    try:
        removal.remove(change, table, row)
    except UserError as error:
        raise HTTPException(409, str(error)) from error
