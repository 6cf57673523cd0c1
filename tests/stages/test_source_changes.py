"""A run whose sources changed since it began says so, and what, before anything else."""

import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from user_inputs import Images, quick, write_images

from noisystudent.config import Config
from noisystudent.data.stored_files import opened
from noisystudent.errors import UserError
from noisystudent.rundir import RunDir
from noisystudent.stages.preparation import prepared

Change = Callable[[Images], object]


def configured(images: Images) -> Config:
    config = quick(generations=1)
    sources = {"labeled": str(images.labeled), "unlabeled": str(images.unlabeled), "test": str(images.test)}
    return config.model_copy(update={"data": config.data.model_copy(update=sources)})


@pytest.fixture
def begun(tmp_path: Path) -> tuple[RunDir, Images]:
    images = write_images(tmp_path)
    prepared(RunDir(tmp_path / "run"), configured(images))
    return RunDir(tmp_path / "run"), images


CHANGES: dict[str, Change] = {
    "--labeled: 1 were added: 'bars/new.png'": lambda i: shutil.copy(
        i.test / "bars/200.png", i.labeled / "bars/new.png"
    ),
    "--labeled: 1 are gone: 'bars/000.png'": lambda i: (i.labeled / "bars/000.png").unlink(),
    "--test: 1 are gone: 'disk/200.png'": lambda i: (i.test / "disk/200.png").rename(i.test / "bars/moved.png"),
    "--labeled: 1 have other contents: 'bars/001.png'": lambda i: shutil.copyfile(
        i.test / "bars/201.png", i.labeled / "bars/001.png"
    ),
    "--unlabeled: 1 were added: 'more.png'": lambda i: shutil.copy(i.test / "bars/200.png", i.unlabeled / "more.png"),
}


@pytest.mark.parametrize("said", CHANGES)
def test_what_changed_is_said_with_how_to_go_on(begun: tuple[RunDir, Images], said: str) -> None:
    run, images = begun
    CHANGES[said](images)
    with pytest.raises(UserError) as caught:
        prepared(run, configured(images))
    assert "another --out" in caught.value.problems[0]
    assert f"noisystudent report {run.path}" in caught.value.problems[0]
    assert said in caught.value.problems[1:]


def test_a_corrected_label_in_a_table_is_seen(tmp_path: Path) -> None:
    images = write_images(tmp_path)
    table = tmp_path / "labels.csv"
    rows = [f"{file},{file.parent.name}" for file in sorted(images.labeled.rglob("*.png"))]
    table.write_text("\n".join(["path,label", *rows]))
    config = configured(images)
    config = config.model_copy(update={"data": config.data.model_copy(update={"labeled": str(table)})})
    prepared(RunDir(tmp_path / "run"), config)
    table.write_text("\n".join(["path,label", rows[0].replace(",bars", ",disk"), *rows[1:]]))
    with pytest.raises(UserError, match="--labeled: 1 are of another class"):
        prepared(RunDir(tmp_path / "run"), config)


def test_sources_that_are_gone_altogether_are_told_too(begun: tuple[RunDir, Images]) -> None:
    run, images = begun
    shutil.rmtree(images.unlabeled)
    with pytest.raises(UserError) as caught:
        prepared(run, configured(images))
    assert "Put them back" in caught.value.problems[0]
    assert "does not exist" in caught.value.problems[1]


def test_unchanged_sources_and_runs_of_earlier_versions_go_on(begun: tuple[RunDir, Images]) -> None:
    run, images = begun
    record = prepared(run, configured(images))
    (run.path / "data" / "sources.parquet").unlink()
    os.utime(images.labeled / "bars/000.png")
    assert prepared(run, configured(images)) == record


def test_files_of_the_same_size_and_time_are_not_opened_again(
    begun: tuple[RunDir, Images], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, images = begun
    read: list[str] = []
    monkeypatch.setattr("noisystudent.stages.source_changes.opened", lambda path: read.append(path) or opened(path))
    os.utime(images.labeled / "bars/000.png")
    prepared(run, configured(images))
    assert [Path(path).name for path in read] == ["000.png"]


def in_tars(images: Images, config: Config) -> tuple[list[Path], Config]:
    """The unlabeled images in two tar files, and the configuration with them."""
    files = sorted(images.unlabeled.iterdir())
    shards = [images.unlabeled.parent / f"shard-{number}.tar" for number in range(2)]
    for number, path in enumerate(shards):
        with tarfile.open(path, "w") as tar:
            for file in files[number::2]:
                tar.add(file, file.name)
    source = str(shards[0].parent / "shard-*.tar")
    return shards, config.model_copy(update={"data": config.data.model_copy(update={"unlabeled": source})})


def test_shards_that_changed_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = write_images(tmp_path)
    shards, config = in_tars(images, configured(images))
    run = RunDir(tmp_path / "run")
    record = prepared(run, config)
    monkeypatch.setattr("noisystudent.data.tars._contents", lambda path: pytest.fail(f"{path} was read again"))
    assert prepared(run, config) == record
    monkeypatch.undo()

    data = bytearray(shards[1].read_bytes())
    data[600] ^= 1  # in the first picture: the names stay
    shards[1].write_bytes(data)
    with pytest.raises(UserError) as caught:
        prepared(run, config)
    assert caught.value.problems[1:] == [f"--unlabeled, of its shards: 1 have other contents: '{shards[1]}'"]
    shards[1].unlink()
    with pytest.raises(UserError) as caught:
        prepared(run, config)
    assert f"--unlabeled, of its shards: 1 are gone: '{shards[1]}'" in caught.value.problems


def test_a_run_of_an_earlier_version_knows_no_shards(tmp_path: Path) -> None:
    images = write_images(tmp_path)
    shards, config = in_tars(images, configured(images))
    run = RunDir(tmp_path / "run")
    record = prepared(run, config)
    kept = run.path / "data" / "sources.parquet"
    table = pq.read_table(kept)
    pq.write_table(table.filter(pc.not_equal(table["split"], "unlabeled, of its shards")), kept)
    os.utime(shards[0])
    assert prepared(run, config) == record
