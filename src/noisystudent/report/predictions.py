"""A generation's predictions beside what is known of its images, as DuckDB relations: 10^8 rows need not fit in memory."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from noisystudent.config import Execution
from noisystudent.data.duckdb_connections import spilling


@contextmanager
def opened(**tables: Sequence[Path]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in which each name is the table that its Parquet files hold.

    Args:
        tables: a name and the files of one table.

    Example:
        >>> with opened(prediction=[Path("part-0.parquet")]) as database:  # doctest: +SKIP
        ...     database.execute("SELECT count(*) FROM prediction").fetchone()
        (1277,)
    """
    with spilling(Execution()) as database:  # a run's own spill folder need not be where its report is written
        for name, paths in tables.items():
            files = [glob.escape(str(path)) for path in paths]  # DuckDB takes every name for a pattern
            database.read_parquet(files).create_view(name)
        yield database


def parts(folder: Path) -> list[Path]:
    """The files of a predictions folder, in order; [] when there are none."""
    return sorted(folder.glob("part-*.parquet"))
