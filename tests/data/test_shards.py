import io
import os
import tarfile
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from noisystudent.config import Execution, Noise, Training
from noisystudent.data import shards
from noisystudent.data.decoding import UnreadableImage, read_bytes
from noisystudent.data.images import Fetched, ImageSet, Skipped, check_readable
from noisystudent.data.joint_batches import Examples, ShuffledStream, joint_batches
from noisystudent.data.manifest import Manifest
from noisystudent.data.parts import write_parts
from noisystudent.data.shards import Pieces, ShardCache, pieces_of
from noisystudent.data.sources import read_source
from noisystudent.errors import UserError

GROUPS, ROWS = 6, 10  # row groups of each Parquet file, rows of each


def png(value: int) -> bytes:
    """A picture of a value, of at least 4 KB, since noise cannot be compressed: one corner says which."""
    pixels = np.random.default_rng(value).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    pixels[:8, :8] = value
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def read(source: object) -> Manifest:
    return read_source(str(source), split="unlabeled", labels="ignored")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Three Parquet files of six row groups of ten pictures."""
    folder = tmp_path_factory.mktemp("tables")
    for number in range(3):
        first = number * GROUPS * ROWS
        table = pa.table({"image": [png(first + row) for row in range(GROUPS * ROWS)]})
        pq.write_table(table, folder / f"{number}.parquet", row_group_size=ROWS)
    return read(folder)


@pytest.fixture(scope="module")
def tars(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Three tar files of sixty pictures."""
    folder = tmp_path_factory.mktemp("tars")
    for number in range(3):
        with tarfile.open(folder / f"{number}.tar", "w") as tar:
            for row in range(60):
                data = png(number * 60 + row)
                member = tarfile.TarInfo(f"{row:03d}.png")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    return read(f"{folder}/{{0..2}}.tar")


@pytest.fixture
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "STRETCH", 50_000)  # ten pictures or so


@pytest.fixture
def pieces_read(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[Any, ...]]:
    """How often each piece was read from its file."""
    found: Counter[tuple[Any, ...]] = Counter()

    def counted(read: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*key: Any) -> Any:
            found[key] += 1
            return read(*key)

        return counting

    for name in ("_read_group", "_read_stretch"):
        monkeypatch.setattr(shards, name, counted(getattr(shards, name)))
    return found


def image_set(manifest: Manifest, *, memory: int, workers: int = 2) -> ImageSet:
    return ImageSet(manifest, size=8, channels=3, workers=workers, in_memory=False, memory=memory)


def reads(needed: np.ndarray, sizes: np.ndarray, limit: int) -> int:
    """How many pieces are read where those needed last are kept, as many as the limit allows."""
    kept: OrderedDict[int, None] = OrderedDict()
    count = 0
    for piece in needed.tolist():
        count += piece not in kept
        kept[piece] = None
        kept.move_to_end(piece)
        while sizes[list(kept)].sum() > limit:
            kept.popitem(last=False)
    return count


def test_an_order_of_chance_has_every_row_once_and_needs_few_pieces_at_a_time() -> None:
    for size, rows_each in ((100, 7), (100, 1), (900, 40)):
        pieces = Pieces(np.repeat(np.arange(50), rows_each), np.full(50, size))
        rows = np.arange(50 * rows_each)
        for seed in range(3):
            order = pieces.shuffled(rows, np.random.default_rng(seed), reach=1000)
            assert sorted(order) == rows.tolist()
            begun_twice = 1000 // size + 1  # where the end goes on at the beginning
            assert reads(pieces.of_image[order], pieces.sizes, 3 * 1000) <= 50 + begun_twice


def test_rows_are_well_mixed_from_the_first_to_the_last() -> None:
    pieces = Pieces(np.repeat(np.arange(100), 50), np.full(100, 1000))
    order = pieces.shuffled(np.arange(5000), np.random.default_rng(0), reach=20_000)
    drawn = pieces.of_image[order].reshape(-1, 100)  # of every hundred, from how many of the twenty pieces in reach
    assert min(len(set(part)) for part in drawn) >= 18
    assert max(max(Counter(part.tolist()).values()) for part in drawn) <= 18  # 5 each are expected
    again = pieces.shuffled(np.arange(5000), np.random.default_rng(0), reach=20_000)
    np.testing.assert_array_equal(order, again)
    other = pieces.shuffled(np.arange(5000), np.random.default_rng(1), reach=20_000)
    assert pieces.of_image[other[:100]].tolist() != pieces.of_image[order[:100]].tolist()


