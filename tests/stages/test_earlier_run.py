"""What of an earlier run is taken over: features by the addresses of images, networks where nothing has changed."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from noisystudent import atomic
from noisystudent.config import Config, Execution, Training
from noisystudent.data.images import Skipped
from noisystudent.data.manifest import SCHEMA, Manifest
from noisystudent.data.parts import read_parts, read_skipped, write_part
from noisystudent.errors import UserError
from noisystudent.features.embedding import features_schema, read_features
from noisystudent.rundir import RunDir
from noisystudent.stages.earlier_run import check_earlier, take_over
from noisystudent.stages.source_changes import remember_sources

NET = "net-8-00000000"


def manifest(split: str, files: str, *, ids: list[str] | None = None, label: int | None = None) -> Manifest:
    columns = {"id": ids or list(files), "uri": [f"file:///{name}" for name in files], "label": [label] * len(files)}
    return Manifest(pa.table({**columns, "split": [split] * len(files)}, SCHEMA), ("cat", "dog"))


def value(name: str) -> np.ndarray:
    """What the network saw in a file."""
    return np.arange(4, dtype=np.float16) + ord(name)


def write_split(folder: Path, names: str, *, unread: str = "", rows: int = 2) -> None:
    for number, start in enumerate(range(0, len(names), rows)):
        here = names[start : start + rows]
        read = [name for name in here if name not in unread]
        flat = np.concatenate([value(name) for name in read]) if read else np.empty(0, np.float16)
        lists = pa.FixedSizeListArray.from_arrays(pa.array(flat), 4)
        columns = [pa.array(read, pa.string()), lists, pa.array([ord(name) for name in read], pa.uint64())]
        skipped = [Skipped(name, "embed", "truncated") for name in here if name in unread]
        table = pa.Table.from_arrays(columns, schema=features_schema(4))
        write_part(folder / f"part-{number:05d}.parquet", table, skipped)


def begin(run: RunDir, manifests: dict[str, Manifest], config: Config) -> None:
    remember_sources(run, manifests)
    for split, given in manifests.items():
        given.save(run.manifest(split))
    atomic.write_text(run.path / "config.toml", config.to_toml())


@pytest.fixture
def earlier(tmp_path: Path) -> RunDir:
    """Labeled a and b, unlabeled p to t, of which s could not be read; all embedded; and a teacher."""
    run = RunDir(tmp_path / "old")
    begin(run, {"labeled": manifest("train", "ab", label=0), "unlabeled": manifest("unlabeled", "pqrst")}, config())
    write_split(run.path / "features" / NET / "labeled", "ab")
    write_split(run.path / "features" / NET / "unlabeled", "pqrst", unread="s")
    (run.path / "gen-0" / "model").mkdir(parents=True)
    (run.path / "gen-0" / "model" / "config.json").write_text("{}")
    for stage in ("gen-0/train", "gen-0/evaluate"):
        run.keep_record(stage, {"seconds": 1.0, "of": stage})
    return run


def config(earlier: Path | None = None, **changes: object) -> Config:
    execution = Execution(earlier_run=str(earlier or ""), part_rows=3)
    return Config(teacher=Training(model="resnet9_8"), execution=execution).model_copy(update=changes)


def taken(earlier: RunDir, new: RunDir, manifests: dict[str, Manifest], **changes: object) -> dict[str, object]:
    begin(new, manifests, config(earlier.path, **changes))
    take_over(new, config(earlier.path, **changes))
    record = new.record("earlier")
    assert record is not None
    return record


def test_features_follow_an_image_wherever_it_went(earlier: RunDir, tmp_path: Path) -> None:
    new = RunDir(tmp_path / "new")
    labeled = manifest("train", "baqr", ids=["b", "a", "q", "corrected/r"], label=1)
    found = taken(earlier, new, {"labeled": labeled, "unlabeled": manifest("unlabeled", "pst")})
    assert found["features"] == [NET]
    assert found["networks"] == []
    folder = new.path / "features" / NET
    expected = np.stack([value(name) for name in "baqr"]).astype(np.float32)
    assert (read_features(folder / "labeled", labeled.ids) == expected).all()
    assert read_parts(folder / "labeled", ["dhash"])["dhash"].to_pylist() == [ord(name) for name in "baqr"]
    parts = sorted((folder / "labeled").glob("part-*.parquet"))
    assert [part.name for part in parts] == ["part-00000.parquet", "part-00001.parquet"]  # of 3 rows and 1
    (part,) = (folder / "unlabeled").glob("part-*.parquet")
    assert read_parts(folder / "unlabeled", ["id"])["id"].to_pylist() == ["p", "t"]
    assert read_skipped(part) == [Skipped("s", "embed", "truncated")]
    assert not new.done(f"features/{NET}/labeled")  # its regularization is chosen anew


def test_features_of_which_some_are_missing_are_made_anew(earlier: RunDir, tmp_path: Path) -> None:
    new = RunDir(tmp_path / "new")
    found = taken(earlier, new, {"labeled": manifest("train", "az", label=0), "unlabeled": manifest("unlabeled", "pq")})
    assert found["features"] == [NET]
    assert [path.name for path in (new.path / "features" / NET).iterdir()] == ["unlabeled"]


def test_an_image_that_changed_is_looked_at_again(earlier: RunDir, tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    runs = [earlier, RunDir(tmp_path / "new")]
    for run, contents in zip(runs, (b"before", b"after"), strict=True):
        file.write_bytes(contents)
        labeled = manifest("train", "a", label=0)
        table = labeled.table.set_column(1, "uri", pa.array([file.as_uri()]))
        begin(run, {"labeled": Manifest(table, ("cat", "dog"))}, config(earlier.path))
    take_over(runs[1], config(earlier.path))
    record = runs[1].record("earlier")
    assert record is not None
    assert (record["networks"], record["features"]) == ([], [])


def test_networks_are_taken_where_labels_and_settings_are_the_same(earlier: RunDir, tmp_path: Path) -> None:
    same = {"labeled": manifest("train", "ab", label=0), "unlabeled": manifest("unlabeled", "pq")}
    new = RunDir(tmp_path / "new")
    assert taken(earlier, new, same)["networks"] == ["gen-0"]
    assert json.loads((new.path / "gen-0" / "model" / "config.json").read_text()) == {}
    assert new.record("gen-0/train") == {"seconds": 1.0, "of": "gen-0/train"}
    assert taken(earlier, RunDir(tmp_path / "seed"), same, seed=1)["networks"] == []
    other = {**same, "labeled": manifest("train", "ab", label=1)}
    assert taken(earlier, RunDir(tmp_path / "labels"), other)["networks"] == []
    held_out = {**same, "val": manifest("val", "v", label=1)}
    assert taken(earlier, RunDir(tmp_path / "val"), held_out)["networks"] == []


def test_without_an_earlier_run_nothing_is_done(tmp_path: Path) -> None:
    take_over(RunDir(tmp_path), config())
    assert list(tmp_path.iterdir()) == []


def test_the_earlier_run_is_there_and_another_one(earlier: RunDir, tmp_path: Path) -> None:
    check_earlier(config(earlier.path), tmp_path / "new")
    with pytest.raises(UserError, match="stays as it is"):
        check_earlier(config(earlier.path), earlier.path)
    with pytest.raises(UserError, match="is no run"):
        check_earlier(config(tmp_path / "gone"), tmp_path / "new")
