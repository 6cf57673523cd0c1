"""A database for questions about tables of any length: what does not fit into the memory that it is given lies on the disk meanwhile."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from noisystudent.config import Execution
from noisystudent.errors import UserError


@contextmanager
def spilling(execution: Execution) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database that takes at most `execution.table_memory_gib` GiB, beside the results that are fetched from it.

    Its files lie in a folder of their own in `execution.spill_folder`, which is removed at the end.

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
    with folder as temporary, duckdb.connect(config={"memory_limit": limit, "temp_directory": temporary}) as database:
        try:
            yield database
        except duckdb.OutOfMemoryException as error:
            raise UserError(
                f"execution.table_memory_gib = {execution.table_memory_gib:g} GiB (--memory) and what is free in {folder.name!r} are too little: "
                f"raise it, or set execution.spill_folder (--spill-folder) to a folder on a larger disk ({error})"
            ) from None
