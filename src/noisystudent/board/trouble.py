"""What keeps a command from being done although nothing is wrong with the program, told in one line."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from noisystudent.board.catalogue.failures import message_of
from noisystudent.errors import RunError
from noisystudent.extras import needing


@contextmanager
def told() -> Iterator[None]:
    """Around a command of the board: missing packages and what the database cannot do become a message.

    Raises:
        UserError: the extra `board` is not installed.
        RunError: the disk is full, the file is damaged or in use.
    """
    try:
        with needing("board"):
            yield
    except sqlite3.Error as error:
        message = message_of(error)
        if message is None:
            raise
        raise RunError(f"{message} ({error})") from error