def test_a_piece_larger_than_the_reach_is_mixed_and_left_before_the_next() -> None:
    pieces = Pieces(np.repeat(np.arange(3), 100), np.full(3, 10_000))
    order = pieces.shuffled(np.arange(300), np.random.default_rng(0), reach=10)
    numbers = pieces.of_image[order].reshape(3, 100)
    assert all(len(set(part)) == 1 for part in numbers.tolist())
    assert all(part.tolist() != sorted(part) for part in order.reshape(3, 100))


def test_copies_come_at_times_of_their_own() -> None:
    pieces = Pieces(np.repeat(np.arange(20), 10), np.full(20, 100))
    rows = np.repeat(np.arange(200), 3)
    order = pieces.shuffled(rows, np.random.default_rng(0), reach=500)
    assert sorted(order) == rows.tolist()
    assert np.mean(np.diff(order) == 0) < 0.1


def test_rows_of_which_few_are_wanted(tables: Manifest) -> None:
    pieces = pieces_of(tables.take(np.array([0, 25, 26, 179])).table["uri"])
    assert pieces is not None
    assert pieces.of_image.tolist() == [0, 1, 1, 2]
    assert len(pieces.sizes) == 3


def test_pieces_of_tables(tables: Manifest) -> None:
    pieces = pieces_of(tables.table["uri"])
    assert pieces is not None
    assert pieces.of_image.tolist() == np.repeat(np.arange(18), 10).tolist()
    held = [sum(len(png(value)) for value in range(start, start + 10)) for start in range(0, 180, 10)]
    np.testing.assert_allclose(pieces.sizes, held, rtol=0.02)


