"""Shards on another machine, which fsspec's memory:// stands for here."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from user_inputs import quick

from noisystudent.data.decoding import UnreadableImage, read_bytes
from noisystudent.data.images import ImageSet
from noisystudent.data.manifest import Manifest
from noisystudent.data.shards import pieces_of
from noisystudent.data.sources import read_source
from noisystudent.errors import UserError
from noisystudent.rundir import RunDir
from noisystudent.stages.preparation import prepared


def png(value: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((16, 16, 3), value, np.uint8)).save(file, "PNG")
    return file.getvalue()


def tar_of(values: range) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for value in values:
            for ending, data in (("png", png(value)), ("cls", str(value % 2).encode())):
                member = tarfile.TarInfo(f"{value}.{ending}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    return file.getvalue()


def table_of(values: range) -> bytes:
    file = io.BytesIO()
    images = [{"bytes": png(value), "path": None} for value in values]
    pq.write_table(pa.table({"image": images, "label": [value % 2 for value in values]}), file, row_group_size=4)
    return file.getvalue()


@pytest.fixture
def store() -> Iterator[Any]:
    """Two tar files and two tables, of the values 0 to 29 each; one name has what addresses write in another way."""
    files = fsspec.filesystem("memory")
    for number in range(2):
        values = range(number * 15, number * 15 + 15)
        files.pipe_file(f"/bucket/a b/{number}.tar", tar_of(values))
        files.pipe_file(f"/bucket/t/train-{number}.parquet", table_of(values))
    yield files
    files.rm("/bucket", recursive=True)


def read(source: str, labels: Any = "required") -> Manifest:
    return read_source(source, split="train", labels=labels)


@pytest.mark.parametrize(
    "source",
    [
        "memory://bucket/a b/{0..1}.tar",
        "memory://bucket/a b/*.tar",
        "memory://bucket/t/*.parquet",
        "memory://bucket/t/train-{0,1}.parquet",
    ],
)
def test_shards_are_read_as_here(source: str, store: Any, tmp_path: Path) -> None:
    for name in store.find("/bucket"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name.lstrip("/")).write_bytes(store.cat_file(name))
    there, here = read(source), read(source.replace("memory://", f"{tmp_path}/"))
    assert there.ids == here.ids
    assert there.labels.tolist() == here.labels.tolist()
    assert all(uri.startswith("memory://") for uri in there.table["uri"].to_pylist())
    rows = np.random.default_rng(0).permutation(30)
    images = [ImageSet(m, size=8, channels=3, workers=2, in_memory=False) for m in (there, here)]
    assert torch.equal(images[0].fetch(rows), images[1].fetch(rows))
    assert images[0].fetch(np.arange(30))[:, 0, 0, 0].tolist() == list(range(30))
    pieces = [pieces_of(m.table["uri"]) for m in (there, here)]
    assert pieces[0] is not None
    assert pieces[1] is not None
    np.testing.assert_array_equal(pieces[0].of_image, pieces[1].of_image)
    np.testing.assert_array_equal(pieces[0].sizes, pieces[1].sizes)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("memory://bucket/t/", "tar and Parquet files are read, such as s3://"),
        ("memory://bucket/labels.csv", "tar and Parquet files are read, such as s3://"),
        ("memory://bucket/{0..1}.tar", "'memory://bucket/0.tar', 'memory://bucket/1.tar' does not exist"),
        ("memory://bucket/*.tar", "'memory://bucket/*.tar' does not exist"),
        ("nowhere://bucket/0.tar", "nowhere:// is not known"),
    ],
)
def test_what_is_no_source(source: str, said: str, store: Any) -> None:
    with pytest.raises(UserError) as caught:
        read(source)
    assert said in str(caught.value)
    assert source.partition("{")[0].partition("*")[0] in str(caught.value)


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(kind: str) -> None:
        raise ImportError(kind)

    monkeypatch.setattr("fsspec.get_filesystem_class", without)
    with pytest.raises(UserError, match="s3:// needs a package that is missing: Install s3fs"):
        read("s3://bucket/0.tar")


def test_errors_of_a_store_are_told(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = read("memory://bucket/a b/0.tar").table["uri"][0].as_py()

    def refused(*_: object, **__: object) -> None:
        raise RuntimeError("no\ncredentials")

    monkeypatch.setattr(type(store), "cat_file", refused)
    with pytest.raises(UnreadableImage, match="runtimeerror: no credentials"):
        read_bytes(uri)
    monkeypatch.setattr(type(store), "exists", refused)
    with pytest.raises(UserError, match=r"'memory://bucket/a b/0.tar' cannot be read: RuntimeError: no credentials"):
        read("memory://bucket/a b/0.tar")


def test_a_table_that_names_files_is_refused(store: Any) -> None:
    file = io.BytesIO()
    pq.write_table(pa.table({"path": ["a.png"]}), file)
    store.pipe_file("/bucket/p.parquet", file.getvalue())
    with pytest.raises(UserError, match=r"memory://bucket/p.parquet names files in its column 'path'"):
        read("memory://bucket/p.parquet", "ignored")


def test_a_run_keeps_the_index_and_names_what_changed(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = quick(generations=1)
    sources = {"labeled": "memory://bucket/t/*.parquet", "unlabeled": "memory://bucket/a b/*.tar"}
    config = config.model_copy(update={"data": config.data.model_copy(update=sources)})
    run = RunDir(tmp_path / "run")
    record = prepared(run, config)
    assert record["images"]["unlabeled"] == 30
    monkeypatch.setattr("noisystudent.data.tars._contents", lambda path: pytest.fail(f"{path} was read again"))
    assert prepared(run, config) == record
    monkeypatch.undo()
    store.pipe_file("/bucket/a b/1.tar", tar_of(range(15, 30)).replace(b"\x89PNG", b"\x89PnG", 1))
    store.pipe_file("/bucket/t/train-0.parquet", table_of(range(15))[::-1][::-1])
    with pytest.raises(UserError) as caught:
        prepared(run, config)
    assert caught.value.problems[1].startswith("--labeled: 15 have other contents: 'train-0.parquet:0'")
    assert "--unlabeled, of its shards: 1 have other contents: 'memory:" in caught.value.problems[2]
