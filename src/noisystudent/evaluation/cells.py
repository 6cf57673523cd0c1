"""The parts of a long evaluation, each kept when it is done: what was stopped goes on with the next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from noisystudent import atomic
from noisystudent.errors import UserError
from noisystudent.processes import from_first


class Cells:
    """Tables by name, in a folder. Several processes make them together, and the first writes them.

    Args:
        folder: where they are kept; None keeps nothing.
        identity: of model, images and seed, a JSON value; a folder with cells of another one is refused.

    Raises:
        UserError: the folder's cells are of something else.

    Example:
        >>> Cells(None, {}).table("snow-1", lambda: pa.table({"id": ["a"]})).num_rows
        1
    """

    def __init__(self, folder: Path | None, identity: dict[str, Any]) -> None:
        self._folder = folder
        if folder is None:
            return
        recorded = folder / "identity.json"
        if not from_first(lambda: atomic.is_as_recorded(recorded, identity)):
            raise UserError(
                f"{folder} holds parts of an evaluation of another model, other images or another seed ({recorded}): "
                "give another --out"
            )

    def done(self, name: str) -> bool:
        """Whether that cell is kept."""
        return self._folder is not None and (self._folder / f"{name}.parquet").exists()

    def table(self, name: str, make: Callable[[], pa.Table]) -> pa.Table:
        """The cell of that name; it is made when it is not kept."""
        if self._folder is None:
            return make()
        path = self._folder / f"{name}.parquet"
        if not from_first(path.exists):
            table = make()
            from_first(lambda: _write(table, path))
        return pq.read_table(path)


def _write(table: pa.Table, path: Path) -> None:
    with atomic.replacing(path) as temporary:
        pq.write_table(table, temporary)