def test_pieces_of_tars(tars: Manifest, short_stretches: None) -> None:
    pieces = pieces_of(tars.table["uri"])
    assert pieces is not None
    offsets = [int(uri.partition("offset=")[2].partition("&")[0]) for uri in tars.table["uri"].to_pylist()]
    stretches = [(row // 60, offset // 50_000) for row, offset in enumerate(offsets)]
    assert [sorted(set(stretches)).index(stretch) for stretch in stretches] == pieces.of_image.tolist()
    assert pieces.sizes.max() <= 50_000
    assert pieces.sizes.sum() < 3 * os.path.getsize(tars.table["uri"][0].as_py()[7:].partition("#")[0])


def test_images_in_files_have_no_pieces(tables: Manifest) -> None:
    uris = tables.table["uri"].to_pylist()
    for other in (
        "file:///a.png",
        "hf:owner/name:train#row=3",
        "file:///t.parquet#row=3",
        "file:///s.tar#offset=a&size=3",
    ):
        assert pieces_of(pa.chunked_array([[*uris, other]])) is None
    assert pieces_of(pa.chunked_array([[]], pa.string())) is None


def test_shards_that_cannot_be_read_are_named_together(tmp_path: Path) -> None:
    for name in "ab":
        pq.write_table(pa.table({"image": [png(0), png(1)]}), tmp_path / f"{name} 1.parquet")
    uris = read(tmp_path).table["uri"]
    (tmp_path / "a 1.parquet").unlink()
    pq.write_table(pa.table({"image": [png(0)]}), tmp_path / "b 1.parquet")
    with pytest.raises(UserError) as caught:
        pieces_of(uris)
    first, second = caught.value.problems
    assert f"'{tmp_path}/a 1.parquet' disappeared or changed since the run began" in first
    assert f"'{tmp_path}/b 1.parquet' disappeared or changed since the run began (no row 1): put it back" in second


@pytest.mark.parametrize("kind", ["tables", "tars"])
def test_an_epoch_reads_each_piece_once_and_those_at_its_end_twice(
    kind: str,
    short_stretches: None,
    pieces_read: Counter[tuple[Any, ...]],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("noisystudent.data.images.IN_TURN", 0)
    manifest = request.getfixturevalue(kind)
    plain = image_set(manifest, memory=0, workers=3).fetch(np.arange(180))
    pieces_read.clear()
    images = image_set(manifest, memory=600_000, workers=1)  # of 900 KB: 200 KB in reach, 4 pieces
    order = images.shuffled(np.arange(180), np.random.default_rng(0))
    assert order.tolist() != np.random.default_rng(0).permutation(180).tolist()
    for start in range(0, 180, 12):
        batch = order[start : start + 12]
        assert torch.equal(images.fetch(batch), plain[torch.from_numpy(batch)])
    pieces = pieces_of(manifest.table["uri"])
    assert pieces is not None
    assert len(pieces_read) == len(pieces.sizes)
    assert pieces_read.total() <= len(pieces.sizes) + 5
    assert sum(piece.result()[1] for piece in images._shards._pieces.values()) <= 600_000


@pytest.mark.parametrize("kind", ["tables", "tars"])
def test_images_in_turn_read_each_piece_once(
    kind: str,
    short_stretches: None,
    pieces_read: Counter[tuple[Any, ...]],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    manifest = request.getfixturevalue(kind)
    monkeypatch.setattr(ShardCache.__init__, "__defaults__", (0,))  # the last two are kept
    rows, skipped, _ = check_readable(manifest, channels=3, size=8, crop_pct=1.0, workers=1)
    assert len(rows) == 180
    assert not skipped
    assert set(pieces_read.values()) == {1}
    pieces_read.clear()
    images = ImageSet(manifest, size=8, channels=3, workers=1, in_memory=False)

    def make(_: np.ndarray, read: Fetched) -> tuple[pa.Table, list[Skipped]]:
        pixels, unread = read
        assert not unread
        return pa.table({"sum": pixels.sum(dim=(1, 2, 3)).numpy()}), []

    execution = Execution(device="cpu", part_rows=47, label_batch_size=9)
    write_parts(images.try_fetch, make, 180, tmp_path, image_size=8, execution=execution, description="")
    assert set(pieces_read.values()) == {1}


@pytest.mark.parametrize("in_memory", [True, False])
def test_rows_fetched_together_are_read_as_they_lie(
    tables: Manifest,
    pieces_read: Counter[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
    in_memory: bool,
) -> None:
    monkeypatch.setattr(ShardCache.__init__, "__defaults__", (0,))
    rows = np.random.default_rng(0).permutation(180)
    scattered = ImageSet(tables.take(rows), size=8, channels=3, workers=1, in_memory=in_memory)
    pixels = scattered.fetch(np.arange(180))
    assert set(pieces_read.values()) == {1}
    in_turn = ImageSet(tables, size=8, channels=3, workers=1, in_memory=False).fetch(np.arange(180))
    assert torch.equal(pixels, in_turn[torch.from_numpy(rows)])


def test_small_sets_and_those_in_memory_keep_the_even_order(tables: Manifest) -> None:
    even = np.random.default_rng(5).permutation(180).tolist()
    kept = ImageSet(tables, size=8, channels=3, workers=1, in_memory=True, memory=0)
    for images in (kept, image_set(tables, memory=2**30)):
        assert images.shuffled(np.arange(180), np.random.default_rng(5)).tolist() == even


def test_the_order_depends_on_no_folder(tables: Manifest, tmp_path: Path) -> None:
    elsewhere = tmp_path / "z" / "y"
    elsewhere.mkdir(parents=True)
    for path in {uri[7:].partition("#")[0] for uri in tables.table["uri"].to_pylist()}:
        os.link(path, elsewhere / Path(path).name)
    orders = [
        image_set(manifest, memory=300_000).shuffled(np.arange(180), np.random.default_rng(5)).tolist()
        for manifest in (tables, read(elsewhere))
    ]
    assert orders[0] == orders[1]


def test_a_stream_goes_on_in_the_middle_of_a_shard(tables: Manifest) -> None:
    def stream(weights: np.ndarray | None = None) -> ShuffledStream:
        shuffle = image_set(tables, memory=300_000).shuffled
        return ShuffledStream(np.arange(180), seed=1, weights=weights, shuffle=shuffle)

    for weights in (None, np.linspace(0.1, 1, 180)):
        whole = stream(weights).take(0, 500).tolist()
        for start, count in ((0, 1), (37, 100), (170, 20), (361, 139)):
            assert stream(weights).take(start, count).tolist() == whole[start : start + count]
    whole = stream().take(0, 360).tolist()
    assert sorted(whole[:180]) == sorted(whole[180:]) == list(range(180))
    assert whole[:180] != whole[180:]


def test_a_training_goes_on_in_the_middle_of_a_shard(tars: Manifest, short_stretches: None) -> None:
    def batches(start: int) -> list[torch.Tensor]:
        examples = Examples(image_set(tars, memory=300_000), torch.eye(180).__getitem__)
        training = Training(model="x", batch_size=9, unlabeled_ratio=2.0, steps=12, noise=Noise(crop="random-resized"))
        return [batch.images for batch in joint_batches(training, examples, examples, seed=3, start=start)]

    for first, again in zip(batches(0)[5:], batches(5), strict=True):
        assert torch.equal(first, again)


def test_a_shard_that_disappeared_is_named_once_with_some_of_its_images(tmp_path: Path) -> None:
    for name in "ab":
        with tarfile.open(tmp_path / f"{name}.tar", "w") as tar:
            for number in range(7):
                member = tarfile.TarInfo(f"{number}.png")
                member.size = len(png(0))
                tar.addfile(member, io.BytesIO(png(0)))
    images = image_set(read(tmp_path / "*.tar"), memory=0)
    (tmp_path / "b.tar").unlink()
    with pytest.raises(UserError) as caught:
        images.fetch(np.arange(5, 14))
    assert caught.value.problems == [
        f"'{tmp_path}/b.tar' disappeared or changed since the run began ('b.tar:0', 'b.tar:1', 'b.tar:2', 'b.tar:3', 'b.tar:4' "
        "and 2 more: missing file): put it back"
    ]


def test_members_that_lie_across_stretches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s.tar").write_bytes(data := np.random.default_rng(0).bytes(1000))
    monkeypatch.setattr(shards, "STRETCH", 64)
    cache = ShardCache()
    for offset, size in ((0, 64), (0, 65), (63, 1), (63, 2), (64, 64), (10, 900), (990, 10), (990, 20), (2000, 5)):
        assert cache.stretch(str(tmp_path / "s.tar"), offset, size) == data[offset : offset + size]
    with pytest.raises(UnreadableImage, match="truncated"):
        read_bytes(f"file://{tmp_path}/s.tar#offset=990&size=20", cache)


def test_no_more_is_kept_than_the_limit_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s.tar").write_bytes(bytes(1000))
    monkeypatch.setattr(shards, "STRETCH", 100)
    cache = ShardCache(limit=350)
    for offset in (0, 100, 0, 200, 300, 0, 400, 500):
        cache.stretch(str(tmp_path / "s.tar"), offset, 10)
    assert [number for _, _, number in cache._pieces] == [0, 4, 5]


def test_threads_that_want_the_same_piece_read_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s.tar").write_bytes(bytes(1000))
    asked, gate, count = threading.Barrier(5), threading.Event(), []

    def slow(path: str, _: str, number: int) -> tuple[bytes, int]:
        count.append(number)
        gate.wait(10)
        return bytes(1000), 1000

    monkeypatch.setattr(shards, "_read_stretch", slow)
    cache = ShardCache()

    def ask() -> bytes:
        asked.wait(10)
        return cache.stretch(str(tmp_path / "s.tar"), 0, 10)

    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(ask) for _ in range(4)]
        asked.wait(10)
        time.sleep(0.05)
        gate.set()
        assert [answer.result() for answer in answers] == [bytes(10)] * 4
    assert count == [0]


def test_a_piece_that_could_not_be_read_is_read_anew(tmp_path: Path) -> None:
    cache, path = ShardCache(), tmp_path / "s.tar"
    with pytest.raises(FileNotFoundError):
        cache.stretch(str(path), 0, 3)
    path.write_bytes(b"abc")
    assert cache.stretch(str(path), 0, 3) == b"abc"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableImage, match="not a file but a pipe"):
        read_bytes(f"file://{tmp_path}/pipe#offset=0&size=3", cache)


def test_cells(tmp_path: Path) -> None:
    path = str(tmp_path / "t.parquet")
    pq.write_table(pa.table({"image": [b"a", None, b"c"], "other": [{"bytes": b"x"}] * 3}), path, row_group_size=2)
    cache = ShardCache()
    assert [cache.cell(path, "image", row) for row in (2, 0, 1)] == [b"c", b"a", None]
    assert cache.cell(path, "other", 2) == {"bytes": b"x"}
    for row in (-1, 3):
        with pytest.raises(IndexError):
            cache.cell(path, "image", row)
    with pytest.raises(UnreadableImage, match="no such row"):
        read_bytes(f"file://{path}#column=none&row=0", cache)
