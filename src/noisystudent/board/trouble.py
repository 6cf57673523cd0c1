"""What keeps a command from being done although nothing is wrong with the program, told in one line."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from noisystudent.board.catalogue.failures import message_of
from noisystudent.errors import RunError, UserError
from noisystudent.extras import how_to_install

EXTRA = ("fastapi", "markdown_it", "nh3", "python_multipart", "yaml", "uvicorn")


@contextmanager
def told() -> Iterator[None]:
    """Around a command of the board: missing packages and what the database cannot do become a message.

    Raises:
        UserError: the extra `board` is not installed.
        RunError: the disk is full, the file is damaged or in use.
    """
    missing = [name for name in EXTRA if find_spec(name) is None]
    if missing:
        raise UserError(f"the board needs packages that are missing ({', '.join(missing)}): {how_to_install('board')}")
    try:
        yield
    except sqlite3.Error as error:
        message = message_of(error)
        if message is None:
            raise
        raise RunError(f"{message} ({error})") from error
