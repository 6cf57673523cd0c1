from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from noisystudent.data.manifest import SCHEMA, Manifest
from noisystudent.errors import UserError


def manifest() -> Manifest:
    columns = {"id": ["a", "b", "c"], "uri": ["file:///a"] * 3, "label": [1, None, 0], "split": ["train"] * 3}
    return Manifest(pa.table(columns, schema=SCHEMA), ("cat", 'dog "x" <é>\n'))


def test_reads_back_what_it_wrote(tmp_path: Path) -> None:
    manifest().save(tmp_path / "m.parquet")
    loaded = Manifest.load(tmp_path / "m.parquet")
    assert loaded.table.equals(manifest().table)
    assert loaded.table.schema.equals(SCHEMA)
    assert loaded.class_names == ("cat", 'dog "x" <é>\n')
    assert [path.name for path in tmp_path.iterdir()] == ["m.parquet"]


def test_labels_ids_take() -> None:
    assert manifest().labels.dtype == np.int32
    assert manifest().labels.tolist() == [1, -1, 0]
    taken = manifest().take(np.array([2, 0]))
    assert taken.ids == ["c", "a"]
    assert taken.labels.tolist() == [0, 1]
    assert len(manifest().take(np.array([], dtype=np.int64))) == 0


def test_no_manifest_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "m.parquet").write_bytes(b"nonsense")
    with pytest.raises(UserError, match=r"m\.parquet is not a manifest"):
        Manifest.load(tmp_path / "m.parquet")
