"""The database that questions about tables are asked: it keeps to its memory, and leaves the screen alone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb

from noisystudent.config import Execution
from noisystudent.errors import UserError


def connected(**settings: str | bool | int | float | list[str]) -> duckdb.DuckDBPyConnection:
    """An empty database with settings of DuckDB's; it draws no progress bar, which would go to stdout, terminal or not.

    Example:
        >>> with connected() as database:
        ...     database.sql("SELECT 1 + 1").fetchall()
        [(2,)]
    """
    database = duckdb.connect(config=settings)
    with suppress(duckdb.InvalidInputException):  # in a notebook without ipywidgets, where there is no bar to turn off
        database.execute("SET enable_progress_bar = false")
    return database


@contextmanager
def spilling(execution: Execution) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database for tables of any length: what takes more than `execution.table_memory_gib` lies on the disk meanwhile.

    Results that are fetched from it are not counted. Its files lie in a folder of their own in `execution.spill_folder`, which is removed
    at the end.

    Raises:
        UserError: the folder cannot be written, or memory and folder together are too small.

    Example:
        >>> with spilling(Execution(table_memory_gib=0.5)) as database:
        ...     database.sql("SELECT current_setting('memory_limit')").fetchall()
        [('512.0 MiB',)]
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="noisystudent-", dir=execution.spill_folder or None)
    except OSError as error:
        raise UserError(f"execution.spill_folder = {execution.spill_folder!r}: {error.strerror}") from None
    limit = f"{execution.table_memory_gib * 2**30:.0f}B"
    with folder as temporary, connected(memory_limit=limit, temp_directory=temporary) as database:
        try:
            yield database
        except duckdb.OutOfMemoryException as error:
            asked = f"execution.table_memory_gib = {execution.table_memory_gib:g} GiB (--memory)"
            raise UserError(
                f"{asked} and what is free in {folder.name!r} are too little: raise it, or set execution.spill_folder (--spill-folder) "
                f"to a folder on a larger disk ({error})"
            ) from None
