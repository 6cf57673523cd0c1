"""The manifest: one table that lists the images of a source, whatever kind of source it was."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from noisystudent import atomic
from noisystudent.errors import UserError

SCHEMA = pa.schema([("id", pa.string()), ("uri", pa.string()), ("label", pa.int32()), ("split", pa.string())])
UNKNOWN = -1
_CLASS_NAMES = b"class_names"


@dataclass(frozen=True)
class Manifest:
    """The images of a source: a row each.

    Attributes:
        table: columns `id` (unique, stable), `uri` (see `uris`), `label` (null: not known), `split`; schema `SCHEMA`.
        class_names: the name of each label, by its number; () when no labels are known.
        notes: what the user should know of how the source was read, such as files that were left out; not saved.

    Example:
        >>> table = pa.table({"id": ["a.png"], "uri": ["file:///a.png"], "label": [0], "split": ["train"]}, SCHEMA)
        >>> Manifest(table, ("cat",)).labels
        array([0], dtype=int32)
    """

    table: pa.Table
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def ids(self) -> list[str]:
        """The id of each image."""
        ids: list[str] = self.table["id"].to_pylist()
        return ids

    @property
    def labels(self) -> np.ndarray:
        """int32 [rows]: the label of each image, -1 where it is not known."""
        labels: np.ndarray = self.table["label"].fill_null(UNKNOWN).to_numpy()
        return labels

    def take(self, rows: np.ndarray) -> Manifest:
        """The manifest of some rows, in the order given; `rows` holds row numbers."""
        return replace(self, table=self.table.take(pa.array(np.asarray(rows, dtype=np.int64))))

    def save(self, path: Path) -> None:
        """Write Parquet, whole or not at all: a killed process leaves the old file or the new one."""
        names = json.dumps(self.class_names).encode()
        with atomic.replacing(path) as temporary:
            pq.write_table(self.table.replace_schema_metadata({_CLASS_NAMES: names}), temporary)

    @classmethod
    def load(cls, path: Path) -> Manifest:
        """Read what `save` wrote.

        Raises:
            UserError: the file is not a manifest.
        """
        try:
            table = pq.read_table(path)
            names = json.loads((table.schema.metadata or {})[_CLASS_NAMES])
            table = table.replace_schema_metadata(None).select(SCHEMA.names).cast(SCHEMA)
        except (pa.ArrowException, KeyError, ValueError) as error:
            raise UserError(f"{path} is not a manifest ({error}): delete it, so that it is made anew") from error
        return cls(table, tuple(names))
